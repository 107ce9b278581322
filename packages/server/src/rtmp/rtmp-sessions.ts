/** Opens an RTMP session on whatever carries one: TCP, TLS, WebSocket. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Crypto } from "@sluice/base/crypto";
import type { Protocol } from "@sluice/client/admin-contract";
import type { RtmpLimits } from "@sluice/rtmp/limits";
import { PartialPools } from "@sluice/rtmp/partial-pools";
import { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import type { ByteTransport, TransportEvents } from "../sessions/byte-transport.ts";
import { peerAddress } from "../sessions/peer-address.ts";
import { refusesSessions } from "../sessions/refusals.ts";
import { RtmpSession } from "./rtmp-session.ts";
import type { Page } from "./rtmp-session-options.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";

export interface RtmpSessionsOptions {
  readonly ports: SessionPorts;
  readonly crypto: Crypto;
  readonly limits: RtmpLimits;
  readonly chunkSize: number;
  readonly windowAckSize: number;
  readonly legacyFourCc: "forward" | "withhold";
  readonly pingInterval: Millis;
  readonly allowsRtmpRedirect: boolean;
}

/** Small messages share Node's pool, large ones have a buffer of their own; either way no byte is zeroed first. */
const ALLOCATOR = { allocate: (byteCount: number): Uint8Array => Buffer.allocUnsafe(byteCount) };

export class RtmpSessions {
  readonly #options: RtmpSessionsOptions;
  readonly #pools: PartialPools;

  constructor(options: RtmpSessionsOptions) {
    this.#options = options;
    this.#pools = new PartialPools(options.limits);
  }

  open(peer: {
    readonly protocol: Protocol;
    readonly socket: Socket;
    /** None for a program. */
    readonly page?: Page;
    readonly transport: (ports: SessionPorts, events: TransportEvents) => ByteTransport;
  }): void {
    const { crypto, limits, chunkSize, windowAckSize, ports } = this.#options;
    const { protocol } = peer;
    const address = peerAddress(peer.socket);
    if (refusesSessions(ports, { protocol, address })) return void peer.socket.destroy();
    const pools = this.#pools;
    const engine = new RtmpServerEngine({ crypto, allocator: ALLOCATOR, limits, pools, chunkSize, windowAckSize });
    new RtmpSession({
      ...this.#options,
      id: ports.registry.nextId(),
      protocol,
      ...(peer.page === undefined ? {} : { page: peer.page }),
      address,
      engine,
      open: (events) => peer.transport(ports, events),
    });
  }
}
