/** The disk as a cache node sees it; filled by lmdb, and by plain memory where nothing need outlive the process. */
import type { LogIndex } from "@sluice/cache/ids";
import type { LogRecord, SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { StoredState } from "@sluice/cache/replica/replica-options";
import type { HardState } from "@sluice/cache/replica/replica-output";

/** Who this store belongs to. */
export interface StoreIdentity {
  readonly member: string;
  /** 16 bytes, chosen when the store was made. */
  readonly storeId: Uint8Array;
  /** 32 bytes; all zero while the member belongs to no cluster. */
  readonly clusterId: Uint8Array;
}

/** What one `store` output of the replica asks for. */
export interface StoreBatch {
  readonly hardState: HardState | undefined;
  readonly truncateFrom: LogIndex | undefined;
  readonly append: readonly LogRecord[];
}

/** Calls take effect in their order. Any of them may throw, or reject with, a `StoreIoError`: nothing is written afterwards. */
export interface NodeStore extends AsyncDisposable {
  readonly identity: StoreIdentity;
  /** What was there when it was opened. */
  readonly stored: StoredState;
  /**
   * When it returns, the batch outlives the end of this process.
   * @returns for `synced`, and behind a snapshot that is being installed, a promise of the time when it outlives a loss of power
   */
  write(batch: StoreBatch, until: "written" | "synced"): Promise<void> | undefined;
  /** Index of the last record that would outlive a loss of power; 0 where none would. */
  readonly syncedIndex: number;
  /** Records up to and including `upTo` may go. */
  compact(upTo: LogIndex): void;
  /** Synced when it resolves; writes go on meanwhile. */
  saveSnapshot(meta: SnapshotMeta, pieces: Iterable<Uint8Array>): Promise<void>;
  /** Replaces snapshot and log. Synced when it resolves. */
  installSnapshot(meta: SnapshotMeta, pieces: readonly Uint8Array[]): Promise<void>;
  joinCluster(clusterId: Uint8Array): Promise<void>;
  /** The member holds again all that it may have lost (`stored.tail`); until then every start says so anew. */
  settled(): void;
  /** Store ids of the other members, in hex, as they were first met. */
  readonly pins: ReadonlyMap<string, string>;
  setPins(pins: ReadonlyMap<string, string>): void;
  /** May be called twice. */
  close(): Promise<void>;
}
