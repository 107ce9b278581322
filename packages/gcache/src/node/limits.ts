/** What members and clients may make one cache process hold. */
import type { Millis } from "@sluice/base/brand";
import type { StrangerLimits } from "@sluice/runtime/sockets/strangers";

export interface MemberLimits extends Omit<StrangerLimits, "exempt"> {
  /** Connections that have not proved themselves yet; one more ends the oldest of the address that has most of them. */
  readonly strangers: number;
  /** Such connections from one address; one more ends its oldest. */
  readonly strangersPerAddress: number;
  /** From the connection to the end of the handshake, that of TLS included. */
  readonly handshake: Millis;
  /** How long a link may carry nothing at all. Must outlast a pause of 2 s. */
  readonly silence: Millis;
}

export const DEFAULT_MEMBER_LIMITS: MemberLimits = {
  strangers: 256,
  strangersPerAddress: 64,
  handshake: 3_000 as Millis,
  silence: 3_000 as Millis,
};

export interface RespLimits extends Omit<StrangerLimits, "exempt"> {
  /** Clients at once. */
  readonly clients: number;
  /**
   * Connections that have not said their password; one more ends the oldest of the address that has most of them. Where
   * none is needed, those that have asked nothing yet, of which half of `clients` may stand for any time.
   */
  readonly strangers: number;
  /** Such connections from one address; one more ends its oldest. Where no password is needed: no limit. */
  readonly strangersPerAddress: number;
  /** From the connection to the password. */
  readonly handshake: Millis;
  /** Bytes that all clients together may have waiting: requests, and replies that were not read. */
  readonly heldBytes: number;
  /** What all clients together may have done for them in one turn of the event loop; a unit is about a microsecond. */
  readonly turnWork: number;
  /** The same for one client. */
  readonly clientWork: number;
  /** Bytes of replies that are handed to a socket in one piece. */
  readonly pieceBytes: number;
  /** Bytes of answers that may wait for a client before its requests are no longer read. */
  readonly pauseBytes: number;
  /** How long a client may read nothing while answers wait for it; it is told so, and dropped. */
  readonly unread: Millis;
  /** The same while its requests wait, too, or all clients together hold too much. */
  readonly unreadPressed: Millis;
  /** How long a connection that is over is kept for its client to hear why. */
  readonly linger: Millis;
  /** Bytes that are read from it meanwhile, and thrown away. */
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
