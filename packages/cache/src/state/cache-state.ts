/** The replicated state: all caches, leases and remembered answers, changed by operations in the order of the log. */
import type { Millis } from "@sluice/base/brand";
import type { AppliedAt, StateMachine } from "../state-machine.ts";
import { applyOperation } from "./apply.ts";
import { ChangeFeed, type ChangeFilter, type ChangeReader } from "./change-feed.ts";
import { type EntryView, entriesOf, viewEntry } from "./entry-view.ts";
import { type Checksum, crc32 } from "./crc32.ts";
import { DEFAULT_STATE_LIMITS, type StateLimits } from "./limits.ts";
import type { NamedCache } from "./named-cache.ts";
import type { CacheName, Operation, OperationAnswer } from "./operation.ts";
import { SnapshotReader } from "./snapshot-reader.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";
import { StateContents } from "./state-contents.ts";
import { upkeepOf } from "./upkeep.ts";

export interface CacheStateOptions {
  readonly limits?: StateLimits;
  /** Seed for hashing keys, so that clients cannot choose colliding keys. An unsigned 32-bit number. */
  readonly hashSeed: number;
  /** CRC-32; default: `crc32.ts`. */
  readonly checksum?: Checksum;
}

/** Blocks of flushed entries freed in one go, in a millisecond or less. */
const SWEPT_AT_ONCE = 16_384;

export class CacheState implements StateMachine<OperationAnswer> {
  readonly #limits: StateLimits;
  readonly #hashSeed: number;
  readonly #changes: ChangeFeed;
  readonly #checksum: Checksum;
  #contents: StateContents;

  constructor({ limits = DEFAULT_STATE_LIMITS, hashSeed, checksum = crc32 }: CacheStateOptions) {
    this.#checksum = checksum;
    this.#limits = limits;
    this.#hashSeed = hashSeed;
    this.#changes = new ChangeFeed(limits.waitingChanges);
    this.#contents = this.#emptyContents();
  }

  apply(operation: Uint8Array, at: AppliedAt): OperationAnswer {
    return applyOperation(this.#contents, operation, at);
  }

  /** If you stop before the last piece, call the iterator's `return`, as `for` does. */
  snapshot(): IterableIterator<Uint8Array> {
    return new SnapshotWriter(this.#contents);
  }

  /** Both states are in memory until the new one is complete. */
  restore(pieces: Iterable<Uint8Array>): void {
    const contents = this.#emptyContents();
    const reader = new SnapshotReader(contents);
    for (const piece of pieces) reader.offer(piece);
    reader.finish();
    this.#contents = contents;
    this.#changes.tellLoss();
  }

  get snapshotBytes(): number {
    let bytes = 0;
    for (const { table } of this.#contents.caches()) bytes += table.usedBytes;
    return bytes;
  }

  /** Identifies one life of the data; 0 before its founder set it. */
  get generation(): number {
    return this.#contents.generation;
  }

  /** Time of the last applied record. */
  get time(): Millis {
    return this.#contents.time;
  }

  /** Bytes of all buffers that hold keys and values. */
  get heldBytes(): number {
    return this.#contents.arena.heldBytes;
  }

  /** Its limits and counts, and reads without copies; undefined before the first write. */
  findCache(name: CacheName): NamedCache | undefined {
    return this.#contents.findCache(name);
  }

  /** In order of creation. */
  caches(): Iterable<NamedCache> {
    return this.#contents.caches();
  }

  /** @param wall  entries expired by this time are not found */
  find(cache: CacheName, key: Uint8Array, wall: Millis): EntryView | undefined {
    const found = this.#contents.findCache(cache);
    const slot = found?.findLive(wall, key) ?? 0;
    return slot === 0 || found === undefined ? undefined : viewEntry(found, slot);
  }

  /** Keys that start with `prefix` with their entries, in no order. Read them before applying anything else. */
  entries(cache: CacheName, prefix: Uint8Array, wall: Millis): Iterable<readonly [Uint8Array, EntryView]> {
    const found = this.#contents.findCache(cache);
    return found === undefined ? [] : entriesOf(found, prefix, wall);
  }

  get work(): number {
    return this.#contents.work;
  }

  get expiredCount(): number {
    return this.#contents.expiredCount;
  }

  get evictedCount(): number {
    return this.#contents.evictedCount;
  }

  /** Frees some flushed entries. @returns whether more are left */
  sweep(): boolean {
    this.#contents.discards.sweep(SWEPT_AT_ONCE);
    return !this.#contents.discards.isEmpty;
  }

  openChanges(filter: ChangeFilter): ChangeReader {
    return this.#changes.open(filter);
  }

  /** Calls `told` whenever the key is written or the state is replaced. */
  onSet(cache: CacheName, key: Uint8Array, told: () => void): Disposable {
    return this.#changes.onSet(cache, key, told);
  }

  /**
   * What a leader proposes periodically (every 100 ms, and again at once while there is something): entries and
   * leases that are due, and keys that were read. Usually empty, limited in count. Due items are returned
   * again until applied; read keys are not.
   */
  takeUpkeep(wall: Millis): readonly Operation[] {
    return upkeepOf(this.#contents, wall);
  }

  #emptyContents(): StateContents {
    return new StateContents({
      limits: this.#limits,
      hashSeed: this.#hashSeed,
      changes: this.#changes,
      checksum: this.#checksum,
    });
  }
}
