/** Opens an RTMP session on whatever carries one: TCP, TLS, WebSocket. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Crypto } from "@sluice/base/crypto";
import type { Protocol } from "@sluice/client/admin-contract";
import type { RtmpLimits } from "@sluice/rtmp/limits";
import { PartialPools } from "@sluice/rtmp/partial-pools";
import { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import type { WebPage } from "../auth/web-origin.ts";
import type { ByteTransport, TransportEvents } from "../sessions/byte-transport.ts";
import { peerAddress } from "../sessions/peer-address.ts";
import { refusesSessions } from "../sessions/refusals.ts";
import { RtmpSession } from "./rtmp-session.ts";
import type { RtmpSettings } from "./rtmp-peer.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";

export interface RtmpSessionsOptions extends RtmpSettings {
  readonly crypto: Crypto;
  readonly limits: RtmpLimits;
  readonly windowAckSize: number;
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
    readonly page?: WebPage;
    readonly transport: (ports: SessionPorts, events: TransportEvents) => ByteTransport;
  }): void {
    const { crypto, limits, chunkSize, windowAckSize, ports } = this.#options;
    const { protocol } = peer;
    const address = peerAddress(peer.socket);
    if (refusesSessions(ports, { protocol, address })) return void peer.socket.destroy();
    const pools = this.#pools;
    const engine = new RtmpServerEngine({ crypto, allocator: ALLOCATOR, limits, pools, chunkSize, windowAckSize });
    new RtmpSession({
      settings: this.#options,
      id: ports.registry.nextId(),
      protocol,
      page: peer.page,
      address,
      engine,
      open: (events) => peer.transport(ports, events),
    });
  }
}
