/** Commands on single values: GET, SET and related ones. */
import type { Millis } from "@sluice/base/brand";
import type { CacheName, SetOperation, WriteCondition } from "../../state/operation.ts";
import { EXPIRY_UNITS, expiryArgument, type ExpiryUnit, syntaxError } from "../arguments.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import { CommandRefusal, refuse } from "../errors.ts";
import {
  asCount,
  asDone,
  asOk,
  asPrevious,
  asSeen,
  asSeenValue,
  asSeenValues,
  asValue,
  asValueOr,
} from "../reply-forms.ts";
import { keyArgument, lookAt, replyValue, valueBytesAt } from "../keys.ts";
import { listWriter, overKeys } from "../long-keys.ts";

const KEY = [1, 1, 1] as const;

function get(call: CommandCall): void {
  replyValue(call, 1, call.reply);
}

function strlen({ request, reply, client, backend, wall }: CommandCall): void {
  const cache = backend.store.state.findCache(client.cache);
  const slot = cache?.findLive(wall, request.bytes, request.startOf(1), request.lengthOf(1)) ?? 0;
  reply.integer(slot === 0 ? 0 : (cache?.table.slots.valueLength[slot] ?? 0));
}

function mget(call: CommandCall): void {
  const { reply, request, limits } = call;
  if (!call.mayGoOn || request.count - 1 <= limits.keysInPiece) {
    reply.array(request.count - 1);
    for (let i = 1; i < request.count; i++) replyValue(call, i, reply);
    return;
  }
  const values = listWriter(call);
  overKeys(call, {
    each: (index) => replyValue(call, index, values),
    finish: () => {
      reply.array(request.count - 1);
      reply.append(values);
    },
    heldBytes: () => values.length,
  });
}

const asSeenLength = asSeen((reply, entry) => reply.integer(entry?.valueBytes ?? 0));

interface SetChoices {
  when: WriteCondition;
  expiry: SetOperation["expiry"];
  withPrevious: boolean;
}

/** SET key value [NX | XX] [GET] [EX seconds | PX ms | EXAT s | PXAT ms | KEEPTTL]. */
function set(call: CommandCall): void {
  const { request, client } = call;
  if (request.count === 3 && call.proposePlainSet(1, asOk)) return;
  const choices = request.count === 3 ? PLAIN : setChoices(call);
  const operation: SetOperation = {
    type: "set",
    cache: client.cache,
    key: keyArgument(request, 1),
    value: request.argument(2),
    expiry: choices.expiry,
    when: choices.when,
    answerWith: choices.withPrevious ? "previous" : "version",
  };
  if (choices.withPrevious) call.expectValue(valueBytesAt(call, 1));
  call.propose(operation, choices.withPrevious ? asPrevious : asOk);
}

const PLAIN: Readonly<SetChoices> = { when: "always", expiry: "never", withPrevious: false };

function setChoices({ request, wall }: CommandCall): SetChoices {
  const choices = { ...PLAIN };
  let expiryWord = "";
  let expiryIndex = 0;
  for (let index = 3; index < request.count; index++) {
    const word = request.word(index);
    const isExpiry = word === "keepttl" || (EXPIRY_UNITS.has(word) && index + 1 < request.count);
    const condition = word === "nx" ? "absent" : word === "xx" ? "present" : undefined;
    if (condition !== undefined && (choices.when === "always" || choices.when === condition)) choices.when = condition;
    else if (word === "get") choices.withPrevious = true;
    else if (isExpiry && (expiryWord === "" || expiryWord === word)) {
      expiryWord = word;
      if (word !== "keepttl") expiryIndex = ++index;
    } else syntaxError();
  }
  const unit = EXPIRY_UNITS.get(expiryWord);
  if (expiryWord === "keepttl") choices.expiry = "keep";
  else if (unit !== undefined) {
    choices.expiry = expiryArgument({
      request,
      index: expiryIndex,
      unit,
      now: wall,
      command: "set",
      mustBePositive: true,
    });
  }
  return choices;
}

function setOf(call: CommandCall, value: number, more: Partial<SetOperation>): SetOperation {
  return {
    type: "set",
    cache: call.client.cache,
    key: keyArgument(call.request, 1),
    value: call.request.argument(value),
    expiry: "never",
    when: "always",
    answerWith: "version",
    ...more,
  };
}

/** SETEX and PSETEX: key, span, value. */
function setWithSpan(command: "setex" | "psetex"): (call: CommandCall) => void {
  const unit = { isSpan: true, scale: command === "setex" ? 1_000 : 1 } as const;
  return (call) => {
    const { request, wall } = call;
    const expiry = expiryArgument({ request, index: 2, unit, now: wall, command, mustBePositive: true });
    call.propose(setOf(call, 3, { expiry }), asOk);
  };
}

function mset(name: "mset" | "msetnx"): (call: CommandCall) => void {
  return (call) => {
    const { request, client, limits } = call;
    if (request.count % 2 === 0) refuse(`ERR wrong number of arguments for '${name}' command`);
    const count = (request.count - 1) / 2;
    if (count > limits.keysWritten)
      refuse(`ERR ${count} keys are more than the limit of ${limits.keysWritten} for '${name}': nothing was done`);
    const sets = pairs(call, client.cache);
    const conditions = sets.map(({ key }) => ({ cache: client.cache, key, when: "absent" as const }));
    call.propose(
      { type: "batch", conditions: name === "msetnx" ? conditions : [], operations: sets },
      name === "msetnx" ? asDone : asOk,
    );
  };
}

