/** A run of batches, each after its length: the same bytes for the journal and the database. */
import type { StoreBatch } from "./node-store.ts";
import { bytesOfBatch, writeBatch } from "./store-batch.ts";

/** Before each batch: its length, u32. */
export const LENGTH_BYTES = 4;
/** Follows the last batch of a file, in place of the next length. */
export const END_BYTES = LENGTH_BYTES;
/** One buffer for many batches: allocating one for each would cost more than encoding. */
const SLAB_BYTES = 256 * 1024;

/** Consecutive batches in one buffer, including their lengths. */
export interface BatchRun {
  readonly bytes: Buffer;
  readonly start: number;
  end: number;
}

export class BatchSlab {
  #bytes = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  /** @returns a run of one batch and an end mark, which the next batch overwrites; otherwise it never changes */
  add(batch: StoreBatch, sequence: number): BatchRun {
    const length = bytesOfBatch(batch);
    const start = this.#makeRoom(LENGTH_BYTES + length + END_BYTES);
    this.#view.setUint32(start, length);
    writeBatch(this.#view, this.#bytes, { at: start + LENGTH_BYTES, batch, sequence });
    this.#end = start + LENGTH_BYTES + length;
    this.#view.setUint32(this.#end, 0);
    return { bytes: this.#bytes, start, end: this.#end };
  }

  #makeRoom(byteCount: number): number {
    if (this.#end + byteCount <= this.#bytes.length) return this.#end;
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, byteCount));
    this.#view = new DataView(this.#bytes.buffer);
    return 0;
  }
}

/** Appends a run, oldest first; a run adjacent to the last one is merged into it. */
export function addRun(runs: BatchRun[], run: BatchRun): void {
  const last = runs.at(-1);
  if (last?.bytes === run.bytes && last.end === run.start) last.end = run.end;
  else runs.push(run);
}

/** All runs as one value of the database; a view if there is only one. */
export function joinRuns(runs: readonly BatchRun[]): Buffer {
  const parts = runs.map(({ bytes, start, end }) => bytes.subarray(start, end));
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
}
