/** Limits of what members and clients make one cache process hold. */
import type { Millis } from "@sluice/base/brand";
import type { StrangerLimits } from "@sluice/runtime/sockets/strangers";

export interface MemberLimits extends Omit<StrangerLimits, "exempt"> {
  /** Connections not yet proved; a further one ends the oldest of the address with the most. */
  readonly strangers: number;
  /** Such connections from one address; a further one ends its oldest. */
  readonly strangersPerAddress: number;
  /** From the connection to the end of the handshake, including TLS. */
  readonly handshake: Millis;
  /** Longest silence of a link. Must outlast a pause of 2 s. */
  readonly silence: Millis;
}

export const DEFAULT_MEMBER_LIMITS: MemberLimits = {
  strangers: 256,
  strangersPerAddress: 64,
  handshake: 3_000 as Millis,
  silence: 3_000 as Millis,
};

export interface RespLimits extends Omit<StrangerLimits, "exempt"> {
  /** Connected clients. */
  readonly clients: number;
  /**
   * Connections without their password; a further one ends the oldest of the address with the most. If no password
   * is required: connections without a request yet, of which half of `clients` may stay for any time.
   */
  readonly strangers: number;
  /** Such connections from one address; a further one ends its oldest. If no password is required: no limit. */
  readonly strangersPerAddress: number;
  /** From the connection to the password. */
  readonly handshake: Millis;
  /** Bytes queued for all clients together: requests, and unread replies. */
  readonly heldBytes: number;
  /** Work for all clients together in one turn of the event loop; a unit is about a microsecond. */
  readonly turnWork: number;
  /** Work for one client in one turn. */
  readonly clientWork: number;
  /** Bytes of replies handed to a socket in one piece. */
  readonly pieceBytes: number;
  /** Bytes of unread replies at which reading of a client's requests pauses. */
  readonly pauseBytes: number;
  /** How long a client may leave replies unread; then it gets an error and is disconnected. */
  readonly unread: Millis;
  /** The same while its requests wait too, or all clients together hold too much. */
  readonly unreadPressed: Millis;
  /** How long a finished connection stays open so that its client can read the reason. */
  readonly linger: Millis;
  /** Bytes read from it meanwhile, and discarded. */
  readonly lingerBytes: number;
}

export const DEFAULT_RESP_LIMITS: RespLimits = {
  clients: 10_000,
  strangers: 1_024,
  strangersPerAddress: 256,
  handshake: 10_000 as Millis,
  heldBytes: 256 * 1024 * 1024,
  turnWork: 20_000,
  clientWork: 5_000,
  pieceBytes: 256 * 1024,
  pauseBytes: 1024 * 1024,
  unread: 60_000 as Millis,
  unreadPressed: 5_000 as Millis,
  linger: 10_000 as Millis,
  lingerBytes: 1024 * 1024 * 1024,
};
