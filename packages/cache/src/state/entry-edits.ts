/** Applies operations on single entries; time and version come from the log. */
import type { AppliedAt } from "../state-machine.ts";
import { latin1, latin1Bytes } from "./integer-text.ts";
import { type CounterResult, addFloat, addInteger } from "./counters.ts";
import type { NamedCache } from "./named-cache.ts";
import type {
  DeleteOperation,
  EntryOperation,
  EntryVersion,
  ExpireOperation,
  ExpiryCondition,
  OperationAnswer,
  Refusal,
  SetOperation,
  WriteCondition,
} from "./operation.ts";
import { type Slot, VALUE_FORM } from "./slots.ts";
import type { StateContents } from "./state-contents.ts";
import { workOfBytes } from "./work.ts";

/** Longer texts are not numbers; a sum of floats may have 4,933 digits before its point. */
const MAX_NUMBER_TEXT = 5_120;

/** Does not evict: the caller does, at the end. Never throws. */
export function editEntry(contents: StateContents, operation: EntryOperation, at: AppliedAt): OperationAnswer {
  const refusal = refusalOf(contents, operation);
  if (refusal !== undefined) return { type: "refused", reason: refusal };
  const cache = contents.cacheFor(operation.cache);
  if (cache === undefined) return { type: "refused", reason: "too-many-caches" };
  const version = at.index as number as EntryVersion;
  switch (operation.type) {
    case "set":
      return setEntry(cache, operation, at, version);
    case "delete":
      return deleteEntries(cache, operation, at, version);
    case "expire":
      return expireEntry(cache, operation, at, version);
    case "increment":
      return increment(contents, cache, operation, at, (text) => addInteger(text, operation.by));
    case "increment-float":
      return increment(contents, cache, operation, at, (text) => addFloat(text, operation.by));
    case "append":
      return append(contents, cache, operation, at);
    case "flush":
      cache.flush(version);
      return { type: "done" };
  }
}

/** Reasons to refuse it that are known before anything else of a batch is applied. */
export function refusalOf(contents: StateContents, operation: EntryOperation): Refusal | undefined {
  const { limits, leases } = contents;
  if (operation.type !== "set" && operation.type !== "append") return undefined;
  const { key, value, cache } = operation;
  if (key.length > limits.keyBytes || value.length > limits.valueBytes) return "value-too-large";
  if (operation.type === "set" && operation.lease !== undefined && leases.find(operation.lease) === undefined) {
    return "lease-gone";
  }
  return contents.findCache(cache)?.admits(key.length, value.length) === false ? "entry-over-cache-limit" : undefined;
}

/** @param version  of the entry, 0 for none */
export function conditionHolds(when: WriteCondition, version: number): boolean {
  if (when === "always") return true;
  if (when === "absent") return version === 0;
  return when === "present" ? version !== 0 : version === when;
}

function setEntry(cache: NamedCache, operation: SetOperation, at: AppliedAt, version: EntryVersion): OperationAnswer {
  const { key, value, expiry, when, lease } = operation;
  const slot = cache.findForWrite(key, at.time, version);
  const standing = slot === 0 ? 0 : (cache.table.slots.version[slot] as EntryVersion);
  const previous = operation.answerWith === "previous" ? { previous: copyOfValue(cache, slot) } : undefined;
  if (!conditionHolds(when, standing)) return { type: "kept", version: standing, ...previous };
  const written = cache.put(slot, key, value, version);
  if (expiry !== "keep") cache.setExpiry(written, expiry);
  if (slot !== 0 || lease !== undefined) cache.bind(written, lease);
  return previous === undefined ? { type: "written", version } : { type: "written", version, ...previous };
}

function copyOfValue(cache: NamedCache, slot: Slot): Uint8Array | undefined {
  return slot === 0 ? undefined : cache.table.valueView(slot).slice();
}

