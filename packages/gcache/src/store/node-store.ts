/** The disk as a cache node uses it; implemented by lmdb, and by memory for data that may end with the process. */
import type { LogIndex } from "@sluice/cache/ids";
import type { LogRecord, SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { StoredState } from "@sluice/cache/replica/replica-options";
import type { HardState } from "@sluice/cache/replica/replica-output";

/** Owner of the store. */
export interface StoreIdentity {
  readonly member: string;
  /** 16 bytes, chosen when the store was created. */
  readonly storeId: Uint8Array;
  /** 32 bytes; all zero while the member has no cluster. */
  readonly clusterId: Uint8Array;
}

/** Content of one `store` output of the replica. */
export interface StoreBatch {
  readonly hardState: HardState | undefined;
  readonly truncateFrom: LogIndex | undefined;
  readonly append: readonly LogRecord[];
}

/** Calls take effect in order. Any may throw, or reject with, a `StoreIoError`: nothing is written afterwards. */
export interface NodeStore extends AsyncDisposable {
  readonly identity: StoreIdentity;
  /** The content when the store was opened. */
  readonly stored: StoredState;
  /**
   * When it returns, the batch survives the end of this process.
   * @returns for `synced`, and behind a snapshot being installed, a promise that resolves once it survives a loss of power
   */
  write(batch: StoreBatch, until: "written" | "synced"): Promise<void> | undefined;
  /** Index of the last record that survives a loss of power; 0 if none does. */
  readonly syncedIndex: number;
  /** Records up to and including `upTo` may be deleted. */
  compact(upTo: LogIndex): void;
  /** Synced when it resolves; writes continue meanwhile. */
  saveSnapshot(meta: SnapshotMeta, pieces: Iterable<Uint8Array>): Promise<void>;
  /** Replaces snapshot and log. Synced when it resolves. */
  installSnapshot(meta: SnapshotMeta, pieces: readonly Uint8Array[]): Promise<void>;
  joinCluster(clusterId: Uint8Array): Promise<void>;
  /** Everything that may have been lost (`stored.tail`) is stored again; until then every start reports the loss. */
  settled(): void;
  /** Store ids of the other members, in hex, as first seen. */
  readonly pins: ReadonlyMap<string, string>;
  setPins(pins: ReadonlyMap<string, string>): void;
  /** May be called twice. */
  close(): Promise<void>;
}
