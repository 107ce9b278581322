/** What operations do to entries: versions, conditions, expiry, counters, batches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { latin1, latin1Bytes } from "@sluice/cache/state/integer-text";
import { addDecimals } from "@sluice/cache/state/long-double";
import type {
  CacheName,
  EntryOperation,
  EntryVersion,
  ExpiryCondition,
  Operation,
} from "@sluice/cache/state/operation";
import { assertSameState, CACHE, increment, LogFeeder, remove, set, snapshotBytes } from "./support/log-feeder.ts";

function expire(key: string, expiry: number | "never", when: ExpiryCondition = "always"): Operation {
  return {
    type: "expire",
    cache: CACHE,
    key: latin1Bytes(key),
    expiry: expiry as Millis | "never",
    when,
    answerWith: "count",
  };
}

test("[ENT5] bytes that are no operation change nothing", () => {
  const log = new LogFeeder();
  log.feed(set("a", "1"));
  const before = snapshotBytes(log.state).length;
  for (const bytes of [[], [0], [0x7f], [1, 1, 0x30], [0x81, 0]]) {
    assert.deepEqual(log.feedBytes(Uint8Array.from(bytes)), { type: "refused", reason: "bad-operation" });
  }
  assert.equal(snapshotBytes(log.state).length, before);
  assert.equal(log.get("a"), "1");
});

test("[ENT6] an operation that is stamped earlier counts as done at the latest time before it", () => {
  const log = new LogFeeder();
  log.time = 5_000;
  log.feed(set("a", "1", { expiry: 6_000 as Millis }));
  log.time = 7_000;
  log.feed(set("b", "1"));
  log.time = 100;
  assert.deepEqual(log.feed(set("a", "2", { when: "present" })), { type: "kept", version: 0 });
});

test("[ENT7] the generation is set once", () => {
  const log = new LogFeeder();
  log.feed({ type: "found", generation: 41 });
  log.feed({ type: "found", generation: 42 });
  assert.equal(log.state.generation, 41);
});

test("[ENT10] the version is the index of the last write, and an expiry leaves it", () => {
  const log = new LogFeeder();
  log.feed(set("other", "x"));
  assert.deepEqual(log.feed(set("a", "1")), { type: "written", version: 2 });
  log.feed(expire("a", 9_000));
  assert.equal(log.view("a")?.version, 2);
  assert.equal(log.view("a")?.expiresAt, 9_000);
  log.feed(increment("a"));
  assert.equal(log.view("a")?.version, 4);
});

test("[ENT11] conditions: absent, present, at a version", () => {
  const log = new LogFeeder();
  assert.deepEqual(log.feed(set("a", "1", { when: "present" })), { type: "kept", version: 0 });
  assert.equal(log.feed(set("a", "1", { when: "absent" })).type, "written");
  assert.deepEqual(log.feed(set("a", "2", { when: "absent", answerWith: "previous" })), {
    type: "kept",
    version: 2,
    previous: latin1Bytes("1"),
  });
  assert.deepEqual(log.feed(set("a", "2", { when: 1 as EntryVersion })), { type: "kept", version: 2 });
  assert.equal(log.feed(set("a", "3", { when: 2 as EntryVersion })).type, "written");
  assert.equal(log.get("a"), "3");
  const stale = {
    type: "delete",
    cache: CACHE,
    keys: [latin1Bytes("a")],
    when: 2 as EntryVersion,
    answerWith: "count",
  } as const;
  assert.deepEqual(log.feed(stale), { type: "count", count: 0 });
  assert.deepEqual(log.feed({ ...stale, when: 5 as EntryVersion }), { type: "count", count: 1 });
});

test("[ENT12] an entry whose time is over is not there, before anybody removed it", () => {
  const log = new LogFeeder();
  log.feed(set("a", "1", { expiry: 2_000 as Millis }));
  log.time = 2_000;
  assert.equal(log.get("a"), "1");
  log.time = 2_001;
  assert.equal(log.get("a"), undefined);
  assert.deepEqual(log.keys(), []);
  assert.deepEqual(log.feed(remove("a")), { type: "count", count: 0 });
  assert.deepEqual(log.feed(set("a", "2", { expiry: "keep" })), { type: "written", version: 3 });
  assert.equal(log.view("a")?.expiresAt, "never");
});

test("[ENT13] due entries are found by the leader's clock; those written since stay", () => {
  const log = new LogFeeder();
  for (const key of ["a", "b", "c"]) log.feed(set(key, "1", { expiry: 2_000 as Millis }));
  log.feed(set("later", "1", { expiry: 9_000 as Millis }));
  log.time = 2_001;
  const due = log.state.takeUpkeep(log.time as Millis);
  assert.equal(due.length, 1);
  log.feed(set("b", "2"));
  for (const operation of due) assert.deepEqual(log.feed(operation), { type: "count", count: 2 });
  assert.deepEqual(log.keys(), ["b", "later"]);
  assert.deepEqual(log.state.takeUpkeep(log.time as Millis), []);
});

const EXPIRY_ROWS: readonly (readonly [ExpiryCondition, number, number, number])[] = [
  // condition, before (0 none), asked for, count
  ["always", 0, 5_000, 1],
  ["none-set", 0, 5_000, 1],
  ["none-set", 4_000, 5_000, 0],
  ["one-set", 0, 5_000, 0],
  ["one-set", 4_000, 5_000, 1],
  ["later", 0, 5_000, 0],
  ["later", 4_000, 5_000, 1],
  ["later", 6_000, 5_000, 0],
  ["sooner", 0, 5_000, 1],
  ["sooner", 4_000, 5_000, 0],
  ["sooner", 6_000, 5_000, 1],
  ["one-set-sooner", 0, 5_000, 0],
  ["one-set-sooner", 6_000, 5_000, 1],
  ["later", 4_000, 0, 0],
];

for (const [when, before, asked, count] of EXPIRY_ROWS) {
  test(`[ENT14] expiry ${when}: from ${before} to ${asked}`, () => {
    const log = new LogFeeder();
    log.feed(set("a", "1", before === 0 ? {} : { expiry: before as Millis }));
    assert.deepEqual(log.feed(expire("a", asked, when)), { type: "count", count });
    assert.equal(log.view("a")?.expiresAt, count === 1 ? asked : before === 0 ? "never" : before);
  });
}

test("[ENT14] a time that has passed deletes, and never lets an entry stay", () => {
  const log = new LogFeeder();
  log.feed(set("a", "1"));
  assert.deepEqual(log.feed(expire("a", 0)), { type: "count", count: 1 });
  assert.equal(log.get("a"), undefined);
  log.feed(set("b", "1", { expiry: 3_000 as Millis }));
  assert.deepEqual(log.feed(expire("b", "never")), { type: "count", count: 1 });
  assert.deepEqual(log.feed(expire("b", "never")), { type: "count", count: 0 });
  log.time = 9_000;
  assert.equal(log.get("b"), "1");
});

const COUNTER_ROWS: readonly (readonly [string | undefined, bigint, string])[] = [
  [undefined, 1n, "1"],
  ["10", -11n, "-1"],
  ["9223372036854775806", 1n, "9223372036854775807"],
  ["9223372036854775807", 1n, "increment-overflow"],
  ["-9223372036854775808", -1n, "increment-overflow"],
  ["007", 1n, "not-an-integer"],
  ["+1", 1n, "not-an-integer"],
  ["", 1n, "not-an-integer"],
  ["1.0", 1n, "not-an-integer"],
  ["-0", 1n, "not-an-integer"],
  ["999999999999999", 1n, "1000000000000000"],
];

for (const [before, by, after] of COUNTER_ROWS) {
  test(`[ENT15] ${before ?? "nothing"} and ${by} is ${after}`, () => {
    const log = new LogFeeder();
    if (before !== undefined) log.feed(set("n", before, { expiry: 9_000 as Millis }));
    const answer = log.feed(increment("n", by));
    if (answer.type === "number") {
      assert.equal(answer.text, after);
      assert.equal(log.get("n"), after);
      assert.equal(log.view("n")?.expiresAt, before === undefined ? "never" : 9_000);
    } else assert.deepEqual(answer, { type: "refused", reason: after });
  });
}

const FLOAT_ROWS: readonly (readonly [string, string, string | undefined])[] = [
  ["0.1", "0.2", "0.3"],
  ["10.50", "0.1", "10.6"],
  ["5.0e3", "2.0e2", "5200"],
  ["3", "-3", "0"],
  ["-0.5", "0.25", "-0.25"],
  ["100000000000000000000", "1", "100000000000000000000"],
  ["3", "0x10", "19"],
  ["0x1.8p3", "-0X.8", "11.5"],
  ["1.", ".5", "1.5"],
  ["1e4933", "1", undefined],
  ["1e-4960", "1", undefined],
  ["0x", "1", undefined],
  ["1e", "1", undefined],
  ["nan", "1", undefined],
  [" 1", "1", undefined],
  ["abc", "1", undefined],
  [".", "1", undefined],
];

for (const [current, by, sum] of FLOAT_ROWS) {
  test(`[ENT16] ${current} and ${by} is ${sum ?? "refused"}`, () => {
    assert.deepEqual(addDecimals(current, by), sum === undefined ? { problem: "current" } : { sum });
  });
}

test("[ENT16] a sum with infinity is refused as such, and one of numbers far apart is the larger", () => {
  for (const [current, by] of [
    ["inf", "1"],
    ["1", "-Infinity"],
    ["inf", "-inf"],
    ["1e4932", "1e4932"],
  ] as const)
    assert.deepEqual(addDecimals(current, by), { problem: "not-finite" }, `${current} and ${by}`);
  assert.deepEqual(addDecimals("inf", "nan"), { problem: "by" });
  const large = addDecimals("1e4900", "0");
  assert.deepEqual(addDecimals("1e4900", "1e-4900"), large);
  assert.ok("sum" in large && large.sum.length === 4_901);
});

test("[ENT100] adding to a value, and counting on one that is no number, costs what is added and not what stands", () => {
  const log = new LogFeeder();
  const size = 4 * 1024 * 1024;
  log.feed(set("a", "x".repeat(size)));
  const append = { type: "append", cache: CACHE, key: latin1Bytes("a"), value: latin1Bytes("yz") } as const;
  const before = log.state.work;
  for (let i = 1; i <= 1_000; i++) assert.deepEqual(log.feed(append), { type: "count", count: size + 2 * i });
  assert.deepEqual(log.feed(increment("a")), { type: "refused", reason: "not-an-integer" });
  assert.deepEqual(log.feed({ ...increment("a"), type: "increment-float", by: "1" } as EntryOperation), {
    type: "refused",
    reason: "not-a-float",
  });
  // One move to a larger block at most, of four thousand units.
  assert.ok(log.state.work - before < 10_000, `${log.state.work - before}`);
  const value = log.get("a") ?? "";
  assert.equal(value.length, size + 2_000);
  assert.ok(value.startsWith("xxx") && value.endsWith("yzyz"));
});

test("[ENT100] what is added while a snapshot is read does not show in it, and short values grow as well", () => {
  const log = new LogFeeder();
  log.feed(set("a", "x".repeat(100)));
  log.feed(set("b", ""));
  const pieces = log.state.snapshot()[Symbol.iterator]();
  const append = (key: string, text: string) =>
    log.feed({ type: "append", cache: CACHE, key: latin1Bytes(key), value: latin1Bytes(text) });
  for (let i = 0; i < 300; i++) append("a", "y");
  for (let i = 0; i < 300; i++) append("b", `${i % 10}`);
  const restored = new LogFeeder();
  const taken: Uint8Array[] = [];
  for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) taken.push(piece.value.slice());
  restored.state.restore(taken);
  assert.equal(restored.get("a"), "x".repeat(100));
  assert.equal(restored.get("b"), "");
  assert.equal(log.get("a"), "x".repeat(100) + "y".repeat(300));
  assert.equal(log.get("b"), "0123456789".repeat(30));
});

test("[ENT101] a flush empties its cache at once, whatever it held, and its memory is free a while later", () => {
  const log = new LogFeeder();
  for (let i = 0; i < 40_000; i++) log.feed(set(`key${i}`, "x".repeat(100)));
  const held = log.state.heldBytes;
  const before = log.state.work;
  log.feed({ type: "flush-all" });
  assert.ok(log.state.work - before < 1_000);
  assert.equal(log.state.snapshotBytes, 0);
  assert.equal(log.get("key1"), undefined);
  assert.ok(log.state.heldBytes > held / 2);
  log.feed(set("key1", "new"));
  while (log.state.sweep());
  assert.equal(log.get("key1"), "new");
  assert.ok(log.state.heldBytes < held / 4);
  for (let i = 0; i < 1_000; i++) log.feed(set(`again${i}`, "y".repeat(i)));
  for (let i = 0; i < 1_000; i++) assert.equal(log.get(`again${i}`), "y".repeat(i));
});

test("[ENT101] operations sweep, too, where nobody else does", () => {
  const log = new LogFeeder();
  for (let i = 0; i < 5_000; i++) log.feed(set(`key${i}`, "x".repeat(2_000)));
  const held = log.state.heldBytes;
  log.feed({ type: "flush", cache: CACHE });
  for (let i = 0; i < 10; i++) log.feed(set("a", `${i}`));
  assert.ok(log.state.heldBytes < held / 4);
});

test("[ENT102] a transaction leaves a refused part out, sees its own writes, and is the same on every member", () => {
  const [one, two] = [new LogFeeder(), new LogFeeder({}, 2)];
  const look = { type: "look", cache: CACHE, wants: "value", keys: [latin1Bytes("n"), latin1Bytes("none")] } as const;
  const parts = [set("n", "1"), increment("n"), look, set("text", "x"), increment("text"), remove("n")];
  for (const log of [one, two]) {
    const answer = log.feed({ type: "transaction", watched: [], parts });
    assert.equal(answer.type, "batch");
    if (answer.type !== "batch") continue;
    assert.deepEqual(
      answer.answers.map(({ type }) => type),
      ["written", "number", "seen", "written", "refused", "count"],
    );
    const seen = { value: latin1Bytes("2"), valueBytes: 1, expiresAt: 0 };
    assert.deepEqual(answer.answers[2], { type: "seen", entries: [seen, undefined] });
    assert.deepEqual(log.keys(), ["text"]);
    assert.equal(log.view("text")?.version, answer.version);
  }
  assertSameState(one.state, two.state);
});

test("[ENT102] a transaction of too many parts, or whose watched entry changed, does nothing", () => {
  const log = new LogFeeder({ operationParts: 3 });
  const four = { type: "transaction", watched: [], parts: [set("a", "1"), remove("b", "c", "d")] } as const;
  assert.deepEqual(log.feed(four), { type: "refused", reason: "bad-operation" });
  log.feed(set("w", "1"));
  const version = log.view("w")?.version as EntryVersion;
  const watched = [{ cache: CACHE, key: latin1Bytes("w"), version, expiresAt: 0 as Millis }] as const;
  const parts = [set("a", "1")];
  assert.equal(log.feed({ type: "transaction", watched, parts }).type, "batch");
  log.feed({
    type: "expire",
    cache: CACHE,
    key: latin1Bytes("w"),
    expiry: 9_000 as Millis,
    when: "always",
    answerWith: "count",
  });
  assert.deepEqual(log.feed({ type: "transaction", watched, parts: [remove("a")] }), { type: "kept", version });
  assert.equal(log.get("a"), "1");
});

test("[ENT17] a batch needs all its conditions, and its entries have one version", () => {
  const log = new LogFeeder();
  log.feed(set("a", "1"));
  const condition = { cache: CACHE, key: latin1Bytes("a"), when: 1 as EntryVersion };
  const batch = {
    type: "batch",
    conditions: [condition],
    operations: [set("a", "2"), set("b", "3"), remove("c")],
  } as const;
  const answer = log.feed(batch);
  assert.equal(answer.type === "batch" && answer.answers.length, 3);
  assert.equal(log.view("a")?.version, 2);
  assert.equal(log.view("b")?.version, 2);
  assert.deepEqual(log.feed(batch), { type: "kept", version: 2 });
  assert.equal(log.get("b"), "3");
});

test("[ENT17] a batch that fails in its middle leaves everything as it was", () => {
  const log = new LogFeeder();
  log.feed(set("a", "1", { expiry: 9_000 as Millis }));
  log.feed(set("text", "no number"));
  const changes = log.state.openChanges({});
  const before = log.view("a");
  const operations = [
    increment("a"),
    set("new", "x"),
    remove("text"),
    set("text", "still no number"),
    increment("text"),
  ];
  assert.deepEqual(log.feed({ type: "batch", conditions: [], operations }), {
    type: "refused",
    reason: "not-an-integer",
  });
  assert.deepEqual(log.view("a"), before);
  assert.deepEqual(log.keys(), ["a", "text"]);
  assert.equal(log.get("text"), "no number");
  assert.equal(changes.take(), undefined);
});

test("[ENT18] keys and values over the limit are refused", () => {
  const log = new LogFeeder({ keyBytes: 4, valueBytes: 6 });
  const refused = { type: "refused", reason: "value-too-large" };
  assert.deepEqual(log.feed(set("12345", "")), refused);
  assert.deepEqual(log.feed(set("1", "1234567")), refused);
  assert.equal(log.feed(set("1234", "123456")).type, "written");
  const append = { type: "append", cache: CACHE, key: latin1Bytes("1234"), value: latin1Bytes("7") } as const;
  assert.deepEqual(log.feed(append), refused);
  assert.equal(log.get("1234"), "123456");
});

test("[ENT18] a cache too many is refused, and those that are there go on", () => {
  const log = new LogFeeder({ caches: 2 });
  log.feed(set("a", "1"));
  log.feed(set("a", "1", { cache: "named" as CacheName }));
  assert.deepEqual(log.feed(set("a", "1", { cache: "third" as CacheName })), {
    type: "refused",
    reason: "too-many-caches",
  });
  assert.equal(log.get("a", "named" as CacheName), "1");
});

test("entries of all sizes are overwritten, grown, shrunk and deleted without mixing them up", () => {
  const log = new LogFeeder();
  const sizes = [0, 1, 15, 16, 17, 1_000, 1_025, 5_000, 40_000, 300_000, 3];
  for (let round = 0; round < sizes.length; round++) {
    for (const [i, size] of sizes.entries()) {
      log.feed(set(`k${i}`, String.fromCharCode(65 + round).repeat(sizes[(i + round) % sizes.length] ?? size)));
    }
    for (const [i] of sizes.entries()) {
      const value = log.view(`k${i}`)?.value ?? new Uint8Array(0);
      assert.equal(value.length, sizes[(i + round) % sizes.length]);
      assert.ok(value.every((byte) => byte === 65 + round));
    }
  }
  log.feed(remove(...sizes.map((_, i) => `k${i}`)));
  assert.equal(log.state.heldBytes, 0);
  assert.equal(latin1(latin1Bytes("ÿ")), "ÿ");
});

test("thirty thousand keys are found while they come and go, and are all gone at the end", () => {
  const log = new LogFeeder();
  const count = 30_000;
  for (let i = 0; i < count; i++) log.feed(set(`key${i}`, `${i}`));
  for (let i = 0; i < count; i += 3) log.feed(remove(`key${i}`));
  for (let i = 0; i < count; i += 7) assert.equal(log.get(`key${i}`), i % 3 === 0 ? undefined : `${i}`);
  for (let i = 0; i < count; i += 3) log.feed(set(`key${i}`, "again"));
  for (let i = 0; i < count; i += 11) assert.equal(log.get(`key${i}`), i % 3 === 0 ? "again" : `${i}`);
  for (let i = 0; i < count; i++) assert.deepEqual(log.feed(remove(`key${i}`)), { type: "count", count: 1 });
  assert.deepEqual(log.keys(), []);
  assert.equal(log.state.heldBytes, 0);
});
