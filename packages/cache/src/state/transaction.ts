/** Applies the commands between MULTI and EXEC: every part, unless a watched key has changed. */
import type { AppliedAt } from "../state-machine.ts";
import type { EntryTable } from "./entry-table.ts";
import type {
  CacheName,
  EntryVersion,
  LookOperation,
  OperationAnswer,
  SeenEntry,
  TransactionOperation,
  TransactionPart,
} from "./operation.ts";
import type { Slot } from "./slots.ts";
import type { StateContents } from "./state-contents.ts";

/** @param perform  applies one part, including eviction. Neither throws */
export function applyTransaction(
  contents: StateContents,
  { watched, parts }: TransactionOperation,
  at: AppliedAt,
  perform: (part: Exclude<TransactionPart, LookOperation>) => OperationAnswer,
): OperationAnswer {
  const { operationParts, answerBytes } = contents.limits;
  const count = parts.reduce((sum, part) => sum + partsOf(part), watched.length);
  if (count > operationParts) return { type: "refused", reason: "bad-operation" };
  for (const { cache, key, version, expiresAt } of watched) {
    const { slot, table } = find(contents, cache, key, at);
    const standing = (table?.slots.version[slot] ?? 0) as EntryVersion | 0;
    if (version !== standing || expiresAt !== (table?.slots.expiresAt[slot] ?? 0))
      return { type: "kept", version: standing };
  }
  let room = answerBytes;
  const answers = parts.map((part): OperationAnswer => {
    const asked = valueBytesAsked(contents, part, at);
    if (asked > room) return { type: "refused", reason: "answer-too-large" };
    room -= asked;
    const answer = part.type === "look" ? look(contents, part, at) : perform(part);
    return answer.type === "batch" ? { type: "done" } : answer;
  });
  return { type: "batch", version: at.index as number as EntryVersion, answers };
}

/** Also valid outside a transaction. */
export function look(contents: StateContents, { cache, keys, wants }: LookOperation, at: AppliedAt): OperationAnswer {
  const entries = keys.map((key): SeenEntry | undefined => {
    const { slot, table } = find(contents, cache, key, at);
    if (slot === 0 || table === undefined) return undefined;
    const valueBytes = table.slots.valueLength[slot] as number;
    const expiresAt = table.slots.expiresAt[slot] as number;
    return { valueBytes, expiresAt, value: wants === "value" ? table.valueView(slot).slice() : undefined };
  });
  return { type: "seen", entries };
}

interface Found {
  /** 0: there is none that has not expired. */
  readonly slot: Slot;
  readonly table: EntryTable | undefined;
}

function find(contents: StateContents, name: CacheName, key: Uint8Array, at: AppliedAt): Found {
  const cache = contents.findCache(name);
  const slot = cache?.table.find(key) ?? 0;
  const isThere = slot !== 0 && cache?.isOver(slot, at.time) === false;
  return { slot: isThere ? slot : 0, table: cache?.table };
}

function partsOf(part: TransactionPart): number {
  if (part.type === "batch") return part.conditions.length + part.operations.length;
  return part.type === "look" || part.type === "delete" ? part.keys.length : 1;
}

/** Bytes of present values that would be copied into the answer. */
function valueBytesAsked(contents: StateContents, part: TransactionPart, at: AppliedAt): number {
  const keys = keysAsked(part);
  if (keys.length === 0 || !("cache" in part)) return 0;
  let sum = 0;
  for (const key of keys) {
    const { slot, table } = find(contents, part.cache, key, at);
    sum += table?.slots.valueLength[slot] ?? 0;
  }
  return sum;
}

function keysAsked(part: TransactionPart): readonly Uint8Array[] {
  switch (part.type) {
    case "look":
      return part.wants === "value" ? part.keys : [];
    case "set":
      return part.answerWith === "previous" ? [part.key] : [];
    case "delete":
      return part.answerWith === "previous" ? part.keys : [];
    case "expire":
      return part.answerWith === "value" ? [part.key] : [];
    default:
      return [];
  }
}
