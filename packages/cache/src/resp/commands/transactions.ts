/** MULTI, EXEC, DISCARD, WATCH and UNWATCH: a transaction is one record of the log. */
import type { EntryVersion, TransactionPart, WatchedEntry } from "../../state/operation.ts";
import type { Millis } from "@sluice/base/brand";
import { type CommandCall, defineCommands, type ReplyForm } from "../command.ts";
import { refuse } from "../errors.ts";
import { keyArgument } from "../keys.ts";
import { Transaction } from "../transaction.ts";
import { TransactionCall } from "../transaction-call.ts";

/** Bytes of watched keys kept for one client. */
const WATCHED_BYTES = 1024 * 1024;

function multi({ reply, client }: CommandCall): void {
  if (client.transaction !== undefined) return reply.error("ERR MULTI calls can not be nested");
  client.transaction = new Transaction();
  reply.simple("OK");
}

function discard({ reply, client }: CommandCall): void {
  if (client.transaction === undefined) refuse("ERR DISCARD without MULTI");
  client.transaction = undefined;
  client.watched.clear();
  reply.simple("OK");
}

function exec(call: CommandCall): void {
  const { reply, client, limits } = call;
  const { transaction } = client;
  if (transaction === undefined) return refuse("ERR EXEC without MULTI");
  const inner = new TransactionCall(call);
  const { database } = client;
  try {
    inner.runAll(transaction);
  } catch (error) {
    client.database = database; // it waits for room, and starts again
    throw error;
  }
  const { isTouched, entries: watched } = client.watched;
  client.transaction = undefined;
  client.watched.clear();
  if (transaction.isBroken) refuse("EXECABORT Transaction discarded because of previous errors.");
  const undo = (): void => void (client.database = database);
  const { parts } = inner;
  const keyCount = parts.reduce((sum, part) => sum + keysOf(part), watched.length);
  if (keyCount > limits.keysWritten) {
    undo();
    refuse(`ERR a transaction of ${keyCount} keys is larger than the limit of ${limits.keysWritten}: nothing was done`);
  }
  if (isTouched) {
    undo();
    return reply.noList();
  }
  const form: ReplyForm = (to, answer) => inner.answer(to, answer, undo);
  if (parts.length + watched.length > 0) call.propose({ type: "transaction", watched, parts }, form);
  else form(reply, { type: "batch", version: 0 as EntryVersion, answers: [] });
}

function keysOf(part: TransactionPart): number {
  if (part.type === "batch") return part.operations.length;
  return part.type === "look" || part.type === "delete" ? part.keys.length : 1;
}

/** Remembers the state of the keys. A key watched twice counts as first seen. */
function watch(call: CommandCall): void {
  const { request, reply, client, backend, wall } = call;
  if (client.transaction !== undefined) return reply.error("ERR WATCH inside MULTI is not allowed");
  let bytes = client.watched.byteCount;
  const cache = backend.store.state.findCache(client.cache);
  const seen: WatchedEntry[] = [];
  for (let i = 1; i < request.count; i++) {
    const key = keyArgument(request, i).slice();
    const slot = cache?.findLive(wall, key) ?? 0;
    const version = (cache?.table.slots.version[slot] ?? 0) as EntryVersion;
    const expiresAt = (cache?.table.slots.expiresAt[slot] ?? 0) as Millis;
    bytes += key.length;
    seen.push({ cache: client.cache, key, version, expiresAt });
  }
  const count = client.watched.entries.length + seen.length;
  if (count > call.limits.localWords || bytes > WATCHED_BYTES)
    refuse("ERR too many keys are watched, or too long ones");
  client.watched.add(seen, backend.store.state);
  reply.simple("OK");
}

function unwatch({ reply, client }: CommandCall): void {
  client.watched.clear();
  reply.simple("OK");
}

const flags = ["noscript", "loading", "stale", "fast"];

export const TRANSACTION_COMMANDS = defineCommands("transactions", [
  { name: "multi", kind: "local", arity: 1, run: multi, isControl: true, flags, summary: "Begins a transaction" },
  {
    name: "exec",
    kind: "write",
    arity: 1,
    run: exec,
    isControl: true,
    flags: ["noscript", "loading", "stale", "skip_slowlog"],
    summary: "Executes the transaction",
  },
  { name: "discard", kind: "local", arity: 1, run: discard, isControl: true, flags, summary: "Drops the transaction" },
  {
    name: "watch",
    kind: "read",
    arity: -2,
    run: watch,
    isControl: true,
    flags,
    keys: [1, -1, 1],
    summary: "Cancels the next transaction if a key changes",
  },
  { name: "unwatch", kind: "local", arity: 1, run: unwatch, isQueueable: true, flags, summary: "Ends WATCH" },
]);