function deleteEntries(
  cache: NamedCache,
  operation: DeleteOperation,
  at: AppliedAt,
  version: EntryVersion,
): OperationAnswer {
  let count = 0;
  let previous: Uint8Array | undefined;
  for (const key of operation.keys) {
    const slot = cache.findForWrite(key, at.time, version);
    if (slot === 0 || !conditionHolds(operation.when, cache.table.slots.version[slot] as number)) continue;
    if (operation.answerWith === "previous") previous = copyOfValue(cache, slot);
    cache.drop(slot, "deleted", version);
    count++;
  }
  return operation.answerWith === "previous" ? { type: "value", value: previous } : { type: "count", count };
}

function expireEntry(
  cache: NamedCache,
  operation: ExpireOperation,
  at: AppliedAt,
  version: EntryVersion,
): OperationAnswer {
  const { expiry, answerWith } = operation;
  const slot = cache.findForWrite(operation.key, at.time, version);
  const value = answerWith === "value" ? copyOfValue(cache, slot) : undefined;
  const before = slot === 0 ? 0 : (cache.table.slots.expiresAt[slot] as number);
  let count = 0;
  if (slot !== 0 && mayExpire(operation.when, before, expiry === "never" ? 0 : Math.max(1, expiry))) {
    count = expiry === "never" && before === 0 ? 0 : 1;
    if (expiry !== "never" && expiry <= at.time) cache.drop(slot, "deleted", version);
    else if (count === 1) {
      cache.setExpiry(slot, expiry);
      cache.tell(slot, "expiry-changed", version);
    }
  }
  return answerWith === "value" ? { type: "value", value } : { type: "count", count };
}

/** A time of 0 means never. */
function mayExpire(when: ExpiryCondition, before: number, after: number): boolean {
  switch (when) {
    case "always":
      return true;
    case "none-set":
      return before === 0;
    case "one-set":
      return before !== 0;
    case "later":
      return before !== 0 && (after === 0 || after > before);
    case "one-set-sooner":
      return before !== 0 && after !== 0 && after < before;
    case "sooner":
      return before === 0 || (after !== 0 && after < before);
  }
}

function increment(
  contents: StateContents,
  cache: NamedCache,
  operation: { readonly type: "increment" | "increment-float"; readonly key: Uint8Array },
  at: AppliedAt,
  add: (current: string) => CounterResult,
): OperationAnswer {
  const { key } = operation;
  const version = at.index as number as EntryVersion;
  const slot = cache.findForWrite(key, at.time, version);
  if ((cache.table.slots.valueLength[slot] as number) > MAX_NUMBER_TEXT)
    return { type: "refused", reason: operation.type === "increment" ? "not-an-integer" : "not-a-float" };
  const result = add(slot === 0 ? "0" : latin1(cache.table.valueView(slot)));
  if ("refusal" in result) return { type: "refused", reason: result.refusal };
  if (!cache.admits(key.length, result.text.length)) return { type: "refused", reason: "entry-over-cache-limit" };
  contents.work += result.text.length >> 1;
  const written = cache.put(slot, key, latin1Bytes(result.text), version);
  if (operation.type === "increment-float") cache.table.slots.form[written] = VALUE_FORM.fraction;
  return { type: "number", text: result.text };
}

function append(
  contents: StateContents,
  cache: NamedCache,
  { key, value }: { readonly key: Uint8Array; readonly value: Uint8Array },
  at: AppliedAt,
): OperationAnswer {
  const version = at.index as number as EntryVersion;
  const slot = cache.findForWrite(key, at.time, version);
  const length = (cache.table.slots.valueLength[slot] as number) + value.length;
  if (length > contents.limits.valueBytes) return { type: "refused", reason: "value-too-large" };
  if (!cache.admits(key.length, length)) return { type: "refused", reason: "entry-over-cache-limit" };
  if (slot === 0) cache.put(slot, key, value, version);
  else contents.work += workOfBytes(cache.append(slot, value, version));
  return { type: "count", count: length };
}
