/** Sends one snapshot to one follower: takes pieces from the state, and sends ahead of confirmations. */
import type { Millis } from "@sluice/base/brand";
import type { ReplicaLimits } from "./limits.ts";
import type { SnapshotMeta } from "./log-record.ts";

export interface SnapshotParcel {
  readonly part: number;
  readonly isLast: boolean;
  readonly pieces: readonly Uint8Array[];
}

/** A follower that lost confirmed parts needs the transfer from the start. */
const MAX_RETRIES = 2;

export class SnapshotSender {
  readonly transfer: number;
  readonly meta: SnapshotMeta;
  readonly #limits: ReplicaLimits;
  readonly #pieces: Iterator<Uint8Array>;
  #ahead: IteratorResult<Uint8Array> | undefined;
  /** Sent and not confirmed, oldest first. */
  #unconfirmed: SnapshotParcel[] = [];
  /** How many of those are to be sent (again). */
  #unsent = 0;
  #nextPart = 0;
  #progressAt: Millis;
  #retryCount = 0;
  #isRefused = false;

  constructor(options: {
    readonly transfer: number;
    readonly meta: SnapshotMeta;
    readonly pieces: Iterable<Uint8Array>;
    readonly limits: ReplicaLimits;
    readonly now: Millis;
  }) {
    this.transfer = options.transfer;
    this.meta = options.meta;
    this.#pieces = options.pieces[Symbol.iterator]();
    this.#limits = options.limits;
    this.#progressAt = options.now;
  }

  /** The next part to send; `undefined` while enough are in flight, or all were sent. */
  next(): SnapshotParcel | undefined {
    if (this.#unsent > 0) return this.#unconfirmed.at(-this.#unsent--);
    if (this.#isRefused) return undefined;
    if (this.#unconfirmed.length >= this.#limits.snapshotMessagesInFlight || this.#isAtEnd) return undefined;
    const parcel = this.#pack();
    this.#unconfirmed.push(parcel);
    return parcel;
  }

  /** The follower has all parts before `nextPart`. */
  confirmed(nextPart: number, now: Millis): void {
    const done = this.#unconfirmed.filter((parcel) => parcel.part < nextPart).length;
    if (done === 0) return;
    this.#unconfirmed.splice(0, done);
    this.#unsent = Math.min(this.#unsent, this.#unconfirmed.length);
    this.#progressAt = now;
    this.#retryCount = 0;
  }

  /** The follower cannot use it: another transfer begins after the wait of `tick`. */
  refused(now: Millis): void {
    this.#unconfirmed = [];
    this.#unsent = 0;
    this.#isRefused = true;
    this.#progressAt = now;
  }

  /** Resends what was not confirmed for `retry`. @returns `stuck` if resending did not help: begin anew */
  tick(now: Millis, retry: Millis): "going-on" | "stuck" {
    if (now - this.#progressAt < retry) return "going-on";
    this.#progressAt = now;
    this.#unsent = this.#unconfirmed.length;
    this.#retryCount++;
    return this.#isRefused || this.#retryCount > MAX_RETRIES ? "stuck" : "going-on";
  }

  get #isAtEnd(): boolean {
    return this.#ahead?.done === true && this.#nextPart > 0;
  }

  #pack(): SnapshotParcel {
    const pieces: Uint8Array[] = [];
    let byteCount = 0;
    this.#ahead ??= this.#pieces.next();
    while (this.#ahead.done !== true) {
      byteCount += this.#ahead.value.length;
      if (byteCount > this.#limits.snapshotMessageBytes && pieces.length > 0) break;
      pieces.push(this.#ahead.value);
      this.#ahead = this.#pieces.next();
    }
    return { part: this.#nextPart++, isLast: this.#ahead.done === true, pieces };
  }
}
