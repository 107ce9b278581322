/** Our own RTMP client engine on a real connection: exact control over what is said, and a record of what is heard. */
import { createHmac, randomBytes } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { type ConnectOptions, RtmpClientEngine } from "@sluice/rtmp/client-engine";
import type { RtmpClientEvent } from "@sluice/rtmp/client-event";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { WebSocket } from "ws";
import type { Unit } from "./units.ts";
import { until } from "@sluice/testkit/until";

export interface PeerOptions {
  readonly port: number;
  readonly over?: "tcp" | "tls" | "web-socket";
  /** Of the WebSocket, where it is not the port's own; any certificate will do. */
  readonly url?: string;
  /** Of the web page that a browser would open the WebSocket for. */
  readonly origin?: string;
  readonly app: string;
  readonly tcUrl?: string;
  readonly connect?: Partial<ConnectOptions>;
  readonly chunkSize?: number;
}

type Event = RtmpClientEvent;
type Status = Extract<Event, { readonly type: "status" }>;

/** How a peer's bytes travel. */
export interface Way {
  send(bytes: Uint8Array): void;
  close(): void;
  /** At once, without good-bye. */
  destroy(): void;
}

/** What a way tells. */
export interface Ear {
  readonly bytes: (bytes: Uint8Array) => void;
  readonly closed: () => void;
}

export class RtmpPeer implements AsyncDisposable {
  readonly engine: RtmpClientEngine;
  /** Everything heard, in order. */
  readonly events: Event[] = [];
  readonly closed: Promise<void>;
  readonly #way: Way;
  #isClosed = false;
  #failure: Error | undefined;

  constructor(engine: RtmpClientEngine, open: (ear: Ear) => Way) {
    this.engine = engine;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    const closed = (): void => {
      this.#isClosed = true;
      resolve();
    };
    this.#way = open({ bytes: (bytes) => this.#hear(bytes), closed });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Media heard so far, in order. */
  get units(): Unit[] {
    return unitsOf(this.events);
  }

  get messageStreamId(): MessageStreamId {
    const created = this.events.find((event) => event.type === "stream-created");
    if (created?.type !== "stream-created") throw new Error("Cannot find the message stream: none was created");
    return created.messageStreamId;
  }

  /** Sends what the engine owes. */
  flush(): void {
    for (let bytes = this.engine.nextOutput(); bytes !== undefined; bytes = this.engine.nextOutput())
      this.#way.send(new Uint8Array(bytes));
  }

  /** Bytes that no engine would send. */
  sendRaw(bytes: Uint8Array): void {
    this.#way.send(bytes);
  }

  tell(command: string, ...args: readonly (boolean | number | string | null)[]): void {
    this.engine.tellStream(this.messageStreamId, command, args);
    this.flush();
  }

  send(unit: Unit): void {
    this.engine.sendMedia(unit.kind, unit.timestamp, unit.body);
    this.flush();
  }

  /** As fast as it goes, yet a few units a turn, as an encoder's bursts are. */
  async sendAll(units: readonly Unit[]): Promise<void> {
    for (const [i, unit] of units.entries()) {
      this.send(unit);
      if (i % 16 === 15) await turn();
    }
  }

  play(name: string, options: { readonly bufferLength?: number } = {}): void {
    this.engine.play(name, options);
    this.flush();
  }

  /** @throws {Error} unless the server accepts */
  async publish(name: string): Promise<void> {
    this.engine.publish(name);
    this.flush();
    await this.status("NetStream.Publish.Start");
  }

  /** Says good-bye in RTMP's words; the connection stays. */
  leave(): void {
    this.engine.close();
    this.flush();
  }

  /** The first event from position `from` on that suits, heard already or still to come. */
  heard<T>(
    what: string,
    find: (event: Event, at: number) => T | undefined,
    options: { readonly from?: number; readonly waitMillis?: number } = {},
  ): Promise<T> {
    let next = options.from ?? 0;
    const look = (): T | undefined => {
      for (; next < this.events.length; next++) {
        const found = find(this.events[next] as Event, next);
        if (found !== undefined) return found;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isClosed) throw new Error(`Waited for ${what}, but the connection closed; heard ${this.#told()}`);
      return undefined;
    };
    return until(`${what}; heard ${this.#told()}`, look, options.waitMillis);
  }

  status(code: string, options: { readonly from?: number; readonly waitMillis?: number } = {}): Promise<Status> {
    return this.heard(code, (event) => (event.type === "status" && event.code === code ? event : undefined), options);
  }

  /** Until so many coded units and others were heard. */
  heardUnits(count: number, waitMillis?: number): Promise<true> {
    return until(`${count} units`, () => (this.units.length >= count ? true : undefined), waitMillis);
  }

  codes(): string[] {
    return this.events.flatMap((event) => (event.type === "status" ? [event.code] : []));
  }

  /** Without good-bye. */
  destroy(): void {
    this.#way.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#way.destroy();
    await this.closed;
  }

  #told(): string {
    return this.events
      .map((event) => (event.type === "status" ? event.code : event.type))
      .slice(-12)
      .join(", ");
  }

