/** A store whose contents outlive the node that wrote them, as a disk does: for nodes that are killed and started again. */
import { randomBytes } from "node:crypto";
import type { LogRecord, SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { HardState } from "@sluice/cache/replica/replica-output";
import type { NodeStore } from "@sluice/gcache/store/node-store";

/** Everything on it is synced as it is written. */
export class KeptDisk {
  readonly storeId: Uint8Array;
  clusterId = new Uint8Array(32);
  hardState: HardState | undefined;
  snapshot: { readonly meta: SnapshotMeta; readonly pieces: readonly Uint8Array[] } | undefined;
  log: LogRecord[] = [];
  pins: ReadonlyMap<string, string> = new Map();
  isClosed = false;

  /** @param storeId  16 bytes, as random as can be where they are left out */
  constructor(storeId = new Uint8Array(randomBytes(16))) {
    this.storeId = storeId;
  }

  /** For the next life of its member; what the last one writes from now on is lost. */
  open(member: string): NodeStore {
    this.isClosed = false;
    return openStore(this, member);
  }
}

function openStore(disk: KeptDisk, member: string): NodeStore {
  let isOpen = true;
  const write = (action: () => void): void => {
    if (isOpen && !disk.isClosed) action();
  };
  return {
    stored: { hardState: disk.hardState, snapshot: disk.snapshot, log: [...disk.log], tail: "complete" },
    get syncedIndex() {
      return disk.log.at(-1)?.index ?? 0;
    },
    get identity() {
      return { member, storeId: disk.storeId, clusterId: disk.clusterId };
    },
    get pins() {
      return disk.pins;
    },
    setPins: (pins) => write(() => (disk.pins = pins)),
    settled() {},
    write(batch) {
      write(() => {
        if (batch.hardState !== undefined) disk.hardState = batch.hardState;
        const from = batch.truncateFrom;
        if (from !== undefined) disk.log = disk.log.filter((record) => record.index < from);
        // A record is a view of bytes that others use again.
        disk.log.push(...batch.append.map((record) => ({ ...record, body: new Uint8Array(record.body) })));
      });
      return undefined;
    },
    compact: (upTo) => write(() => (disk.log = disk.log.filter((record) => record.index > upTo))),
    async saveSnapshot(meta, pieces) {
      const kept = Array.from(pieces, (piece) => new Uint8Array(piece));
      write(() => (disk.snapshot = { meta, pieces: kept }));
    },
    async installSnapshot(meta, pieces) {
      const kept = pieces.map((piece) => new Uint8Array(piece));
      write(() => {
        disk.snapshot = { meta, pieces: kept };
        disk.log = [];
      });
    },
    async joinCluster(clusterId) {
      write(() => (disk.clusterId = new Uint8Array(clusterId)));
    },
    async close() {
      isOpen = false;
    },
    async [Symbol.asyncDispose]() {
      isOpen = false;
    },
  };
}
