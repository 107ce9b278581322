/** Caches with limits, leases, remembered answers, listeners. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { latin1, latin1Bytes } from "@sluice/cache/state/integer-text";
import type { LeaseId, Operation, OperationAnswer } from "@sluice/cache/state/operation";
import { ENTRY_OVERHEAD_BYTES } from "@sluice/cache/state/entry-table";
import { assertSameState, CACHE, increment, LogFeeder, remove, set } from "./support/log-feeder.ts";

function limit(entries: number, bytes = 0): Operation {
  return { type: "configure", cache: CACHE, limits: { entries, bytes } };
}

function grant(log: LogFeeder, ttl: number): LeaseId {
  const answer = log.feed({ type: "lease-grant", ttl: ttl as Millis });
  assert.equal(answer.type, "lease");
  return answer.type === "lease" ? answer.lease : (0 as LeaseId);
}

test("[ENT20] the entry used longest ago goes first", () => {
  const log = new LogFeeder();
  log.feed(limit(3));
  for (const key of ["a", "b", "c"]) log.feed(set(key, "1"));
  log.feed(set("a", "2"));
  log.feed(set("d", "1"));
  assert.deepEqual(log.keys(), ["a", "c", "d"]);
  log.feed(limit(1));
  assert.deepEqual(log.keys(), ["d"]);
});

test("[ENT20] a limit in bytes counts keys, values and the overhead of entries", () => {
  const log = new LogFeeder();
  log.feed(limit(0, 2 * (ENTRY_OVERHEAD_BYTES + 10)));
  log.feed(set("a", "123456789"));
  log.feed(set("b", "123456789"));
  assert.deepEqual(log.keys(), ["a", "b"]);
  log.feed(set("b", "1234567890"));
  assert.deepEqual(log.keys(), ["b"]);
});

test("[ENT20] members evict alike, one that began from a snapshot included", () => {
  const one = new LogFeeder({}, 1);
  const other = new LogFeeder({}, 99);
  const feed = (operation: Operation) => [one, other].forEach((log) => log.feed(operation));
  feed(limit(50));
  for (let i = 0; i < 400; i++) {
    feed(set(`k${(i * 7919) % 83}`, `v${i}`));
    if (i === 200) other.state.restore([...one.state.snapshot()]);
  }
  assertSameState(one.state, other.state);
});

test("[ENT21] reads on the leader count as uses once the log was told", () => {
  const log = new LogFeeder();
  log.feed(limit(3));
  for (const key of ["a", "b", "c"]) log.feed(set(key, "1"));
  log.get("a");
  log.upkeep();
  log.feed(set("d", "1"));
  assert.deepEqual(log.keys(), ["a", "c", "d"]);
});

test("[ENT22] an entry that could never fit is refused and evicts nothing", () => {
  const log = new LogFeeder();
  log.feed(limit(0, 200));
  log.feed(set("a", "1"));
  assert.deepEqual(log.feed(set("b", "x".repeat(200))), { type: "refused", reason: "entry-over-cache-limit" });
  assert.deepEqual(log.keys(), ["a"]);
});

test("[ENT30] the token of a lease is the index of its grant", () => {
  const log = new LogFeeder();
  log.feed(set("a", "1"));
  assert.equal(grant(log, 1_000), 2);
  assert.equal(grant(log, 1_000), 3);
});

test("[ENT31] entries vanish with their lease, unless they were written without it since", () => {
  const log = new LogFeeder();
  const lease = grant(log, 1_000);
  for (const key of ["a", "b", "c"]) log.feed(set(key, "1", { lease }));
  log.feed(set("b", "2"));
  assert.deepEqual(log.feed({ type: "lease-release", lease }), { type: "count", count: 2 });
  assert.deepEqual(log.keys(), ["b"]);
});

test("[ENT31] a lease that was renewed in time lives on; one that was not takes its entries along", () => {
  const log = new LogFeeder();
  const kept = grant(log, 1_000);
  const lost = grant(log, 1_000);
  log.feed(set("kept", "1", { lease: kept }));
  log.feed(set("lost", "1", { lease: lost }));
  log.time += 900;
  log.feed({ type: "lease-renew", lease: kept });
  log.time += 900;
  const due = log.state.takeUpkeep(log.time as Millis);
  assert.deepEqual(due, [{ type: "leases-expire", leases: [lost] }]);
  for (const operation of due) log.feed(operation);
  assert.deepEqual(log.keys(), ["kept"]);
});

test("[ENT13] a lease that is renewed between proposal and log stays", () => {
  const log = new LogFeeder();
  const lease = grant(log, 1_000);
  log.time += 1_500;
  const due = log.state.takeUpkeep(log.time as Millis);
  log.feed({ type: "lease-renew", lease });
  for (const operation of due) assert.deepEqual(log.feed(operation), { type: "count", count: 0 });
});

test("[ENT32] a new term gives every lease its whole time again", () => {
  const log = new LogFeeder();
  const lease = grant(log, 1_000);
  log.time += 5_000;
  log.term = 2;
  assert.deepEqual(log.feed({ type: "lease-renew", lease }), { type: "lease", lease, expiresAt: log.time + 1_000 });
  assert.deepEqual(log.state.takeUpkeep(log.time as Millis), []);
});

test("[ENT33] a write under a lease that is gone is refused", () => {
  const log = new LogFeeder();
  const lease = grant(log, 1_000);
  log.feed({ type: "lease-release", lease });
  assert.deepEqual(log.feed(set("a", "1", { lease })), { type: "refused", reason: "lease-gone" });
  assert.deepEqual(log.feed({ type: "lease-renew", lease }), { type: "refused", reason: "lease-gone" });
});

test("[ENT33] leases over their limit are refused", () => {
  const log = new LogFeeder({ leases: 1 });
  grant(log, 1_000);
  assert.deepEqual(log.feed({ type: "lease-grant", ttl: 1 as Millis }), { type: "refused", reason: "too-many-leases" });
});

test("[ENT40] a request that comes again is answered and not done again, behind a snapshot too", () => {
  const log = new LogFeeder();
  const id = { client: "c1", sequence: 1 };
  const first = log.feed(increment("n"), id);
  assert.deepEqual(first, { type: "number", text: "1" });
  const pieces = [...log.state.snapshot()];
  log.state.restore(pieces);
  assert.deepEqual(log.feed(increment("n"), id), first);
  assert.equal(log.get("n"), "1");
  assert.deepEqual(log.feed(increment("n"), { ...id, sequence: 2 }), { type: "number", text: "2" });
  assert.deepEqual(log.feed(increment("n"), { client: "c2", sequence: 1 }), { type: "number", text: "3" });
});

const FORGOTTEN: OperationAnswer = { type: "refused", reason: "request-forgotten" };

test("[ENT41] a retry of an answer that was dropped is refused: by count, by bytes, by age", () => {
  const bounds = [{ rememberedAnswers: 2 }, { rememberedBytes: 200 }, { rememberedMillis: 100 }];
  for (const bound of bounds) {
    const log = new LogFeeder(bound);
    for (let sequence = 1; sequence <= 4; sequence++) {
      log.feed(increment("n"), { client: "c", sequence });
      log.time += 60;
    }
    assert.deepEqual(log.feed(increment("n"), { client: "c", sequence: 1 }), FORGOTTEN, JSON.stringify(bound));
    assert.equal(log.get("n"), "4");
  }
});

test("[ENT50] a listener hears the changes of its cache and prefix, in the order of the log", () => {
  const log = new LogFeeder();
  using changes = log.state.openChanges({ cache: CACHE, prefix: latin1Bytes("k") });
  log.feed(set("k1", "1", { expiry: 2_000 as Millis }));
  log.feed(set("other", "1"));
  log.feed(remove("k1", "absent"));
  log.feed(set("k2", "1", { expiry: 2_000 as Millis }));
  log.time = 3_000;
  log.upkeep();
  log.feed({ type: "flush", cache: CACHE });
  const heard = [];
  for (let one = changes.take(); one !== undefined; one = changes.take())
    heard.push([latin1(one.key), one.kind, one.version]);
  assert.deepEqual(heard, [
    ["k1", "set", 1],
    ["k1", "deleted", 3],
    ["k2", "set", 4],
    ["k2", "expired", 5],
    ["", "flushed", 6],
  ]);
  assert.equal(changes.takeLoss(), false);
});

test("[ENT51] a listener that takes nothing is told of its loss, and then hears on", () => {
  const log = new LogFeeder({ waitingChanges: 10 });
  const changes = log.state.openChanges({});
  for (let i = 0; i < 50; i++) log.feed(set(`k${i}`, "1"));
  assert.equal(changes.take(), undefined);
  assert.equal(changes.takeLoss(), true);
  log.feed(set("again", "1"));
  assert.equal(latin1(changes.take()?.key ?? new Uint8Array(0)), "again");
  log.state.restore([...log.state.snapshot()]);
  assert.equal(changes.takeLoss(), true);
});