function pairs({ request }: CommandCall, cache: CacheName): SetOperation[] {
  const sets: SetOperation[] = [];
  for (let i = 1; i + 1 < request.count; i += 2) {
    const key = keyArgument(request, i);
    const value = request.argument(i + 1);
    sets.push({ type: "set", cache, key, value, expiry: "never", when: "always", answerWith: "version" });
  }
  return sets;
}

/** GETEX key [EX | PX | EXAT | PXAT time | PERSIST]; without an option it only reads. */
function getex(call: CommandCall): void {
  const key = keyArgument(call.request, 1);
  const { word, index } = getexChoice(call);
  const unit = EXPIRY_UNITS.get(word);
  call.expectValue(valueBytesAt(call, 1));
  const expire = { type: "expire", cache: call.client.cache, key, when: "always", answerWith: "value" } as const;
  if (word === "persist") return call.propose({ ...expire, expiry: "never" }, asValue);
  const change = unit === undefined ? "none" : getexExpiry(call, unit, index);
  if (typeof change === "number") return call.propose({ ...expire, expiry: change }, asValue);
  // Reads without changing anything: "never" when no expiry is set.
  const form = change === "none" ? asValue : asValueOr(change.context.reply);
  call.propose({ ...expire, expiry: "never", when: "none-set" }, form);
}

/** The one option; a repeated option counts once, with its last time. @returns the option, and the index of its time */
function getexChoice({ request }: CommandCall): { readonly word: string; readonly index: number } {
  let chosen = "";
  let index = 2;
  while (index < request.count) {
    const word = request.word(index);
    const isUnit = EXPIRY_UNITS.has(word) && index + 1 < request.count;
    if ((chosen !== "" && chosen !== word) || (word !== "persist" && !isUnit)) syntaxError();
    chosen = word;
    index += isUnit ? 2 : 1;
  }
  return { word: chosen, index: index - 1 };
}

/** An invalid time is an error only if the key exists, which is known only when the log applies the operation. */
function getexExpiry({ request, wall }: CommandCall, unit: ExpiryUnit, index: number): Millis | CommandRefusal {
  try {
    return expiryArgument({ request, index, unit, now: wall, command: "getex", mustBePositive: true });
  } catch (error) {
    if (error instanceof CommandRefusal) return error;
    throw error;
  }
}

function getdel(call: CommandCall): void {
  const { request, client } = call;
  const keys = [keyArgument(request, 1)];
  call.expectValue(valueBytesAt(call, 1));
  call.propose({ type: "delete", cache: client.cache, keys, when: "always", answerWith: "previous" }, asValue);
}

function getset(call: CommandCall): void {
  call.expectValue(valueBytesAt(call, 1));
  call.propose(setOf(call, 2, { answerWith: "previous" }), asPrevious);
}

function append(call: CommandCall): void {
  const { request, client } = call;
  const key = keyArgument(request, 1);
  call.propose({ type: "append", cache: client.cache, key, value: request.argument(2) }, asCount);
}

export const STRING_COMMANDS = defineCommands("string", [
  {
    name: "get",
    kind: "read",
    arity: 2,
    run: get,
    look: (call) => lookAt(call, { first: 1, wants: "value" }, asSeenValue),
    keys: KEY,
    summary: "Reads a value",
  },
  {
    name: "set",
    kind: "write",
    arity: -3,
    run: set,
    keys: KEY,
    summary: "Writes a value",
    flags: ["write", "denyoom"],
  },
  {
    name: "getset",
    kind: "write",
    arity: 3,
    run: getset,
    keys: KEY,
    summary: "Writes a value and returns the previous one",
  },
  {
    name: "setnx",
    kind: "write",
    arity: 3,
    run: (call) => call.propose(setOf(call, 2, { when: "absent" }), asDone),
    keys: KEY,
    summary: "Writes a value if the key does not exist",
  },
  {
    name: "setex",
    kind: "write",
    arity: 4,
    run: setWithSpan("setex"),
    keys: KEY,
    summary: "Writes a value that expires after seconds",
  },
  {
    name: "psetex",
    kind: "write",
    arity: 4,
    run: setWithSpan("psetex"),
    keys: KEY,
    summary: "Writes a value that expires after milliseconds",
  },
  {
    name: "mget",
    kind: "read",
    arity: -2,
    run: mget,
    look: (call) => lookAt(call, { first: 1, wants: "value" }, asSeenValues),
    keys: [1, -1, 1],
    summary: "Reads several values",
  },
  {
    name: "mset",
    kind: "write",
    arity: -3,
    run: mset("mset"),
    keys: [1, -1, 2],
    summary: "Writes several values at once",
  },
  {
    name: "msetnx",
    kind: "write",
    arity: -3,
    run: mset("msetnx"),
    keys: [1, -1, 2],
    summary: "Writes several values if none of the keys exists",
  },
  { name: "getdel", kind: "write", arity: 2, run: getdel, keys: KEY, summary: "Reads a value and deletes it" },
  { name: "getex", kind: "write", arity: -2, run: getex, keys: KEY, summary: "Reads a value and changes its expiry" },
  { name: "append", kind: "write", arity: 3, run: append, keys: KEY, summary: "Adds bytes at the end of a value" },
  {
    name: "strlen",
    kind: "read",
    arity: 2,
    run: strlen,
    look: (call) => lookAt(call, { first: 1, wants: "facts" }, asSeenLength),
    keys: KEY,
    summary: "Length of a value in bytes",
  },
]);
