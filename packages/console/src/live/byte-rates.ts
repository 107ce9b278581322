// Rates of rows that have only byte counts: from the difference of two answers.

interface Counted {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export type Rated<Row> = Row & {
  /** Bits per second between the last two answers; 0 in the first. */
  readonly inRate: number;
  readonly outRate: number;
};

/** Answers closer together would give only jitter. */
const LEAST_SECONDS = 0.5;

export class ByteRates<Row extends Counted> {
  readonly #keyOf: (row: Row) => string;
  #before = new Map<string, Rated<Row>>();
  #answered = 0;

  /** @param keyOf  what tells rows of the same counters apart from others */
  constructor(keyOf: (row: Row) => string) {
    this.#keyOf = keyOf;
  }

  /** @param now  milliseconds of a clock that only grows */
  take(rows: readonly Row[], now: number): readonly Rated<Row>[] {
    const seconds = (now - this.#answered) / 1000;
    const isTooSoon = seconds < LEAST_SECONDS;
    if (!isTooSoon) this.#answered = now;
    const ratedRows = rows.map((row) => rated(row, this.#before.get(this.#keyOf(row)), isTooSoon ? 0 : seconds));
    this.#before = new Map(ratedRows.map((row) => [this.#keyOf(row), row]));
    return ratedRows;
  }
}

function rated<Row extends Counted>(row: Row, before: Rated<Row> | undefined, seconds: number): Rated<Row> {
  if (!before) return { ...row, inRate: 0, outRate: 0 };
  const { bytesIn, bytesOut, inRate, outRate } = before;
  // Too soon for a rate: keeps the old one, and the counters for the next.
  if (seconds === 0) return { ...row, bytesIn, bytesOut, inRate, outRate };
  // Counters that decreased belong to a later link or session.
  const rate = (now: number, then: number) => (Math.max(0, now - then) * 8) / seconds;
  return { ...row, inRate: rate(row.bytesIn, bytesIn), outRate: rate(row.bytesOut, bytesOut) };
}