  #hear(bytes: Uint8Array): void {
    try {
      this.engine.receive(bytes);
      for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent())
        this.events.push(event);
      this.flush();
    } catch (error) {
      this.#failure = error as Error;
      this.#way.destroy();
    }
  }
}

export function unitsOf(events: readonly Event[]): Unit[] {
  return events.flatMap((event) =>
    event.type === "media" ? [{ kind: event.kind, timestamp: event.timestamp, body: event.payload }] : [],
  );
}

/** A client's engine that has said nothing yet. */
export function clientEngine(chunkSize?: number): RtmpClientEngine {
  const crypto = {
    randomBytes: (byteCount: number) => randomBytes(byteCount),
    hmacSha256: (key: Uint8Array, bytes: Uint8Array) => createHmac("sha256", key).update(bytes).digest(),
  };
  return new RtmpClientEngine({
    crypto,
    allocator: new SlabAllocator(),
    ...(chunkSize === undefined ? {} : { chunkSize }),
  });
}

/** Connected at the transport; handshake and connect are under way. */
export async function openPeer(options: PeerOptions): Promise<RtmpPeer> {
  const { port, over = "tcp", app, chunkSize } = options;
  const engine = clientEngine(chunkSize);
  const peer = await (over === "web-socket" ? onWebSocket(engine, options) : onSocket(engine, port, over));
  const tcUrl = options.tcUrl ?? `rtmp://127.0.0.1:${port}/${app}`;
  engine.start({ app, tcUrl, ...options.connect });
  peer.flush();
  return peer;
}

/** The same, once the server has accepted the connect. */
export async function connectPeer(options: PeerOptions): Promise<RtmpPeer> {
  const peer = await openPeer(options);
  await peer.heard("connect's answer", (event) => (event.type === "connected" ? true : undefined));
  return peer;
}

async function onSocket(engine: RtmpClientEngine, port: number, over: "tcp" | "tls"): Promise<RtmpPeer> {
  const where = { host: "127.0.0.1", port };
  const socket: Socket = over === "tls" ? connectTls({ ...where, rejectUnauthorized: false }) : connectTcp(where);
  socket.setNoDelay(true);
  const peer = new RtmpPeer(engine, ({ bytes, closed }) => {
    socket.on("data", bytes);
    socket.on("error", () => {});
    socket.on("close", closed);
    return {
      send: (piece) => void socket.write(piece),
      close: () => void socket.end(),
      destroy: () => void socket.destroy(),
    };
  });
  await new Promise<void>((resolve, reject) => {
    socket.once(over === "tls" ? "secureConnect" : "connect", () => resolve());
    socket.once("error", reject);
  });
  return peer;
}

async function onWebSocket(engine: RtmpClientEngine, { port, url, origin }: PeerOptions): Promise<RtmpPeer> {
  const page = origin === undefined ? {} : { origin };
  const webSocket = new WebSocket(url ?? `ws://127.0.0.1:${port}/`, "rtmp", { ...page, rejectUnauthorized: false });
  webSocket.binaryType = "nodebuffer";
  const peer = new RtmpPeer(engine, ({ bytes, closed }) => {
    webSocket.on("message", (data) => bytes(data as Buffer));
    webSocket.on("error", () => {});
    webSocket.on("close", closed);
    return {
      send: (piece) => webSocket.send(piece),
      close: () => webSocket.close(),
      destroy: () => webSocket.terminate(),
    };
  });
  await new Promise<void>((resolve, reject) => {
    webSocket.once("open", () => resolve());
    webSocket.once("error", reject);
  });
  return peer;
}
