/** Splits the rows of a node's streams into pieces of limited size, one per second: `stats` costs the same with any number of streams. */
import type { StatsPart, StreamRow } from "@sluice/client/admin-contract";

export interface StatsPiece {
  readonly streams: readonly StreamRow[];
  readonly part: StatsPart;
}

/** @typeParam Entry  a stream as the node keeps it */
export class StatsRound<Entry> {
  readonly #streams: Iterable<Entry>;
  readonly #rowOf: (entry: Entry) => StreamRow;
  readonly #maxBytes: number;
  #rest: Iterator<Entry> | undefined;

  constructor(options: {
    /** Its iterators tolerate streams added and removed between two steps. */
    readonly streams: Iterable<Entry>;
    readonly rowOf: (entry: Entry) => StreamRow;
    /** Approximate limit of one piece. */
    readonly maxBytes: number;
  }) {
    this.#streams = options.streams;
    this.#rowOf = options.rowOf;
    this.#maxBytes = options.maxBytes;
  }

  /** Begins a round, or continues the present one. */
  next(): StatsPiece {
    const isFirst = this.#rest === undefined;
    const rest = this.#rest ?? this.#streams[Symbol.iterator]();
    const rows: StreamRow[] = [];
    let byteCount = 0;
    while (byteCount < this.#maxBytes) {
      const step = rest.next();
      if (step.done) {
        this.#rest = undefined;
        return { streams: rows, part: isFirst ? "whole" : "end" };
      }
      const row = this.#rowOf(step.value);
      rows.push(row);
      byteCount += bytesOf(row);
    }
    this.#rest = rest;
    return { streams: rows, part: isFirst ? "begin" : "middle" };
  }

  /** No listener is left: the next one receives a round from its beginning. */
  reset(): void {
    this.#rest = undefined;
  }
}

/** A row as JSON without its long texts, which take up to three bytes per character. */
const PLAIN_BYTES = 800;
/** One copy in it, with a way of a few nodes. */
const COPY_BYTES = 240;

function bytesOf({ key, app, publisher, copies }: StreamRow): number {
  return PLAIN_BYTES + COPY_BYTES * copies.length + 3 * (key.length + app.length + (publisher?.agent.length ?? 0));
}
