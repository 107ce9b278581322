/** What a simulated member keeps when its process or its power goes. */
import type { LogRecord, SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { HardState, ReplicaOutput } from "@sluice/cache/replica/replica-output";

export interface Kept {
  readonly hardState: HardState | undefined;
  readonly snapshot: { readonly meta: SnapshotMeta; readonly pieces: readonly Uint8Array[] } | undefined;
  readonly log: readonly LogRecord[];
}

export type DiskOutput = Extract<
  ReplicaOutput<unknown>,
  { type: "store" | "install-snapshot" | "save-snapshot" | "compact" }
>;

const NOTHING: Kept = { hardState: undefined, snapshot: undefined, log: [] };

export class ClusterDisk {
  /** Outlives the process. */
  #written = NOTHING;
  /** Outlives the power. */
  #synced = NOTHING;
  /** Says that it has synced, and has not. */
  readonly #isLying: boolean;

  constructor(isLying: boolean) {
    this.#isLying = isLying;
  }

  get kept(): Kept {
    return this.#written;
  }

  perform(output: DiskOutput): void {
    this.#written = changed(this.#written, output);
    const isSynced = output.type !== "store" || output.isSync;
    if (isSynced && !this.#isLying) this.#synced = this.#written;
  }

  losePower(): void {
    this.#written = this.#synced;
  }
}

function changed(kept: Kept, output: DiskOutput): Kept {
  switch (output.type) {
    case "store": {
      const { truncateFrom = Number.POSITIVE_INFINITY, append, hardState = kept.hardState } = output;
      const log = kept.log.filter((record) => record.index < truncateFrom);
      return { ...kept, hardState, log: [...log, ...append] };
    }
    case "compact":
      return { ...kept, log: kept.log.filter((record) => record.index > output.upTo) };
    case "save-snapshot":
      return { ...kept, snapshot: { meta: output.meta, pieces: copied(output.pieces) } };
    case "install-snapshot":
      return { ...kept, snapshot: { meta: output.meta, pieces: copied(output.pieces) }, log: [] };
  }
}

function copied(pieces: Iterable<Uint8Array>): Uint8Array[] {
  return Array.from(pieces, (piece) => piece.slice());
}
