/** A store without a disk: its content ends with the process. */
import { randomBytes } from "node:crypto";
import { NOTHING_STORED } from "@sluice/cache/replica/replica-options";
import type { NodeStore } from "./node-store.ts";

const WRITTEN = Promise.resolve();

export function openMemoryStore(options: { readonly member: string; readonly clusterId: Uint8Array }): NodeStore {
  const storeId = randomBytes(16);
  let { clusterId } = options;
  let pins: ReadonlyMap<string, string> = new Map();
  return {
    stored: NOTHING_STORED,
    syncedIndex: 0,
    get identity() {
      return { member: options.member, storeId, clusterId };
    },
    get pins() {
      return pins;
    },
    setPins(changed) {
      pins = changed;
    },
    settled() {},
    write: () => undefined,
    compact() {},
    async saveSnapshot(_meta, pieces) {
      for (const piece of pieces) void piece; // read completely, so that the state can release the snapshot
    },
    installSnapshot: () => WRITTEN,
    joinCluster(id) {
      clusterId = id;
      return WRITTEN;
    },
    close: () => WRITTEN,
    [Symbol.asyncDispose]: () => WRITTEN,
  };
}
