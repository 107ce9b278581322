/** The whole present state in frames, produced one by one while the state continues to change. */
import { ByteWriter } from "@sluice/bytes/byte-writer";
import type { Checksum } from "./crc32.ts";
import { SnapshotEndedError } from "./errors.ts";
import { FrozenCache } from "./frozen-cache.ts";
import type { Pin, Pins } from "./pins.ts";
import {
  RECORD,
  writeCache,
  writeEntry,
  writeHead,
  writeLease,
  writeMark,
  writeRemembered,
} from "./snapshot-records.ts";
import type { StateContents } from "./state-contents.ts";

/** Room for length and checksum in front of a frame. */
export const FRAME_HEAD_BYTES = 8;

/**
 * Each piece is one frame: u32 length, u32 CRC-32 of the rest, records. To stop early call `return`, as a
 * `for` loop does; until then the blocks of the snapshot stay, at most as many bytes as the state had.
 */
export class SnapshotWriter implements IterableIterator<Uint8Array> {
  readonly #pins: Pins;
  readonly #pin: Pin;
  readonly #openSnapshots: number;
  readonly #pieces: Iterator<Uint8Array, void>;
  #isOver = false;

  constructor(contents: StateContents) {
    this.#pins = contents.pins;
    this.#openSnapshots = contents.limits.openSnapshots;
    this.#pin = contents.pins.open(contents.index);
    this.#pieces = framesOf(contents, freeze(contents));
  }

  /** @throws {SnapshotEndedError} when too many later snapshots were begun */
  next(): IteratorResult<Uint8Array, undefined> {
    if (this.#isOver) return { done: true, value: undefined };
    if (!this.#pin.isOpen) throw new SnapshotEndedError({ openSnapshots: this.#openSnapshots });
    const result = this.#pieces.next();
    return result.done === true ? this.return() : result;
  }

  return(): IteratorResult<Uint8Array, undefined> {
    this.#isOver = true;
    this.#pins.close(this.#pin);
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

interface Frozen {
  /** Everything but the caches: small, so written at once. */
  readonly first: ByteWriter;
  readonly caches: readonly FrozenCache[];
}

function freeze(contents: StateContents): Frozen {
  const first = startFrame(1_024);
  writeHead(first, contents);
  for (const lease of contents.leases.rows()) writeLease(first, lease);
  for (const answer of contents.answers.answers()) writeRemembered(first, answer);
  for (const mark of contents.answers.marks()) writeMark(first, mark);
  return { first, caches: [...contents.caches()].map((cache) => new FrozenCache(cache, contents.arena)) };
}

function* framesOf({ limits, checksum }: StateContents, { first, caches }: Frozen): Generator<Uint8Array, void> {
  let w = first;
  let entryCount = 0;
  for (const cache of caches) {
    writeCache(w, cache.name, cache.limits);
    for (const entry of cache.entries()) {
      if (w.length + entry.block.length > limits.snapshotPieceBytes) {
        yield sealFrame(w, checksum);
        w = startFrame(limits.snapshotPieceBytes);
      }
      writeEntry(w, entry.block, entry);
    }
    entryCount += cache.count;
  }
  w.u8(RECORD.end).f64(entryCount);
  yield sealFrame(w, checksum);
}

function startFrame(capacity: number): ByteWriter {
  return new ByteWriter(capacity + 64).u32(0).u32(0);
}

function sealFrame(w: ByteWriter, checksum: Checksum): Uint8Array {
  const frame = w.finish();
  const body = frame.subarray(FRAME_HEAD_BYTES);
  const head = new ByteWriter(FRAME_HEAD_BYTES).u32(body.length).u32(checksum(body)).finish();
  frame.set(head);
  return frame;
}
