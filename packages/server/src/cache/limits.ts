/** What members and clients may make one cache process hold. */
import type { Millis } from "@sluice/base/brand";
import type { StrangerLimits } from "../listeners/strangers.ts";

export interface MemberLimits extends Omit<StrangerLimits, "exempt"> {
  /** Bytes of one frame while the peer has not proved that it knows the secret. */
  readonly helloBytes: number;
  /** Bytes of one frame between members; must hold the largest message of the replicated log. */
  readonly frameBytes: number;
  /** Bytes that may wait for a member that does not read; beyond it the connection is ended and dialled again. */
  readonly queuedBytes: number;
  /** Connections that have not proved themselves yet; one more ends the oldest of the address that has most of them. */
  readonly strangers: number;
  /** Such connections from one address; one more ends its oldest. */
  readonly strangersPerAddress: number;
  /** From the connection to the end of the handshake, that of TLS included. */
  readonly handshake: Millis;
  /** How long a connection may carry nothing at all. Must outlast a pause of 2 s. */
  readonly silence: Millis;
}

export const DEFAULT_MEMBER_LIMITS: MemberLimits = {
  helloBytes: 4 * 1024,
  frameBytes: 41 * 1024 * 1024,
  queuedBytes: 64 * 1024 * 1024,
  strangers: 256,
  strangersPerAddress: 64,
  handshake: 3_000 as Millis,
  silence: 3_000 as Millis,
};

export interface RespLimits {
  /** Clients at once. */
  readonly clients: number;
  /** Bytes of answers that may wait for a client before its requests are no longer read. */
  readonly pauseBytes: number;
  /** How long a client may leave answers unread before it is dropped. */
  readonly unread: Millis;
}

export const DEFAULT_RESP_LIMITS: RespLimits = {
  clients: 10_000,
  pauseBytes: 1024 * 1024,
  unread: 60_000 as Millis,
};
