/** Applies a batch: all of it, or nothing. */
import type { Millis } from "@sluice/base/brand";
import type { AppliedAt } from "../state-machine.ts";
import { conditionHolds, editEntry, refusalOf } from "./entry-edits.ts";
import type { NamedCache } from "./named-cache.ts";
import type { BatchOperation, CacheName, EntryOperation, EntryVersion, LeaseId, OperationAnswer } from "./operation.ts";
import type { StateContents } from "./state-contents.ts";

/** Does not evict: the caller does. Never throws. */
export function editBatch(contents: StateContents, batch: BatchOperation, at: AppliedAt): OperationAnswer {
  if (!isWellFormed(contents, batch)) return { type: "refused", reason: "bad-operation" };
  for (const { cache, key, when } of batch.conditions) {
    const version = versionOf(contents, cache, key, at.time);
    if (!conditionHolds(when, version)) return { type: "kept", version };
  }
  for (const operation of batch.operations) {
    const refusal =
      contents.cacheFor(operation.cache) === undefined ? "too-many-caches" : refusalOf(contents, operation);
    if (refusal !== undefined) return { type: "refused", reason: refusal };
  }
  return batch.operations.some(mayFailLate) ? editWithUndo(contents, batch, at) : editAll(contents, batch, at);
}

function isWellFormed({ limits }: StateContents, { conditions, operations }: BatchOperation): boolean {
  if (conditions.length + operations.length > limits.operationParts) return false;
  return !(operations.some(mayFailLate) && operations.some(({ type }) => type === "flush"));
}

/** Depends on the present value, which earlier operations of the batch may change. */
function mayFailLate({ type }: EntryOperation): boolean {
  return type === "increment" || type === "increment-float" || type === "append";
}

function versionOf(contents: StateContents, name: CacheName, key: Uint8Array, time: Millis): EntryVersion | 0 {
  const cache = contents.findCache(name);
  const slot = cache?.findLive(time, key) ?? 0;
  return slot === 0 || cache === undefined ? 0 : (cache.table.slots.version[slot] as EntryVersion);
}

function editAll(contents: StateContents, { operations }: BatchOperation, at: AppliedAt): OperationAnswer {
  const answers: OperationAnswer[] = [];
  for (const operation of operations) {
    const answer = editEntry(contents, operation, at);
    if (answer.type === "refused") return answer;
    answers.push(answer);
  }
  return { type: "batch", version: at.index as number as EntryVersion, answers };
}

function editWithUndo(contents: StateContents, batch: BatchOperation, at: AppliedAt): OperationAnswer {
  const before = batch.operations.flatMap((operation) => imagesOf(contents, operation));
  contents.changes.hold();
  const answer = editAll(contents, batch, at);
  if (answer.type === "refused") for (const image of before.reverse()) putBack(image, at);
  contents.changes.release(answer.type === "refused" ? "drop" : "tell");
  return answer;
}

/** One entry as it was before the batch. */
interface Image {
  readonly cache: NamedCache;
  readonly key: Uint8Array;
  readonly entry:
    | {
        readonly value: Uint8Array;
        readonly version: EntryVersion;
        readonly expiresAt: Millis;
        readonly lease: LeaseId | undefined;
      }
    | undefined;
}

function imagesOf(contents: StateContents, operation: EntryOperation): Image[] {
  const cache = contents.cacheFor(operation.cache);
  if (cache === undefined || operation.type === "flush") return [];
  return keysOf(operation).map((key) => ({ cache, key, entry: entryOf(cache, key) }));
}

function keysOf(operation: Exclude<EntryOperation, { readonly type: "flush" }>): readonly Uint8Array[] {
  return operation.type === "delete" ? operation.keys : [operation.key];
}

function entryOf(cache: NamedCache, key: Uint8Array): Image["entry"] {
  const { table } = cache;
  const slot = table.find(key);
  if (slot === 0) return undefined;
  return {
    value: table.valueView(slot).slice(),
    version: table.slots.version[slot] as EntryVersion,
    expiresAt: table.slots.expiresAt[slot] as Millis,
    lease: cache.leaseOf(slot),
  };
}

function putBack({ cache, key, entry }: Image, at: AppliedAt): void {
  const slot = cache.table.find(key);
  if (entry === undefined) {
    if (slot !== 0) cache.drop(slot, "deleted", at.index as number as EntryVersion);
    return;
  }
  const restored = cache.put(slot, key, entry.value, entry.version);
  cache.setExpiry(restored, entry.expiresAt === 0 ? "never" : entry.expiresAt);
  cache.bind(restored, entry.lease);
}
