/** Notices a player that takes bytes but does not keep up, by its Acknowledgements: kernel buffers hide up to a minute of it. */
import type { Millis } from "@sluice/base/brand";

export interface AckLagLimits {
  /** What the peer was told to acknowledge after, in bytes. */
  readonly windowAckSize: number;
  /** Bytes that may be unacknowledged beyond that window. */
  readonly maxBytes: number;
  /** How long an acknowledgement that is due may stay away. */
  readonly stallTimeout: Millis;
}

export type AckVerdict = "keeps-up" | "too-far-behind" | "stands-still";

/** Peers that do not acknowledge, or whose counts make no sense, are left to their sockets. */
export class AckLag {
  readonly #limits: AckLagLimits;
  #acknowledged = 0;
  /** Times the count has grown: one alone may be a habit of the opening dialogue. */
  #growths = 0;
  /** Since when the peer owes an acknowledgement; `undefined` while it owes none. */
  #owingSince: Millis | undefined;

  constructor(limits: AckLagLimits) {
    this.#limits = limits;
  }

  /** @param socket  asked for what was written so far only where the peer acknowledges  @param acknowledged  as it last said */
  judge(socket: { readonly bytesWritten: number }, acknowledged: number, now: Millis): AckVerdict {
    const { windowAckSize, maxBytes, stallTimeout } = this.#limits;
    const hasGrown = acknowledged > this.#acknowledged;
    this.#acknowledged = acknowledged;
    if (hasGrown) this.#growths++;
    const unacknowledged = this.#growths < 2 ? 0 : socket.bytesWritten - acknowledged;
    if (unacknowledged <= windowAckSize) {
      this.#owingSince = undefined;
      return "keeps-up";
    }
    if (unacknowledged > windowAckSize + maxBytes) return "too-far-behind";
    if (hasGrown || this.#owingSince === undefined) this.#owingSince = now;
    return now - this.#owingSince > stallTimeout ? "stands-still" : "keeps-up";
  }
}
