/** The ports and loops that the tests of this room share. */
import { createHmac, randomBytes } from "node:crypto";
import type { Crypto } from "@sluice/base/crypto";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { RtmpClientEngine, type RtmpClientEngineOptions } from "@sluice/rtmp/client-engine";
import type { RtmpClientEvent } from "@sluice/rtmp/client-event";
import { DEFAULT_RTMP_LIMITS, type RtmpLimits } from "@sluice/rtmp/limits";
import { RtmpServerEngine, type RtmpServerEngineOptions } from "@sluice/rtmp/server-engine";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";

export const NODE_CRYPTO: Crypto = {
  randomBytes: (byteCount) => new Uint8Array(randomBytes(byteCount)),
  hmacSha256: (key, bytes) => new Uint8Array(createHmac("sha256", key).update(bytes).digest()),
};

export function createServer(options: Partial<RtmpServerEngineOptions> = {}): RtmpServerEngine {
  return new RtmpServerEngine({ crypto: NODE_CRYPTO, allocator: new SlabAllocator(), ...options });
}

export function createClient(options: Partial<RtmpClientEngineOptions> = {}): RtmpClientEngine {
  return new RtmpClientEngine({ crypto: NODE_CRYPTO, allocator: new SlabAllocator(), ...options });
}

export function limitsWith(limits: Partial<RtmpLimits>): RtmpLimits {
  return { ...DEFAULT_RTMP_LIMITS, ...limits };
}

export function takeAll<T>(engine: { nextEvent(): T | undefined }): T[] {
  const events: T[] = [];
  for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) events.push(event);
  return events;
}

export function join(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

/** Carries bytes between the two until both are silent; events land in the two lists. */
export class Conversation {
  readonly server: RtmpServerEngine;
  readonly client: RtmpClientEngine;
  readonly serverEvents: RtmpServerEvent[] = [];
  readonly clientEvents: RtmpClientEvent[] = [];
  /** What a server's owner does; by default it says yes to everything. */
  onServerEvent: (event: RtmpServerEvent, server: RtmpServerEngine) => void = acceptAll;

  constructor(options: { server?: Partial<RtmpServerEngineOptions>; client?: Partial<RtmpClientEngineOptions> } = {}) {
    this.server = createServer(options.server);
    this.client = createClient(options.client);
  }

  run(): void {
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (let out = this.client.nextOutput(); out; out = this.client.nextOutput()) {
        isBusy = true;
        this.server.receive(out);
      }
      for (const event of takeAll(this.server)) {
        this.serverEvents.push(event);
        this.onServerEvent(event, this.server);
        this.serverEvents.push(...takeAll(this.server).map((more) => (this.onServerEvent(more, this.server), more)));
      }
      for (let out = this.server.nextOutput(); out; out = this.server.nextOutput()) {
        isBusy = true;
        this.client.receive(out);
      }
      this.clientEvents.push(...takeAll(this.client));
    }
  }

  /** Events of one type that the server told. */
  told<T extends RtmpServerEvent["type"]>(type: T): Extract<RtmpServerEvent, { type: T }>[] {
    return this.serverEvents.filter((event) => event.type === type) as Extract<RtmpServerEvent, { type: T }>[];
  }

  /** Status codes that the client heard, in order. */
  get statusCodes(): string[] {
    return this.clientEvents.flatMap((event) => (event.type === "status" ? [event.code] : []));
  }
}

export function acceptAll(event: RtmpServerEvent, server: RtmpServerEngine): void {
  if (event.type === "connect") server.acceptConnect();
  else if (event.type === "publish") server.acceptPublish(event.messageStreamId);
  else if (event.type === "play") server.acceptPlay(event.messageStreamId, { reset: event.reset });
}
