/** Commands on keys of any type: DEL, EXISTS, OBJECT, FLUSHDB and related ones. */
import { latin1, parseInt64 } from "../../state/integer-text.ts";
import { type Slot, VALUE_FORM } from "../../state/slots.ts";
import { syntaxError } from "../arguments.ts";
import { type CommandCall, defineCommands, type ReplyForm, ReplyGroup } from "../command.ts";
import { refuse } from "../errors.ts";
import { keyArgument, lookAt } from "../keys.ts";
import { overKeys } from "../long-keys.ts";
import { asCount, asOk, asSeen, asSeenCount } from "../reply-forms.ts";

const KEY = [1, 1, 1] as const;
const KEYS = [1, -1, 1] as const;

/** DEL and UNLINK: many keys are deleted in pieces, each as one operation. */
function deleteKeys(call: CommandCall): void {
  const { request, client, limits } = call;
  const group = new ReplyGroup();
  let total = 0;
  let keys: Uint8Array[] = [];
  const propose = (isLast: boolean): void => {
    const form: ReplyForm = (reply, answer) => {
      if (answer.type === "count") total += answer.count;
      if (isLast) asCount(reply, answer.type === "count" ? { type: "count", count: total } : answer);
    };
    const operation = { type: "delete", cache: client.cache, keys, when: "always", answerWith: "count" } as const;
    call.proposePiece(operation, form, { group, isLast });
    keys = [];
  };
  overKeys(call, {
    each: (index) => {
      if (call.mayGoOn && keys.length === limits.keysInPiece) propose(false);
      keys.push(keyArgument(request, index));
    },
    finish: () => propose(true),
  });
}

function find({ request, client, backend, wall }: CommandCall, index: number): Slot {
  const cache = backend.store.state.findCache(client.cache);
  return cache?.findLive(wall, request.bytes, request.startOf(index), request.lengthOf(index)) ?? 0;
}

/** EXISTS and TOUCH: a key given twice counts twice. */
function countKeys(call: CommandCall, use: (call: CommandCall, index: number) => Slot): void {
  let count = 0;
  overKeys(call, {
    each: (index) => {
      if (use(call, index) !== 0) count++;
    },
    finish: () => call.reply.integer(count),
  });
}

function touch(call: CommandCall, index: number): Slot {
  const slot = find(call, index);
  const { backend, client, wall } = call;
  if (slot !== 0) backend.store.state.findCache(client.cache)?.table.slots.noteUse(slot, wall);
  return slot;
}

function type(call: CommandCall): void {
  call.reply.simple(find(call, 1) === 0 ? "none" : "string");
}

function dbsize({ reply, backend, client }: CommandCall): void {
  reply.integer(backend.store.state.findCache(client.cache)?.table.slots.count ?? 0);
}

function randomkey({ reply, backend, client, wall }: CommandCall): void {
  const cache = backend.store.state.findCache(client.cache);
  // RANDOMKEY returns the least recently used key, not a random one: clients cannot rely on more.
  const slot = cache?.table.slots.oldest ?? 0;
  if (cache === undefined || slot === 0 || cache.isOver(slot, wall)) reply.none();
  else reply.bulk(cache.table.keyView(slot));
}

function flush(call: CommandCall, reach: "cache" | "all"): void {
  const { request, client } = call;
  const word = request.count > 1 ? request.word(1) : "sync";
  if (request.count > 2 || (word !== "sync" && word !== "async")) syntaxError();
  call.propose(reach === "all" ? { type: "flush-all" } : { type: "flush", cache: client.cache }, asOk);
}

const INT64_TEXT = 20;
/** Redis embeds values up to this length in their header. */
const EMBEDDED_BYTES = 44;
const SHARED_NUMBERS = 10_000n;

