/** Calls that wait for an engine's server, leases that this process holds, and those that it hears of. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { EngineClosedError, EngineUnavailableError } from "@sluice/engine/errors";
import { ENGINE_LIMITS } from "@sluice/engine/limits";
import { LimitError } from "@sluice/bytes/wire-error";
import { PendingCalls } from "@sluice/engine/remote/pending-calls";
import { EngineLifecycle } from "@sluice/engine/remote/engine-lifecycle";
import { HeldLease } from "@sluice/engine/remote/held-lease";
import { lateStart } from "@sluice/engine/remote/late-start";
import { REMOTE_ENGINE_LIMITS } from "@sluice/engine/remote/remote-limits";
import { bindingOf, NatsLeaseTable } from "@sluice/drivers/nats/nats-lease-table";
import { NatsMarkers } from "@sluice/drivers/nats/nats-markers";
import { plainCopy } from "@sluice/engine/remote/plain-copy";
import { isElsewhere, toUnavailable } from "@sluice/drivers/redis/redis-failures";
import { FakeClock } from "@sluice/testkit/fake-clock";

const READ = { action: "get", isWrite: false, bytes: 0 };
const WRITE = { action: "cas", isWrite: true, bytes: 10 };

function never(): Promise<never> {
  return new Promise(() => {});
}

test("[RMT20] one call too many, or too heavy, is refused and not made", async () => {
  const calls = new PendingCalls("test");
  calls.open();
  const answers: (() => void)[] = [];
  for (let count = 0; count < REMOTE_ENGINE_LIMITS.calls; count++) {
    void calls.pass(READ, () => new Promise<void>((resolve) => answers.push(resolve)));
  }
  await assert.rejects(
    calls.pass(READ, () => assert.fail("It must not be made")),
    LimitError,
  );
  answers[0]?.();
  await turn();
  assert.equal(await calls.pass(READ, async () => "room again"), "room again");
  for (const answer of answers) answer();
  await turn();
  const heavy = { ...WRITE, bytes: REMOTE_ENGINE_LIMITS.callBytes };
  void calls.pass(heavy, never).catch(() => {});
  await assert.rejects(
    calls.pass(WRITE, () => assert.fail("It must not be made")),
    LimitError,
  );
  assert.equal(await calls.pass(READ, async () => "light ones pass"), "light ones pass");
});

test("[RMT21] the end of a connection ends the calls that wait, writes as unknown, and refuses those to come", async () => {
  const calls = new PendingCalls("test");
  calls.open();
  const [read, write] = [calls.pass(READ, never), calls.pass(WRITE, never)].map((call) =>
    call.catch((error: unknown) => error),
  );
  calls.close("The cable is out");
  for (const [call, isUnknown] of [
    [read, false],
    [write, true],
    [calls.pass(WRITE, () => assert.fail("It must not be made")).catch((error: unknown) => error), false],
  ] as const) {
    const error = await call;
    assert.ok(error instanceof EngineUnavailableError);
    assert.equal(error.isUnknown, isUnknown);
    assert.equal(error.context.reason, "The cable is out");
  }
  calls.open();
  assert.equal(await calls.pass(READ, async () => 1), 1);
});

test("[RMT21] of what Redis refused or was never sent nothing is in doubt, of other failed writes all", () => {
  const reply = (message: string): Error => Object.assign(new Error(message), { name: "ReplyError" });
  for (const [error, isUnknown] of [
    [reply("READONLY You can't write against a read only replica."), false],
    [reply("OOM command not allowed"), false],
    [reply("NOREPLICAS Not enough good replicas to write."), false],
    [reply("ERR something new"), true],
    [new Error("Command timed out"), true],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), false],
  ] as const) {
    assert.equal(toUnavailable(WRITE, error).isUnknown, isUnknown, error.message);
    assert.equal(toUnavailable(READ, error).isUnknown, false);
  }
  assert.equal(isElsewhere(toUnavailable(WRITE, reply("READONLY x"))), true);
  assert.equal(isElsewhere(toUnavailable(WRITE, reply("OOM x"))), false);
});

interface Renewal {
  readonly answer: (outcome: "renewed" | "gone") => void;
  readonly fail: () => void;
  readonly patience: Millis;
}

function hold(ttl: number): {
  lease: HeldLease;
  clock: FakeClock;
  renewals: Renewal[];
  counts: { drops: number; ends: number };
} {
  const clock = new FakeClock();
  const renewals: Renewal[] = [];
  const counts = { drops: 0, ends: 0 };
  const lease = new HeldLease({
    clock,
    random: () => 1,
    token: { generation: 1, number: 1 },
    ttl: ttl as Millis,
    sentAt: clock.now(),
    renew: (patience) =>
      new Promise((resolve, reject) =>
        renewals.push({ patience, answer: resolve, fail: () => reject(new Error("Lost")) }),
      ),
    drop: async () => void counts.drops++,
    onEnd: () => void counts.ends++,
  });
  return { lease, clock, renewals, counts };
}

test("[RMT30] renewals come three times a life, count from when they were sent, and are bounded", async () => {
  const { lease, clock, renewals } = hold(900);
  assert.equal(lease.validUntil, 900);
  await clock.advanceAsync(299);
  assert.equal(renewals.length, 0);
  await clock.advanceAsync(1);
  assert.equal(renewals.length, 1);
  assert.equal(renewals[0]?.patience, 300);
  await clock.advanceAsync(200);
  renewals[0]?.answer("renewed");
  await clock.advanceAsync(0);
  assert.equal(lease.validUntil, 1_200, "sent at 300, answered at 500");
  await clock.advanceAsync(100);
  assert.equal(renewals.length, 2, "300 after the last was sent");
});

test("[RMT30] a renewal that fails is tried again soon, and without any the lease is lost when its time is over", async () => {
  const { lease, clock, renewals, counts } = hold(900);
  let failed = 0;
  while (!lease.lost.aborted && clock.now() < 5_000) {
    await clock.advanceAsync(1);
    for (; failed < renewals.length; failed++) renewals[failed]?.fail();
  }
  assert.equal(clock.now(), 900);
  assert.ok(renewals.length >= 4, `${renewals.length} attempts`);
  assert.equal(counts.ends, 1);
  await clock.advanceAsync(5_000);
  assert.equal(renewals.length, failed, "a lost lease is not renewed");
  assert.equal(clock.pendingCount, 0);
});

test("[RMT31] a lease that the server says is gone is lost at once, and releasing it asks for nothing", async () => {
  const { lease, clock, renewals, counts } = hold(900);
  await clock.advanceAsync(300);
  renewals[0]?.answer("gone");
  await clock.advanceAsync(0);
  assert.equal(lease.lost.aborted, true);
  assert.ok(lease.validUntil <= clock.now());
  await lease.release();
  assert.deepEqual(counts, { drops: 0, ends: 1 });
  assert.equal(clock.pendingCount, 0);
});

test("[RMT31] a release takes the lease off the server once, however often it is asked for", async () => {
  const { lease, clock, counts } = hold(900);
  await Promise.all([lease.release(), lease.release()]);
  await lease.release();
  assert.deepEqual(counts, { drops: 1, ends: 1 });
  assert.equal(clock.pendingCount, 0);
});

test("[RMT32] a lease over NATS has run out 3 % after its life since it was heard, 50 ms at least", () => {
  const table = new NatsLeaseTable();
  table.hearLease({ slot: 0, token: 5, ttl: 10_000 as Millis, sequence: 5 }, 1_000 as Millis);
  table.hearLease({ slot: 1, token: 6, ttl: 500 as Millis, sequence: 6 }, 1_000 as Millis);
  const slots = (now: number): number[] => table.expired(now as Millis).map(({ slot }) => slot);
  assert.deepEqual(slots(1_550), []);
  assert.deepEqual(slots(1_551), [1]);
  assert.deepEqual(slots(11_300), [1]);
  assert.deepEqual(slots(11_301), [0, 1]);
  table.hearLease({ slot: 1, token: 6, ttl: 500 as Millis, sequence: 9 }, 11_301 as Millis);
  assert.deepEqual(slots(11_301), [0], "a renewal heard begins its life again");
});

test("[RMT32] keys whose lease is gone, or whose slot another lease has, are orphans", () => {
  const table = new NatsLeaseTable();
  const lease = { slot: 3, token: 8, ttl: 1_000 as Millis, sequence: 8 };
  const binding = bindingOf(lease);
  table.hearLease(lease, 0 as Millis);
  for (const key of ["a", "b", "c"]) table.hearKey(key, binding);
  table.hearKey("free", "");
  assert.deepEqual(table.orphans(), []);
  assert.equal(table.isLive(binding), true);
  table.hearKey("b", "");
  table.hearKeyRemoved("c");
  table.hearLease({ ...lease, token: 20, sequence: 20 }, 0 as Millis);
  assert.deepEqual(table.orphans(), [{ key: "a", binding }]);
  table.hearLease(lease, 0 as Millis);
  assert.deepEqual(table.orphans(), []);
  table.hearLeaseRemoved(3);
  assert.deepEqual(table.orphans(), [{ key: "a", binding }]);
  table.hearKeyRemoved("a");
  assert.deepEqual([table.orphans(), table.boundKeys(binding)], [[], []]);
});

test("[RMT32] a free slot is one of the first that no lease has, until all are taken", () => {
  const table = new NatsLeaseTable();
  for (const slot of [0, 2]) table.hearLease({ slot, token: slot, ttl: 1 as Millis, sequence: 1 }, 0 as Millis);
  assert.equal(
    table.freeSlot(() => 0, 4),
    1,
  );
  assert.equal(
    table.freeSlot(() => 0.99, 4),
    3,
    "of those within the limit",
  );
  for (const slot of [1, 3]) table.hearLease({ slot, token: slot, ttl: 1 as Millis, sequence: 1 }, 0 as Millis);
  assert.equal(
    table.freeSlot(() => 0.5, 4),
    undefined,
  );
});

test("[RMT4] a copy of a Buffer is no view of it", () => {
  const buffer = Buffer.from("value");
  const copy = plainCopy(buffer);
  buffer.fill(0);
  assert.equal(Buffer.isBuffer(copy), false);
  assert.equal(new TextDecoder().decode(copy), "value");
});

test("a subscription begins with the first ask, once", async () => {
  let starts = 0;
  async function* inner(): AsyncGenerator<number> {
    yield 1;
    yield 2;
  }
  const iterator = lateStart(inner(), () => void starts++);
  assert.equal(starts, 0);
  assert.deepEqual(await iterator.next(), { value: 1, done: false });
  assert.deepEqual(await iterator.next(), { value: 2, done: false });
  assert.equal(starts, 1);
  assert.equal((await iterator.return?.())?.done, true);
});

test("a closed engine refuses calls and ends its readers, and readers are counted", () => {
  const lifecycle = new EngineLifecycle();
  const readers = Array.from({ length: ENGINE_LIMITS.readers }, () => lifecycle.admit(new AbortController().signal));
  assert.throws(() => lifecycle.admit(new AbortController().signal), LimitError);
  readers[0]?.leave();
  const last = lifecycle.admit(new AbortController().signal);
  lifecycle.checkOpen("get");
  lifecycle.close();
  assert.throws(() => lifecycle.checkOpen("get"), EngineClosedError);
  assert.equal(last.signal.aborted, true);
});

test("[RMT13] markers are swept ten minutes after they were heard, some hundred at a time, and again after a failure", async () => {
  const clock = new FakeClock();
  const swept: string[] = [];
  let failures = 1;
  const sweep = async (subject: string, sequence: number): Promise<void> => {
    if (failures-- > 0) throw new Error("No answer");
    swept.push(`${subject} ${sequence}`);
  };
  const markers = new NatsMarkers({ sweep }, clock, () => 0.5);
  for (let index = 0; index < 600; index++) markers.hear(`subject ${index}`, index);
  await clock.advanceAsync(125_000);
  markers.hear("subject 0", 700);
  await clock.advanceAsync(474_999);
  assert.deepEqual(swept, []);
  await clock.advanceAsync(60_001);
  assert.equal(swept.length, 500, "the round after the one that failed");
  assert.equal(swept[0], "subject 1 1");
  await clock.advanceAsync(60_000);
  assert.equal(swept.length, 599);
  await clock.advanceAsync(120_000);
  assert.equal(swept.at(-1), "subject 0 700", "its time began again with its second removal");
  assert.equal(markers.size, 0);
  for (let index = 0; index < REMOTE_ENGINE_LIMITS.markers + 10; index++) markers.hear(`subject ${index}`, index);
  assert.equal(markers.size, REMOTE_ENGINE_LIMITS.markers);
  markers.close();
  assert.equal(clock.pendingCount, 0);
});
