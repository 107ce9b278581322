/** Commands on keys whatever stands there: DEL, EXISTS, SCAN, KEYS, FLUSHDB and their kin. */
import type { Millis } from "@sluice/base/brand";
import type { NamedCache } from "../../state/named-cache.ts";
import type { Slot } from "../../state/slots.ts";
import { smallInteger, syntaxError } from "../arguments.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import { NOT_AN_INTEGER, refuse } from "../errors.ts";
import { matchesGlob } from "../glob.ts";
import { keyArgument } from "../keys.ts";
import { asCount, asOk } from "../reply-forms.ts";
import type { RespRequest } from "../request.ts";

const KEY = [1, 1, 1] as const;
const KEYS = [1, -1, 1] as const;
/** Keys that SCAN looks at when not told otherwise, and at most: a larger COUNT takes several calls. */
const SCAN_COUNT = 10;
const MAX_SCAN_COUNT = 100_000;

function deleteKeys(call: CommandCall): void {
  const { request, client } = call;
  const keys = Array.from({ length: request.count - 1 }, (_, i) => keyArgument(request, i + 1));
  call.propose({ type: "delete", cache: client.cache, keys, when: "always", answerWith: "count" }, asCount);
}

function find({ request, client, backend, wall }: CommandCall, index: number): Slot {
  const cache = backend.store.state.findCache(client.cache);
  return cache?.findLive(wall, request.bytes, request.startOf(index), request.lengthOf(index)) ?? 0;
}

/** EXISTS and TOUCH: a key named twice counts twice. */
function exists(call: CommandCall): void {
  let count = 0;
  for (let i = 1; i < call.request.count; i++) if (find(call, i) !== 0) count++;
  call.reply.integer(count);
}

function type(call: CommandCall): void {
  call.reply.simple(find(call, 1) === 0 ? "none" : "string");
}

function dbsize({ reply, backend, client }: CommandCall): void {
  reply.integer(backend.store.state.findCache(client.cache)?.table.slots.count ?? 0);
}

function keys({ request, reply, backend, client, wall }: CommandCall): void {
  const cache = backend.store.state.findCache(client.cache);
  const found = cache === undefined ? [] : matching(cache, request.argument(1), wall, 1, cache.table.slots.end);
  reply.array(found.length);
  for (const key of found) reply.bulk(key);
}

/** Views of the live keys between two slots that match. */
function matching(
  cache: NamedCache,
  pattern: Uint8Array | undefined,
  wall: Millis,
  from: Slot,
  end: Slot,
): Uint8Array[] {
  const found: Uint8Array[] = [];
  const { table } = cache;
  for (let slot = from; slot < end; slot++) {
    if (table.slots.version[slot] === 0 || cache.isOver(slot, wall)) continue;
    const key = table.keyView(slot);
    if (pattern === undefined || matchesGlob(pattern, key)) found.push(key);
  }
  return found;
}

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: the cursor is a slot, which an entry keeps while it lives. */
function scan({ request, reply, backend, client, wall }: CommandCall): void {
  const from = scanCursor(request);
  const { pattern, count, wantsStrings } = scanOptions(request);
  const cache = backend.store.state.findCache(client.cache);
  const last = cache?.table.slots.end ?? 0;
  const end = Math.min(last, Math.max(1, from) + count);
  const isLooking = cache !== undefined && wantsStrings && from < last;
  const found = isLooking ? matching(cache, pattern, wall, Math.max(1, from), end) : [];
  reply.array(2);
  reply.bulkText(end >= last ? "0" : String(end));
  reply.array(found.length);
  for (const key of found) reply.bulk(key);
}

function scanCursor(request: RespRequest): number {
  const text = request.text(1);
  return /^\d{1,20}$/.test(text) ? Number(text) : refuse("ERR invalid cursor");
}

interface ScanOptions {
  pattern: Uint8Array | undefined;
  count: number;
  wantsStrings: boolean;
}

function scanOptions(request: RespRequest): ScanOptions {
  const options: ScanOptions = { pattern: undefined, count: SCAN_COUNT, wantsStrings: true };
  for (let i = 2; i < request.count; i += 2) {
    const word = i + 1 < request.count ? request.word(i) : "";
    if (word === "match") options.pattern = request.argument(i + 1);
    else if (word === "type") options.wantsStrings = request.word(i + 1) === "string";
    else if (word === "count") options.count = Math.min(MAX_SCAN_COUNT, scanCount(request, i + 1));
    else syntaxError();
  }
  return options;
}

function scanCount(request: RespRequest, index: number): number {
  const count = smallInteger(request, index, NOT_AN_INTEGER);
  return count < 1 ? syntaxError() : count;
}

function randomkey({ reply, backend, client, wall }: CommandCall): void {
  const cache = backend.store.state.findCache(client.cache);
  // The one used longest ago, and not a random one: nobody can rely on more.
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

/** Of Redis's read commands: how a key is held inside. Ours are all held alike. */
function object(call: CommandCall): void {
  const { request, reply } = call;
  const word = request.word(1);
  if (request.count !== 3 || !["encoding", "refcount", "idletime"].includes(word)) {
    refuse(`ERR unknown subcommand '${request.text(1)}'. Try OBJECT HELP.`);
  }
  if (find(call, 2) === 0) reply.none();
  else if (word === "encoding") reply.bulkText("raw");
  else reply.integer(word === "refcount" ? 1 : 0);
}

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
  { name: "exists", kind: "read", arity: -2, run: exists, keys: KEYS, summary: "Counts keys that are there" },
  { name: "touch", kind: "read", arity: -2, run: exists, keys: KEYS, summary: "Counts keys and marks them used" },
  { name: "type", kind: "read", arity: 2, run: type, keys: KEY, summary: "Kind of what stands at a key" },
  { name: "object", kind: "read", arity: -2, run: object, keys: [2, 2, 1], summary: "How a key is held" },
  { name: "dbsize", kind: "read", arity: 1, run: dbsize, summary: "Counts the keys of the database" },
  {
    name: "keys",
    kind: "read",
    arity: 2,
    run: keys,
    isSlow: true,
    summary: "Keys that match a pattern",
    flags: ["readonly"],
  },
  {
    name: "scan",
    kind: "read",
    arity: -2,
    run: scan,
    isSlow: true,
    summary: "Keys, a few at a time",
    flags: ["readonly"],
  },
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