/** The encoding that Redis would use; here all values are stored alike. */
function objectForm(call: CommandCall, slot: Slot): { readonly encoding: string; readonly isShared: boolean } {
  const table = call.backend.store.state.findCache(call.client.cache)?.table;
  const value = table?.valueView(slot) ?? new Uint8Array(0);
  const form = table?.slots.form[slot] ?? VALUE_FORM.plain;
  if (form === VALUE_FORM.appended) return { encoding: "raw", isShared: false };
  const isNumber = form === VALUE_FORM.plain && value.length <= INT64_TEXT;
  const number = isNumber ? parseInt64(latin1(value)) : undefined;
  if (number !== undefined) return { encoding: "int", isShared: number >= 0n && number < SHARED_NUMBERS };
  return { encoding: value.length <= EMBEDDED_BYTES ? "embstr" : "raw", isShared: false };
}

function idleSeconds({ backend, client, wall }: CommandCall, slot: Slot): number {
  const usedAt = backend.store.state.findCache(client.cache)?.table.slots.usedAt[slot] ?? 0;
  return Math.max(0, Math.floor(wall / 1_000) - usedAt);
}

const NO_LFU =
  "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

/** OBJECT subcommand: replies with null for a missing key. */
function objectRow(word: string, summary: string, tell: (call: CommandCall, slot: Slot) => void) {
  return {
    name: `object|${word}`,
    kind: "read",
    arity: 3,
    keys: [2, 2, 1] as const,
    flags: ["readonly"],
    summary,
    run: (call: CommandCall) => {
      const slot = find(call, 2);
      if (slot === 0) call.reply.none();
      else tell(call, slot);
    },
  } as const;
}

const asSeenType = asSeen((reply, entry) => reply.simple(entry === undefined ? "none" : "string"));
const lookAtKeys = (call: CommandCall): void => lookAt(call, { first: 1, wants: "facts" }, asSeenCount);

export const KEY_COMMANDS = defineCommands("generic", [
  { name: "del", kind: "write", arity: -2, run: deleteKeys, keys: KEYS, summary: "Deletes keys", flags: ["write"] },
  {
    name: "unlink",
    kind: "write",
    arity: -2,
    run: deleteKeys,
    keys: KEYS,
    summary: "Deletes keys",
    flags: ["write", "fast"],
  },
  {
    name: "exists",
    kind: "read",
    arity: -2,
    run: (call) => countKeys(call, find),
    look: lookAtKeys,
    keys: KEYS,
    summary: "Counts existing keys",
  },
  {
    name: "touch",
    kind: "read",
    arity: -2,
    run: (call) => countKeys(call, touch),
    look: lookAtKeys,
    keys: KEYS,
    summary: "Counts keys and marks them used",
  },
  {
    name: "type",
    kind: "read",
    arity: 2,
    run: type,
    look: (call) => lookAt(call, { first: 1, wants: "facts" }, asSeenType),
    keys: KEY,
    summary: "Type of a key",
  },
  objectRow("encoding", "Encoding of a value", (call, slot) => call.reply.bulkText(objectForm(call, slot).encoding)),
  objectRow("refcount", "How often a value is used", (call, slot) =>
    call.reply.integer(objectForm(call, slot).isShared ? 2_147_483_647 : 1),
  ),
  objectRow("idletime", "Seconds since a key was used", (call, slot) => call.reply.integer(idleSeconds(call, slot))),
  objectRow("freq", "Refused: how often keys are used is not counted", () => refuse(NO_LFU)),
  { name: "dbsize", kind: "read", arity: 1, run: dbsize, summary: "Counts the keys of the database" },
  { name: "randomkey", kind: "read", arity: 1, run: randomkey, summary: "Some key", flags: ["readonly"] },
  {
    name: "flushdb",
    kind: "write",
    arity: -1,
    run: (call) => flush(call, "cache"),
    summary: "Deletes all keys of the database",
    flags: ["write"],
  },
  {
    name: "flushall",
    kind: "write",
    arity: -1,
    run: (call) => flush(call, "all"),
    summary: "Deletes all keys of all caches",
    flags: ["write"],
  },
]);
