/** Opens an RTMP session on whatever carries one: TCP, TLS, WebSocket. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Crypto } from "@sluice/base/crypto";
import type { Protocol } from "@sluice/client/admin-contract";
import type { LagLimits } from "@sluice/media/limits";
import type { RtmpLimits } from "@sluice/rtmp/limits";
import { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import type { ByteTransport, TransportEvents } from "../sessions/byte-transport.ts";
import type { DirectWrites } from "../sessions/direct-writes.ts";
import { peerAddress } from "../sessions/peer-address.ts";
import { RtmpSession } from "../sessions/rtmp-session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";

export interface RtmpSessionsOptions {
  readonly ports: SessionPorts;
  readonly crypto: Crypto;
  readonly limits: RtmpLimits;
  readonly chunkSize: number;
  readonly windowAckSize: number;
  readonly lag: Pick<LagLimits, "maxBytes" | "stallTimeout">;
  readonly legacyFourCc: "forward" | "withhold";
  readonly pingInterval: Millis;
  readonly allowsRtmpRedirect: boolean;
}

/** Small messages share Node's pool, large ones have a buffer of their own; either way no byte is zeroed first. */
const ALLOCATOR = { allocate: (byteCount: number): Uint8Array => Buffer.allocUnsafe(byteCount) };

export class RtmpSessions {
  readonly #options: RtmpSessionsOptions;

  constructor(options: RtmpSessionsOptions) {
    this.#options = options;
  }

  open(peer: {
    readonly protocol: Protocol;
    readonly socket: Socket;
    readonly transport: (writes: DirectWrites, events: TransportEvents) => ByteTransport;
  }): RtmpSession {
    const { crypto, limits, chunkSize, windowAckSize, ports } = this.#options;
    const engine = new RtmpServerEngine({ crypto, allocator: ALLOCATOR, limits, chunkSize, windowAckSize });
    return new RtmpSession({
      ...this.#options,
      id: ports.registry.nextId(),
      protocol: peer.protocol,
      address: peerAddress(peer.socket),
      engine,
      open: (events) => peer.transport(ports.writes, events),
    });
  }
}
