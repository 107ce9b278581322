/** One track's clock within a publication: how its stamps are read, and what is known while they are in doubt. */
import type { Millis } from "@sluice/base/brand";
import { serialAdd, serialDistance } from "@sluice/base/serial-number";
import type { Timestamp } from "./frame.ts";

/** A step back, or ahead beyond the time that passed, below which it is jitter; from here on the frame is in doubt. */
export const STEP = 1_000 as Millis;

/** Frames in a row that must agree on a new clock: one may be wrong, and two may be one picture in two messages. */
const EVIDENCE = 3;

/** After so many in doubt in a row without agreement the track has no clock; it continues from the last of them. */
const LONGEST_DOUBT = 12;

/** Frames that do not fit the track's clock, and the clock they would fit. */
export interface Doubt {
  readonly offset: number;
  /** Where that clock last stood, and when. */
  readonly at: Timestamp;
  readonly now: Millis;
  /** Frames that agree on it. */
  readonly agreeing: number;
  /** Frames in doubt in a row, these included. */
  readonly frames: number;
}

export class TrackClock {
  /** Furthest place handed out. Outlives publications. */
  last: Timestamp | undefined;
  /** Of its last set-up while the line has not begun, as it was stamped. */
  untimed: Timestamp | undefined;
  /** Added to its stamps, modulo 2³²; `undefined` before its first coded frame of the publication. */
  offset: number | undefined;
  /** Where its clock last stood; `last` may be ahead of it after a frame that was. */
  at = 0 as Timestamp;
  doubt: Doubt | undefined;
  /** Since when it has been far behind the other tracks. */
  apartSince: Millis | undefined;

  startPublication(): void {
    this.offset = undefined;
    this.doubt = undefined;
    this.apartSince = undefined;
  }

  /** The stamp is of this clock, and what was in doubt is over. @returns where the clock stands */
  accept(timestamp: number, offset: number): Timestamp {
    this.offset = offset;
    this.at = on(timestamp, offset);
    this.doubt = undefined;
    return this.at;
  }

  /** Whether the stamp is about where this track's clock stands. */
  agreesWith(timestamp: number): boolean {
    return this.offset !== undefined && Math.abs(serialDistance(this.at, on(timestamp, this.offset))) < STEP;
  }

  /**
   * @param guess  the clock that the stamp would fit, were it the first of it
   * @returns the clock once there is evidence for it
   */
  addDoubt(timestamp: number, guess: number, now: Millis): "in-doubt" | "no-clock" | { readonly offset: number } {
    const before = this.doubt;
    const agrees = before !== undefined && goesOn(before, timestamp, now);
    const offset = agrees ? before.offset : guess;
    const agreeing = agrees ? before.agreeing + 1 : 1;
    const frames = (before?.frames ?? 0) + 1;
    this.doubt = { offset, at: on(timestamp, offset), now, agreeing, frames };
    if (agreeing >= EVIDENCE) return { offset };
    return frames >= LONGEST_DOUBT ? "no-clock" : "in-doubt";
  }

  /** Hands out a place, or the furthest one so far where that lies ahead. */
  advance(to: Timestamp): Timestamp {
    if (this.last === undefined || serialDistance(this.last, to) > 0) this.last = to;
    return this.last;
  }
}

function goesOn(doubt: Doubt, timestamp: number, now: Millis): boolean {
  const step = serialDistance(doubt.at, on(timestamp, doubt.offset));
  return step > -STEP && step <= STEP + (now - doubt.now);
}

/** Where a stamp lies by an offset. */
export function on(timestamp: number, offset: number): Timestamp {
  return serialAdd(timestamp, offset) as Timestamp;
}
