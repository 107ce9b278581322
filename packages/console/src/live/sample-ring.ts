// The last minutes of a few numbers, in the column form that uPlot draws.

export type Column = (number | null)[];

export class SampleRing {
  /** Seconds since 1970, ascending. */
  readonly times: number[] = [];
  readonly columns: readonly Column[];
  readonly #capacity: number;

  constructor(options: { readonly columnCount: number; readonly capacity: number }) {
    this.columns = Array.from({ length: options.columnCount }, () => []);
    this.#capacity = options.capacity;
  }

  /** A sample not later than the last one is ignored; one much later leaves a visible gap. */
  push(time: number, values: readonly number[]): void {
    const last = this.times.at(-1);
    if (last !== undefined && time <= last) return;
    if (last !== undefined && time - last > GAP_SECONDS)
      this.#append(
        last + 1,
        this.columns.map(() => null),
      );
    this.#append(time, values);
  }

  #append(time: number, values: readonly (number | null)[]): void {
    this.times.push(time);
    this.columns.forEach((column, index) => column.push(values[index] ?? null));
    if (this.times.length <= this.#capacity) return;
    this.times.shift();
    for (const column of this.columns) column.shift();
  }
}

/** Samples come every second; a pause longer than this is drawn as a break in the line. */
const GAP_SECONDS = 4;
