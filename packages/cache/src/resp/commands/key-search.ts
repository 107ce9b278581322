/** KEYS and SCAN: search the slots of a cache, a limited number of steps at a time. */
import type { NamedCache } from "../../state/named-cache.ts";
import { integerArgument, syntaxError } from "../arguments.ts";
import { type CommandCall, defineCommands, type LongCommand } from "../command.ts";
import { refuse } from "../errors.ts";
import { Glob } from "../glob.ts";
import { listWriter } from "../long-keys.ts";
import type { RespRequest } from "../request.ts";
import type { RespWriter } from "../resp-writer.ts";

/** Slots, or pattern steps over eight bytes of keys, done in one go: a few milliseconds. */
const STEPS = 16_384;
/** Keys that SCAN examines by default. */
const SCAN_COUNT = 10;
const MAX_CURSOR = 2n ** 64n - 1n;

/** Walks the slots of a cache from a given one, and lists matching keys. */
class KeySearch {
  readonly #call: CommandCall;
  readonly #glob: Glob | undefined;
  readonly keys: RespWriter;
  count = 0;
  slot: number;

  constructor(
    call: CommandCall,
    { pattern, from }: { readonly pattern: Uint8Array | undefined; readonly from: number },
  ) {
    this.#call = call;
    this.#glob = pattern === undefined ? undefined : new Glob(boundedPattern(call, pattern));
    this.keys = listWriter(call);
    this.slot = Math.max(1, from);
  }

  /** Until `end`, or until the work of one go is done. */
  go(cache: NamedCache, end: number): void {
    const { wall } = this.#call;
    const { table } = cache;
    for (let steps = STEPS; this.slot < end && steps > 0; this.slot++, steps--) {
      if (table.slots.version[this.slot] === 0 || cache.isOver(this.slot, wall)) continue;
      const key = table.keyView(this.slot);
      steps -= (key.length * (this.#glob?.stepsPerByte ?? 1)) >> 3;
      if (this.#glob?.matches(key) === false) continue;
      this.keys.bulk(key);
      this.count++;
    }
  }

  reply(): void {
    this.#call.reply.array(this.count);
    this.#call.reply.append(this.keys);
  }
}

function boundedPattern({ limits }: CommandCall, pattern: Uint8Array): Uint8Array {
  const { patternBytes } = limits;
  if (pattern.length > patternBytes)
    refuse(`ERR a pattern of ${pattern.length} bytes is longer than the limit of ${patternBytes}`);
  return pattern;
}

/** Keys written meanwhile may or may not be listed; keys that exist throughout are listed. */
class LongSearch implements LongCommand {
  readonly #call: CommandCall;
  readonly #search: KeySearch;
  readonly #cache: NamedCache | undefined;

  constructor(call: CommandCall) {
    this.#call = call;
    this.#search = new KeySearch(call, { pattern: call.request.argument(1), from: 1 });
    this.#cache = findCache(call);
  }

  get heldBytes(): number {
    return this.#search.keys.length;
  }

  goOn(): boolean {
    const cache = this.#cache;
    if (findCache(this.#call) !== cache) refuse("LOADING The state was replaced meanwhile: ask again");
    if (cache !== undefined) {
      this.#search.go(cache, cache.table.slots.end);
      if (this.#search.slot < cache.table.slots.end) return false;
    }
    this.#search.reply();
    return true;
  }
}

function findCache({ backend, client }: CommandCall): NamedCache | undefined {
  return backend.store.state.findCache(client.cache);
}

function keys(call: CommandCall): void {
  const search = new LongSearch(call);
  if (!search.goOn()) call.goOn(search);
}

/**
 * SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: the cursor is a slot, which an entry keeps while it lives.
 * Stops before COUNT if that is more than one go.
 */
function scan(call: CommandCall): void {
  const { request, reply } = call;
  const from = scanCursor(request);
  const { pattern, count, wantsStrings } = scanOptions(request);
  const cache = findCache(call);
  const last = cache?.table.slots.end ?? 0;
  const search = new KeySearch(call, { pattern, from });
  if (cache !== undefined && wantsStrings && from < last) search.go(cache, Math.min(last, search.slot + count));
  else search.slot = last;
  reply.array(2);
  reply.bulkText(search.slot >= last ? "0" : String(search.slot));
  search.reply();
}

/** Parsed like the C library: an optional sign, and an empty text is 0. */
function scanCursor(request: RespRequest): number {
  const text = request.lengthOf(1) > 64 ? "-" : request.text(1);
  const match = /^([+-]?)(\d+)$/.exec(text);
  if (match === null) return text === "" ? 0 : refuse("ERR invalid cursor");
  const value = BigInt(match[2] as string);
  if (value > MAX_CURSOR) refuse("ERR invalid cursor");
  return Number(match[1] === "-" && value > 0n ? MAX_CURSOR + 1n - value : value);
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
    else if (word === "count") options.count = scanCount(request, i + 1);
    else syntaxError();
  }
  return options;
}

function scanCount(request: RespRequest, index: number): number {
  const count = integerArgument(request, index);
  return count < 1n ? syntaxError() : Math.min(Number(count), Number.MAX_SAFE_INTEGER);
}

const slow = { kind: "read", isSlow: true, flags: ["readonly"] } as const;

export const KEY_SEARCH_COMMANDS = defineCommands("generic", [
  { ...slow, name: "keys", arity: 2, run: keys, summary: "Keys that match a pattern" },
  { ...slow, name: "scan", arity: -2, run: scan, summary: "Keys, a few at a time" },
]);
