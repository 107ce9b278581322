/** The same random commands to a real Redis and to our sessions: every reply is the same, errors to the letter. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Child, startChild } from "@sluice/testkit/child";
import { freePort } from "@sluice/testkit/free-port";
import { seededRandom } from "@sluice/testkit/random";
import { CORNERS } from "./support/corner-commands.ts";
import { randomCommand } from "./support/random-commands.ts";
import { type Reply, RespClient } from "./support/resp-client.ts";
import { RespMember } from "./support/resp-member.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const COMMANDS_PER_SEED = 1_500;
const COMMANDS_PER_PIPELINE = 50;
const TRANSACTIONS_PER_SEED = 150;
/** What the answers of two processes may lie apart, in ms: the spans of random-commands.ts are a thousand seconds and more. */
const CLOCK_SLACK_MILLIS = 100_000;
/** How many ms one of what each of these commands answers is. Times given as such are exact: `FIRST_GIVEN_MILLIS`. */
const MILLIS_PER_ANSWER: Readonly<Record<string, number>> = {
  TTL: 1_000,
  PTTL: 1,
  EXPIRETIME: 1_000,
  PEXPIRETIME: 1,
};
/** The earliest time to come that EXPIREAT and its like are given, in ms since 1970; a span from now ends long before. */
const FIRST_GIVEN_MILLIS = 4_000_000_000_000;

let folder: string;
let redis: Child;
let redisPort: number;
let member: RespMember;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-resp-"));
  redisPort = await freePort();
  redis = startChild(["redis-server", "--port", String(redisPort), "--bind", "127.0.0.1", "--save", ""], {
    cwd: folder,
  });
  await redis.waitForLine((line) => (line.includes("Ready to accept connections") ? line : undefined));
  member = await RespMember.start();
});

