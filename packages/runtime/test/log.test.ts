/** The log's form, the folding of floods, and the clock behind it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { Log } from "@sluice/base/log";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { SystemClock } from "@sluice/runtime/system-clock";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { isSameSecret } from "@sluice/runtime/secret-compare";
import { floodFold } from "@sluice/runtime/flood-fold";
import { openLog } from "@sluice/runtime/log";
import { FakeClock } from "@sluice/testkit/fake-clock";

/** Where a log writes to, and what it wrote. */
function sink(isTTY: boolean) {
  const lines: string[] = [];
  return { lines, stream: { isTTY, write: (text: string) => void lines.push(text) } };
}

test("[LOG1] a line is a JSON object with level, time and message", () => {
  const { lines, stream } = sink(false);
  const log = openLog({ format: "auto", level: "info" }, stream).child({ node: "n" });
  log.debug({}, "unheard");
  log.warn({ port: 1, err: new Error("why") }, "Heard");
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? "");
  assert.deepEqual([line.level, line.msg, line.node, line.port, line.err.message], ["warn", "Heard", "n", 1, "why"]);
  assert.ok(!Number.isNaN(Date.parse(line.time)));
  assert.ok(lines[0]?.endsWith("\n"));
});

test("[LOG1] pretty for a terminal, or where asked for; json on a terminal where asked for; silence", () => {
  const first = (format: "auto" | "json" | "pretty", isTTY: boolean, level: "info" | "silent" = "info") => {
    const { lines, stream } = sink(isTTY);
    openLog({ format, level }, stream).info({ a: 1 }, "Hello");
    return lines.join("");
  };
  assert.match(first("auto", true), /INFO.*Hello.*"a":1/s);
  assert.match(first("pretty", false), /INFO.*Hello/);
  assert.equal(JSON.parse(first("json", true)).msg, "Hello");
  assert.equal(first("auto", false, "silent"), "");
});

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[\\d*m`, "g");
const HOSTILE = "a\u001b]0;owned\u0007\u009b31m\r\nINFO forged\u202e";

test("[LOG150] what a peer claims moves no terminal: in pretty lines and in JSON, colours aside", () => {
  for (const format of ["pretty", "json"] as const)
    for (const isTTY of [true, false]) {
      const { lines, stream } = sink(isTTY);
      const log = openLog({ format, level: "info" }, stream).child({ node: HOSTILE });
      const err = new Error(HOSTILE);
      log.info({ agent: HOSTILE, list: [HOSTILE], [HOSTILE]: { deep: HOSTILE }, err }, HOSTILE);
      const text = lines.join("").replaceAll(COLOUR, "");
      assert.doesNotMatch(text, /[^\P{Cc}\n]|\u202e/u);
      assert.equal(text.split("\n").filter((line) => line.startsWith("INFO forged")).length, 0);
      if (format === "json") assert.equal(JSON.parse(text).agent, HOSTILE);
    }
});

function recorder() {
  const said: [string, string, unknown][] = [];
  const make = (own: object): Log => {
    const at = (level: string) => (fields: object, message: string) =>
      void said.push([level, message, { ...own, ...fields }]);
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => make({ ...own, ...fields }),
    };
  };
  return { said, log: make({}) };
}

test("[LOG2] repeats become one line a second with their count and the newest fields", () => {
  const clock = new FakeClock();
  const { said, log } = recorder();
  const folded = floodFold(log, clock);
  for (let i = 0; i < 5; i++) folded.child({ session: i }).warn({ i }, "Refused");
  assert.deepEqual(said, [["warn", "Refused", { session: 0, i: 0 }]]);
  clock.advance(1_000);
  assert.deepEqual(said.slice(1), [["warn", "Refused", { session: 4, i: 4, repeats: 4 }]]);
  folded.warn({}, "Refused");
  clock.advance(1_000);
  assert.deepEqual(said.slice(2), [["warn", "Refused", { repeats: 1 }]]);
  clock.advance(1_000);
  folded.warn({}, "Refused");
  assert.deepEqual(said.slice(3), [["warn", "Refused", {}]]);
});

test("[LOG182] only repeats about one stream or one peer are folded: 29 publishers are 29 lines", () => {
  const clock = new FakeClock();
  const { said, log } = recorder();
  const folded = floodFold(log, clock);
  for (let i = 0; i < 29; i++) folded.info({ key: `live/${i}`, address: "10.0.0.1" }, "Stream is live");
  assert.equal(said.length, 29);
  for (let i = 0; i < 5; i++) folded.child({ address: `10.0.1.${i}` }).warn({}, "Refused");
  assert.equal(said.length, 34);
  for (let i = 0; i < 3; i++) folded.info({ key: "live/7", address: "10.0.0.1" }, "Stream is live");
  clock.advance(1_000);
  assert.deepEqual(said.slice(34), [["info", "Stream is live", { key: "live/7", address: "10.0.0.1", repeats: 3 }]]);
});

test("[LOG182] lines that each say something of their own are not folded, and a flood of them has an end", () => {
  const clock = new FakeClock();
  const { said, log } = recorder();
  const folded = floodFold(log, clock, { unfolded: new Set(["Session closed"]) });
  for (let i = 0; i < 300; i++) folded.info({ key: "live/cam", address: "10.0.0.1", session: i }, "Session closed");
  assert.equal(said.length, 300);
  for (let i = 0; i < 1_000; i++) folded.info({ address: `peer ${i}` }, "Session closed");
  for (let i = 0; i < 1_500; i++) folded.info({ address: `peer ${i}` }, "Refused");
  assert.equal(said.length, 2_000);
  clock.advance(1_000);
  assert.deepEqual(said.slice(2_000), [
    ["info", "Session closed", { repeats: 300 }],
    ["info", "Refused", { repeats: 500 }],
  ]);
  clock.advance(1_000);
  assert.equal(clock.pendingCount, 0);
  folded.info({ address: "peer 0" }, "Refused");
  assert.equal(said.length, 2_003);
});

test("[LOG183] no line has a field twice, whatever its log and its own fields are called", () => {
  const { lines, stream } = sink(false);
  const log = openLog({ format: "json", level: "info" }, stream).child({ node: "n1", key: "live/a" });
  log.child({ key: "live/b" }).info({ node: "v24", key: "live/c", level: 9, time: 1, msg: "m" }, "Hello");
  const names = [...(lines[0] ?? "").matchAll(/"(\w+)":/g)].map((match) => match[1]);
  assert.equal(names.length, 8);
  assert.deepEqual(new Set(names), new Set(["key", "level", "level_", "msg", "msg_", "node", "time", "time_"]));
  const line = JSON.parse(lines[0] ?? "");
  assert.deepEqual([line.level, line.msg, line.node, line.key, line.level_], ["info", "Hello", "v24", "live/c", 9]);
});

test("[LOG184] a failure outside is told by code and message, with its causes; a bug has its stack", () => {
  const { lines, stream } = sink(false);
  const log = openLog({ format: "json", level: "info" }, stream);
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), {
    code: "ECONNREFUSED",
    syscall: "connect",
  });
  const context = { engine: "redis", action: "open", reason: "nobody answers", isUnknown: false };
  const engine = new EngineUnavailableError(context, { cause: refused });
  const both = Object.assign(new AggregateError([refused, refused], ""), { code: "ECONNREFUSED" });
  for (const err of [refused, engine, both]) log.warn({ err }, "Outside");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).err),
    [
      { type: "Error", code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:1" },
      {
        type: "EngineUnavailableError",
        code: "UNAVAILABLE_ENGINE",
        message: 'Cannot open in engine "redis": nobody answers: connect ECONNREFUSED 127.0.0.1:1',
      },
      { type: "AggregateError", code: "ECONNREFUSED", message: "ECONNREFUSED" },
    ],
  );
  log.error({ err: new TypeError("a bug") }, "Bug");
  assert.match(JSON.parse(lines.at(-1) ?? "").err.stack, /log\.test/);
});

test("[LOG2] other messages and other levels pass, and quiet leaves no timer", () => {
  const clock = new FakeClock();
  const { said, log } = recorder();
  const folded = floodFold(log, clock);
  folded.info({}, "A");
  folded.info({}, "B");
  folded.warn({}, "A");
  assert.equal(said.length, 3);
  clock.advance(1_000);
  assert.deepEqual([said.length, clock.pendingCount], [3, 0]);
  for (let i = 0; i < 2_000; i++) folded.info({}, `message ${i}`);
  assert.equal(said.length, 2_003);
  assert.ok(clock.pendingCount <= 500);
});

test("the clock runs on, fires once, and takes a cancel and an abort", async () => {
  const clock = new SystemClock();
  const before = clock.now();
  let fired = 0;
  clock.after(1 as Millis, () => fired++);
  const cancelled = clock.after(1 as Millis, () => assert.fail("ran"));
  cancelled.cancel();
  cancelled.cancel();
  const far = clock.after(1e12 as Millis, () => assert.fail("ran at once"));
  const holding = setTimeout(() => {}, 1_000); // the clock's own timers keep no process alive
  await clock.sleep(10 as Millis, new AbortController().signal);
  clearTimeout(holding);
  far.cancel();
  assert.equal(fired, 1);
  assert.ok(clock.now() - before >= 9);
  assert.ok(Math.abs(clock.wall() - Date.now()) < 1_000);
  await assert.rejects(clock.sleep(1_000 as Millis, AbortSignal.abort(new Error("gone"))), /gone/);
  const stop = new AbortController();
  const sleeping = clock.sleep(60_000 as Millis, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(sleeping, /stopped/);
});

test("HMAC-SHA256 is RFC 4231's, random bytes are as many as asked for, secrets compare whole", () => {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const digest = Buffer.from(NODE_CRYPTO.hmacSha256(text("Jefe"), text("what do ya want for nothing?"))).toString(
    "hex",
  );
  assert.equal(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  assert.equal(NODE_CRYPTO.randomBytes(33).length, 33);
  for (const [a, b] of [
    ["", ""],
    ["x", "x"],
    ["x", "y"],
    ["x", "xx"],
    ["", "x"],
  ] as const)
    assert.equal(isSameSecret(a, b), a === b);
});
