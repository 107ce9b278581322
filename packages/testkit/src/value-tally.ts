/** Counts, for the operations not yet placed, which values they need and may write. */
import type { RegisterOperation, RegisterValue } from "./history.ts";
import { neededValue, writtenValue } from "./register.ts";

export class ValueTally {
  readonly #needers = new Map<RegisterValue, number>();
  readonly #writers = new Map<RegisterValue, number>();

  constructor(operations: readonly RegisterOperation[]) {
    for (const operation of operations) this.add(operation);
  }

  add(operation: RegisterOperation): void {
    this.#change(operation, 1);
  }

  remove(operation: RegisterOperation): void {
    this.#change(operation, -1);
  }

  /** A remaining operation needs it, and none can write it again: it must not be overwritten. */
  isStillNeeded(value: RegisterValue): boolean {
    return (this.#needers.get(value) ?? 0) > 0 && (this.#writers.get(value) ?? 0) === 0;
  }

  #change(operation: RegisterOperation, by: number): void {
    const needed = neededValue(operation);
    if (needed !== undefined) this.#needers.set(needed, (this.#needers.get(needed) ?? 0) + by);
    const written = writtenValue(operation);
    if (written !== undefined) this.#writers.set(written, (this.#writers.get(written) ?? 0) + by);
  }
}
