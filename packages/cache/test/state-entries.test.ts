/** What operations do to entries: versions, conditions, expiry, counters, batches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { latin1, latin1Bytes } from "@sluice/cache/state/integer-text";
import { addDecimals } from "@sluice/cache/state/long-double";
import type { CacheName, EntryVersion, ExpiryCondition, Operation } from "@sluice/cache/state/operation";
import { CACHE, increment, LogFeeder, remove, set, snapshotBytes } from "./support/log-feeder.ts";

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
  ["abc", "1", undefined],
  [".", "1", undefined],
];

for (const [current, by, sum] of FLOAT_ROWS) {
  test(`[ENT16] ${current} and ${by} is ${sum ?? "refused"}`, () => {
    assert.deepEqual(addDecimals(current, by), sum === undefined ? { problem: "current" } : { sum });
  });
}

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
