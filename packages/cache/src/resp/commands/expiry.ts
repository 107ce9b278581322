/** EXPIRE, TTL and related commands. */
import type { Millis } from "@sluice/base/brand";
import type { ExpiryCondition } from "../../state/operation.ts";
import { type ExpiryUnit, expiryArgument } from "../arguments.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import { refuse } from "../errors.ts";
import { keyArgument, lookAt } from "../keys.ts";
import { asCount, asSeen } from "../reply-forms.ts";
import type { RespRequest } from "../request.ts";

const KEY = [1, 1, 1] as const;

function expire(name: string, unit: ExpiryUnit): (call: CommandCall) => void {
  return (call) => {
    const { request, client, wall } = call;
    const when = expiryCondition(request);
    const expiry = expiryArgument({ request, index: 2, unit, now: wall, command: name, mustBePositive: false });
    const key = keyArgument(request, 1);
    call.propose({ type: "expire", cache: client.cache, key, expiry, when, answerWith: "count" }, asCount);
  };
}

const CONDITIONS: ReadonlyMap<string, ExpiryCondition> = new Map([
  ["nx", "none-set"],
  ["xx", "one-set"],
  ["gt", "later"],
  ["lt", "sooner"],
] as const);

/** XX may be combined with GT (to which it adds nothing) and LT. */
function expiryCondition(request: RespRequest): ExpiryCondition {
  const words = new Set<string>();
  for (let i = 3; i < request.count; i++) {
    const word = request.word(i);
    if (!CONDITIONS.has(word)) refuse(`ERR Unsupported option ${request.text(i)}`);
    words.add(word);
  }
  if (words.has("nx") && words.size > 1) refuse("ERR NX and XX, GT or LT options at the same time are not compatible");
  if (words.has("gt") && words.has("lt")) refuse("ERR GT and LT options at the same time are not compatible");
  if (words.has("xx") && words.has("lt")) return "one-set-sooner";
  for (const word of ["nx", "gt", "lt", "xx"]) if (words.has(word)) return CONDITIONS.get(word) ?? "always";
  return "always";
}

function ttl(unit: ExpiryUnit): (call: CommandCall) => void {
  return ({ request, reply, client, backend, wall }) => {
    const cache = backend.store.state.findCache(client.cache);
    const slot = cache?.findLive(wall, request.bytes, request.startOf(1), request.lengthOf(1)) ?? 0;
    reply.integer(ttlOf(slot === 0 ? undefined : (cache?.table.slots.expiresAt[slot] ?? 0), unit, wall));
  };
}

/** The same in a transaction. */
function lookAtTtl(unit: ExpiryUnit): (call: CommandCall) => void {
  return (call) => {
    const form = asSeen((reply, entry) => reply.integer(ttlOf(entry?.expiresAt, unit, call.wall)));
    lookAt(call, { first: 1, wants: "facts" }, form);
  };
}

/** -2: no such key; -1: no expiry. */
function ttlOf(expiresAt: number | undefined, { isSpan, scale }: ExpiryUnit, wall: Millis): number {
  if (expiresAt === undefined) return -2;
  if (expiresAt === 0) return -1;
  return isSpan ? remaining(expiresAt, wall, scale) : Math.floor(expiresAt / scale);
}

/** Seconds are rounded to the nearest. */
function remaining(expiresAt: number, wall: Millis, scale: 1 | 1_000): number {
  const left = Math.max(0, Math.floor(expiresAt - Math.floor(wall)));
  return scale === 1 ? left : Math.floor((left + 500) / 1_000);
}

function persist(call: CommandCall): void {
  const { request, client } = call;
  const key = keyArgument(request, 1);
  call.propose(
    { type: "expire", cache: client.cache, key, expiry: "never", when: "always", answerWith: "count" },
    asCount,
  );
}

const SPAN_SECONDS = { isSpan: true, scale: 1_000 } as const;
const SPAN_MILLIS = { isSpan: true, scale: 1 } as const;
const TIME_SECONDS = { isSpan: false, scale: 1_000 } as const;
const TIME_MILLIS = { isSpan: false, scale: 1 } as const;

function expireRow(name: string, unit: ExpiryUnit, summary: string) {
  return {
    name,
    kind: "write",
    arity: -3,
    run: expire(name, unit),
    keys: KEY,
    summary,
    flags: ["write", "fast"],
  } as const;
}

function ttlRow(name: string, unit: ExpiryUnit, summary: string) {
  return { name, kind: "read", arity: 2, run: ttl(unit), look: lookAtTtl(unit), keys: KEY, summary } as const;
}

export const EXPIRY_COMMANDS = defineCommands("generic", [
  expireRow("expire", SPAN_SECONDS, "Lets a key vanish after seconds"),
  expireRow("pexpire", SPAN_MILLIS, "Lets a key vanish after milliseconds"),
  expireRow("expireat", TIME_SECONDS, "Lets a key vanish at a time in seconds"),
  expireRow("pexpireat", TIME_MILLIS, "Lets a key vanish at a time in milliseconds"),
  ttlRow("ttl", SPAN_SECONDS, "Seconds until a key vanishes"),
  ttlRow("pttl", SPAN_MILLIS, "Milliseconds until a key vanishes"),
  ttlRow("expiretime", TIME_SECONDS, "Time in seconds at which a key vanishes"),
  ttlRow("pexpiretime", TIME_MILLIS, "Time in milliseconds at which a key vanishes"),
  {
    name: "persist",
    kind: "write",
    arity: 2,
    run: persist,
    keys: KEY,
    summary: "Removes the expiry of a key",
    flags: ["write", "fast"],
  },
]);
