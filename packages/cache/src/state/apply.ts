/** Applies one operation of the log: changes and answer are equal on every member. */
import type { Millis } from "@sluice/base/brand";
import type { AppliedAt } from "../state-machine.ts";
import { editBatch } from "./batch-edits.ts";
import { editEntry } from "./entry-edits.ts";
import type { CacheName, EntryVersion, LeaseId, Operation, OperationAnswer, Refusal } from "./operation.ts";
import { decodeOperation, type Request } from "./operation-codec.ts";
import { applyPlainSet } from "./plain-set.ts";
import type { StateContents } from "./state-contents.ts";
import { applyTransaction, look } from "./transaction.ts";
import { workOf, workOfAnswer, workOfBytes } from "./work.ts";

/** Blocks of flushed entries freed with each operation. */
const SWEPT_PER_OPERATION = 1_024;
const DONE: OperationAnswer = { type: "done" };

/** Never throws. */
export function applyOperation(contents: StateContents, bytes: Uint8Array, at: AppliedAt): OperationAnswer {
  contents.time = Math.max(contents.time, at.time) as Millis;
  if (at.term > contents.term) contents.leases.renewAll(contents.time);
  contents.term = at.term;
  contents.index = at.index;
  contents.clock.second = Math.floor(contents.time / 1_000);
  contents.work += 1 + workOfBytes(bytes.length);
  if (!contents.discards.isEmpty) contents.discards.sweep(SWEPT_PER_OPERATION);
  const now = at.time === contents.time ? at : { ...at, time: contents.time };
  const plain = applyPlainSet(contents, bytes, now);
  if (plain !== undefined) return plain;
  const request = bytes.length > contents.limits.operationBytes ? undefined : decode(bytes);
  if (request === undefined) return refused("bad-operation");
  contents.work += workOf(request.operation);
  const answer = answerTo(contents, request, now);
  contents.work += workOfAnswer(answer);
  return answer;
}

function answerTo(contents: StateContents, { requestId, operation }: Request, now: AppliedAt): OperationAnswer {
  if (requestId === undefined) return perform(contents, operation, now);
  const remembered = contents.answers.find(requestId);
  if (remembered !== undefined) return remembered;
  const answer = perform(contents, operation, now);
  contents.answers.remember(requestId, answer, contents.time);
  return answer;
}

/** `undefined` for bytes that are not an operation: every member gives the same answer. */
function decode(bytes: Uint8Array): Request | undefined {
  try {
    return decodeOperation(bytes);
  } catch {
    return undefined;
  }
}

function refused(reason: Refusal): OperationAnswer {
  return { type: "refused", reason };
}

function perform(contents: StateContents, operation: Operation, at: AppliedAt): OperationAnswer {
  switch (operation.type) {
    case "batch":
      return evicting(contents, operation.operations, at, editBatch(contents, operation, at));
    case "look":
      return look(contents, operation, at);
    case "transaction":
      return applyTransaction(contents, operation, at, (part) => perform(contents, part, at));
    case "found":
      if (contents.generation === 0) contents.generation = operation.generation;
      return DONE;
    case "configure":
      return configure(contents, operation, at);
    case "flush-all":
      for (const cache of contents.caches()) cache.flush(versionOf(at));
      return DONE;
    case "expire-due":
      return expireDue(contents, operation, at);
    case "touch":
      return touch(contents, operation);
    case "lease-grant":
      return grant(contents, operation.ttl, at);
    case "lease-renew":
      return renew(contents, operation.lease, at);
    case "lease-release":
      return { type: "count", count: endLease(contents, operation.lease, at) };
    case "leases-expire":
      return expireLeases(contents, operation.leases, at);
    default: {
      const answer = editEntry(contents, operation, at);
      contents.findCache(operation.cache)?.evict(versionOf(at));
      return answer;
    }
  }
}

function versionOf(at: AppliedAt): EntryVersion {
  return at.index as number as EntryVersion;
}

function evicting(
  contents: StateContents,
  parts: readonly { readonly cache: CacheName }[],
  at: AppliedAt,
  answer: OperationAnswer,
): OperationAnswer {
  for (const name of new Set(parts.map(({ cache }) => cache))) contents.findCache(name)?.evict(versionOf(at));
  return answer;
}

type Of<Type extends Operation["type"]> = Extract<Operation, { readonly type: Type }>;

function configure(contents: StateContents, { cache: name, limits }: Of<"configure">, at: AppliedAt): OperationAnswer {
  const cache = contents.cacheFor(name);
  if (cache === undefined) return refused("too-many-caches");
  cache.limits = limits;
  cache.evict(versionOf(at));
  return DONE;
}

function expireDue(contents: StateContents, { cache: name, keys }: Of<"expire-due">, at: AppliedAt): OperationAnswer {
  const cache = contents.findCache(name);
  let count = 0;
  for (const key of cache === undefined ? [] : keys) {
    const before = cache?.table.slots.count;
    cache?.findForWrite(key, at.time, versionOf(at));
    if (before !== cache?.table.slots.count) count++;
  }
  return { type: "count", count };
}

function touch(contents: StateContents, { cache: name, keys }: Of<"touch">): OperationAnswer {
  const table = contents.findCache(name)?.table;
  for (const key of table === undefined ? [] : keys) {
    const slot = table?.find(key) ?? 0;
    if (slot !== 0) table?.slots.markUsed(slot);
  }
  return DONE;
}

function grant(contents: StateContents, ttl: Millis, at: AppliedAt): OperationAnswer {
  if (contents.leases.count >= contents.limits.leases) return refused("too-many-leases");
  const lease = { id: at.index as number as LeaseId, ttl, expiresAt: (at.time + ttl) as Millis };
  contents.leases.add(lease);
  return { type: "lease", lease: lease.id, expiresAt: lease.expiresAt };
}

function renew(contents: StateContents, id: LeaseId, at: AppliedAt): OperationAnswer {
  const lease = contents.leases.renew(id, at.time);
  return lease === undefined ? refused("lease-gone") : { type: "lease", lease: id, expiresAt: lease.expiresAt };
}

/** @returns how many entries vanished with it */
function endLease(contents: StateContents, id: LeaseId, at: AppliedAt): number {
  let count = 0;
  for (const [table, slots] of contents.leases.take(id)) {
    const cache = [...contents.caches()].find((one) => one.table === table);
    for (const slot of slots) cache?.drop(slot, "deleted", versionOf(at));
    count += slots.length;
  }
  return count;
}

function expireLeases(contents: StateContents, leases: readonly LeaseId[], at: AppliedAt): OperationAnswer {
  let count = 0;
  for (const id of leases) {
    const lease = contents.leases.find(id);
    if (lease !== undefined && lease.expiresAt < at.time) count += endLease(contents, id, at);
  }
  return { type: "count", count };
}