after(async () => {
  await redis?.[Symbol.asyncDispose]();
  await member?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

for (const protocol of ["2", "3"]) {
  for (const seed of SEEDS) {
    test(`[RSP1] random commands in RESP ${protocol}, seed ${seed}`, async () => {
      await using theirs = await RespClient.open(redisPort);
      await using ours = await RespClient.open(member.port);
      const opening = [["HELLO", protocol], ["FLUSHALL"]];
      await theirs.ask(opening);
      await ours.ask(opening);
      const random = seededRandom(seed);
      for (let sent = 0; sent < COMMANDS_PER_SEED; sent += COMMANDS_PER_PIPELINE) {
        const commands = Array.from({ length: COMMANDS_PER_PIPELINE }, () => randomCommand(random)).filter(isRequest);
        const [expected, actual] = await Promise.all([theirs.ask(commands), ours.ask(commands)]);
        for (const [i, command] of commands.entries()) {
          const context = `command ${sent + i} of seed ${seed}: ${JSON.stringify(command)}`;
          if (!isSameTime(command, actual[i], expected[i]))
            assert.deepEqual(comparable(command, actual[i]), comparable(command, expected[i]), context);
        }
      }
    });
  }
}

/** Those that Redis lets into a transaction, and we do not. */
const OUTSIDE_ONLY = ["KEYS", "SCAN", "CLIENT", "WAIT"];

for (const protocol of ["2", "3"]) {
  for (const seed of SEEDS) {
    test(`[RSP105] random transactions in RESP ${protocol}, seed ${seed}`, async () => {
      await using theirs = await RespClient.open(redisPort);
      await using ours = await RespClient.open(member.port);
      for (const client of [theirs, ours]) await client.ask([["HELLO", protocol], ["FLUSHALL"]]);
      const random = seededRandom(1_000 + seed);
      for (let sent = 0; sent < TRANSACTIONS_PER_SEED; sent++) {
        const parts = Array.from({ length: sent % 12 }, () => randomCommand(random))
          .filter(isRequest)
          .filter(([name = ""]) => !OUTSIDE_ONLY.includes(name.toUpperCase()));
        const commands = [["MULTI"], ...parts, [random() < 0.9 ? "EXEC" : "DISCARD"]];
        const [expected, actual] = await Promise.all([theirs.ask(commands), ours.ask(commands)]);
        const context = `transaction ${sent} of seed ${seed}: ${JSON.stringify(commands)}`;
        assert.deepEqual(actual.slice(0, -1), expected.slice(0, -1), context);
        const [whole, wanted] = [actual.at(-1), expected.at(-1)];
        if (!Array.isArray(whole) || !Array.isArray(wanted)) assert.deepEqual(whole, wanted, context);
        else
          for (const [i, command] of parts.entries())
            if (!isSameTime(command, whole[i], wanted[i]))
              assert.deepEqual(whole[i], wanted[i], `part ${i} of ${context}`);
      }
    });
  }
}

for (const protocol of ["2", "3"]) {
  for (const [what, commands] of Object.entries(CORNERS)) {
    test(`[RSP1] ${what}, in RESP ${protocol}`, async () => {
      await using theirs = await RespClient.open(redisPort);
      await using ours = await RespClient.open(member.port);
      for (const client of [theirs, ours]) await client.ask([["HELLO", protocol], ["FLUSHALL"]]);
      for (const command of commands) {
        const [expected, actual] = await Promise.all([theirs.ask([command]), ours.ask([command])]);
        assert.deepEqual(withoutId(actual[0]), withoutId(expected[0]), JSON.stringify(command));
      }
    });
  }
}

/** The number of the connection, in the answer to HELLO, is each one's own. */
function withoutId(reply: Reply | undefined): unknown {
  const list = Array.isArray(reply) ? reply : ((reply as { readonly map?: readonly Reply[] } | undefined)?.map ?? []);
  return list[0] === "server" ? list.filter((_, i) => list[i - 1] !== "id") : reply;
}

test("[RSP1] counting keys, and the answers to what tools ask first", async () => {
  await using theirs = await RespClient.open(redisPort);
  await using ours = await RespClient.open(member.port);
  const commands = [
    ["FLUSHALL"],
    ["MSET", "a", "1", "b", "2"],
    ["DBSIZE"],
    ["CONFIG", "GET", "save"],
    ["CLIENT", "SETNAME", "me"],
    ["CLIENT", "GETNAME"],
    ["COMMAND", "INFO", "nosuch"],
    ["RESET"],
    ["SUBSCRIBE", "one", "two"],
    ["GET", "a"],
    ["PING"],
    ["UNSUBSCRIBE", "one"],
    ["RESET"],
    ["READONLY"],
    ["ROLE"],
  ];
  assert.deepEqual((await ours.ask(commands)).slice(0, -1), (await theirs.ask(commands)).slice(0, -1));
});

test("[RSP2] bytes that are no request get the same error, and the connection ends", async () => {
  for (const text of [
    "*1\r\nGET\r\n",
    "*x\r\n",
    "*1\r\n$-5\r\n",
    "*1\r\n$x\r\n",
    "*99999999999\r\n",
    '"unbalanced\r\n',
    "*1\r\n$99999999999\r\n",
  ]) {
    await using theirs = await RespClient.open(redisPort);
    await using ours = await RespClient.open(member.port);
    assert.equal(await ours.raw(text), await theirs.raw(text), JSON.stringify(text));
  }
});

function isRequest(command: readonly string[]): boolean {
  return command.length > 0;
}

/** Whether both are times as near each other as two processes that were asked one after the other can be. */
function isSameTime(command: readonly string[], ours: Reply | undefined, theirs: Reply | undefined): boolean {
  const unit = MILLIS_PER_ANSWER[command[0]?.toUpperCase() ?? ""];
  if (unit === undefined || typeof ours !== "number" || typeof theirs !== "number") return false;
  if (ours < 0 || theirs < 0) return false;
  const isGiven = command[0]?.toUpperCase().endsWith("EXPIRETIME") && theirs * unit >= FIRST_GIVEN_MILLIS;
  return !isGiven && Math.abs(ours - theirs) * unit <= CLOCK_SLACK_MILLIS;
}

/** What must be the same: the order of keys is free. */
function comparable(command: readonly string[], reply: Reply | undefined): unknown {
  const name = command[0]?.toUpperCase();
  if (name === "KEYS" && Array.isArray(reply)) return sorted(reply);
  if (name === "SCAN" && Array.isArray(reply) && reply.length === 2) return [reply[0], sorted(reply[1] as Reply[])];
  return reply;
}

function sorted(list: readonly Reply[]): Reply[] {
  return [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
