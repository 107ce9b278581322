/** The replicated state: all caches, leases and remembered answers, changed by operations in the order of the log. */
import type { Millis } from "@sluice/base/brand";
import type { AppliedAt, StateMachine } from "../state-machine.ts";
import type { StateLimits } from "./limits.ts";
import type { CacheName, EntryChange, EntryVersion, LeaseId, Operation, OperationAnswer } from "./operation.ts";

export interface CacheStateOptions {
  readonly limits?: StateLimits;
  /** Seeds the hash of keys, so that nobody can choose keys that collide. An unsigned 32-bit number. */
  readonly hashSeed: number;
}

/** An entry as read; the bytes are copies. */
export interface EntryView {
  readonly value: Uint8Array;
  readonly version: EntryVersion;
  readonly expiresAt: Millis | "never";
  readonly lease: LeaseId | undefined;
}

/** Changes since it was opened, oldest first. */
export interface ChangeReader extends Disposable {
  take(): EntryChange | undefined;
  /** Too many changes waited, or the state was replaced: read everything again. Asking clears it. */
  takeLoss(): boolean;
}

export interface ChangeFilter {
  readonly cache?: CacheName;
  /** Only keys that start so; a `flushed` cache is told all the same. */
  readonly prefix?: Uint8Array;
}

export class CacheState implements StateMachine<OperationAnswer> {
  constructor(options: CacheStateOptions) {
    throw new Error(`Not built yet: ${options.hashSeed}`);
  }

  apply(operation: Uint8Array, at: AppliedAt): OperationAnswer {
    throw new Error(`Not built yet: ${operation.length} ${at.index}`);
  }

  snapshot(): Iterable<Uint8Array> {
    throw new Error("Not built yet");
  }

  restore(pieces: Iterable<Uint8Array>): void {
    throw new Error(`Not built yet: ${String(pieces)}`);
  }

  get snapshotBytes(): number {
    return 0;
  }

  /** Chosen by the founder, in the first operation; 0 before. Names one life of the data. */
  get generation(): number {
    return 0;
  }

  /** @param wall  entries whose time is over by it are not there */
  find(cache: CacheName, key: Uint8Array, wall: Millis): EntryView | undefined {
    throw new Error(`Not built yet: ${cache} ${key.length} ${wall}`);
  }

  /** Keys that start with `prefix`, in no order, with what stands there. */
  entries(cache: CacheName, prefix: Uint8Array, wall: Millis): Iterable<readonly [Uint8Array, EntryView]> {
    throw new Error(`Not built yet: ${cache} ${prefix.length} ${wall}`);
  }

  openChanges(filter: ChangeFilter): ChangeReader {
    throw new Error(`Not built yet: ${filter.cache}`);
  }

  /**
   * What a leader proposes now and then (every 100 ms, and again at once while it answers something): entries and
   * leases that are due, and keys that were read. Empty most of the time. Bounded in size and count.
   */
  takeUpkeep(wall: Millis): readonly Operation[] {
    throw new Error(`Not built yet: ${wall}`);
  }
}
