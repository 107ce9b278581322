/** The part of the log in memory: records without gaps, and the place before the first. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "../ids.ts";
import type { LogRecord } from "./log-record.ts";

/** Approximate memory of a record besides its body: its object, its view, its place in the list. */
const RECORD_OVERHEAD_BYTES = 200;

export interface LogPlace {
  readonly index: LogIndex;
  readonly term: Term;
  readonly time: Millis;
}

export const LOG_START: LogPlace = { index: 0 as LogIndex, term: 0 as Term, time: 0 as Millis };

export class LogWindow {
  /** Of the record before the first one here. */
  #base: LogPlace;
  #records: LogRecord[] = [];
  #byteCount = 0;

  constructor(base: LogPlace) {
    this.#base = base;
  }

  get baseIndex(): LogIndex {
    return this.#base.index;
  }

  get lastIndex(): LogIndex {
    return (this.#base.index + this.#records.length) as LogIndex;
  }

  get last(): LogPlace {
    return this.#records.at(-1) ?? this.#base;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  /** `undefined` outside the window. */
  termAt(index: LogIndex): Term | undefined {
    return index === this.#base.index ? this.#base.term : this.at(index)?.term;
  }

  /** @param index  in the window, or the one before it */
  placeAt(index: LogIndex): LogPlace {
    return this.at(index) ?? this.#base;
  }

  at(index: LogIndex): LogRecord | undefined {
    return this.#records[index - this.#base.index - 1];
  }

  /** @param record  with the next index */
  append(record: LogRecord): void {
    this.#records.push(record);
    this.#byteCount += weightOf(record);
  }

  /** Removes the record at `index` and all later ones. @returns how many */
  truncateFrom(index: LogIndex): number {
    const gone = this.#records.splice(Math.max(0, index - this.#base.index - 1));
    for (const record of gone) this.#byteCount -= weightOf(record);
    return gone.length;
  }

  /** Drops all records up to and including `index`, which must be in the window. */
  compact(index: LogIndex): void {
    const last = this.at(index);
    if (last === undefined) return;
    const count = index - this.#base.index;
    this.#base = placeOf(last);
    if (count === this.#records.length) {
      this.#records = [];
      this.#byteCount = 0;
    } else for (const record of this.#records.splice(0, count)) this.#byteCount -= weightOf(record);
  }

  /** Records from `from` on, within both limits; the first is returned whatever its size. */
  take(from: LogIndex, limits: { readonly records: number; readonly bytes: number }): LogRecord[] {
    const start = from - this.#base.index - 1;
    const end = Math.min(this.#records.length, start + limits.records);
    let byteCount = 0;
    let at = start;
    for (; at < end; at++) {
      byteCount += (this.#records[at] as LogRecord).body.length;
      if (byteCount > limits.bytes && at > start) break;
    }
    return this.#records.slice(start, at);
  }

  /** The highest index that may be dropped if `keptBytes` of records before `index` must stay. */
  compactionPoint(index: LogIndex, keptBytes: number): LogIndex {
    let kept = 0;
    let at: LogIndex = index;
    for (; at > this.#base.index; at = (at - 1) as LogIndex) {
      kept += weightOf(this.at(at) as LogRecord);
      if (kept > keptBytes) break;
    }
    return at;
  }

  /** The first index of the run of records that have the term of the one at `index`. */
  firstOfTermAt(index: LogIndex): LogIndex {
    const term = this.termAt(index);
    let at: LogIndex = index;
    while (at > this.#base.index + 1 && this.termAt((at - 1) as LogIndex) === term) at = (at - 1) as LogIndex;
    return at;
  }
}

export function weightOf(record: LogRecord): number {
  return record.body.length + RECORD_OVERHEAD_BYTES;
}

export function placeOf({ index, term, time }: LogPlace): LogPlace {
  return { index, term, time };
}
