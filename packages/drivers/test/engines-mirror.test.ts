/** The copy of a store that watches feed and watchers read, and the loop that keeps it fed. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import { SILENT_LOG } from "@sluice/base/log";
import { aborted } from "@sluice/base/scope";
import { WatchRecorder } from "@sluice/engine/conformance/watch-recorder";
import type { Epoch } from "@sluice/engine/epoch";
import { FeedLoop, type WatchAttempt } from "@sluice/engine/remote/feed-loop";
import { Mirror } from "@sluice/engine/remote/mirror";
import { FakeClock } from "@sluice/testkit/fake-clock";

const FOREVER = new AbortController().signal;
const NOTHING = new Uint8Array(0);

function at(number: number): Epoch {
  return { generation: 1, number };
}

function watch(mirror: Mirror, prefix = "", signal = FOREVER): WatchRecorder {
  return new WatchRecorder(mirror.watch(prefix, signal, () => {}));
}

async function begun(recorder: WatchRecorder): Promise<WatchRecorder> {
  await turn();
  assert.equal(recorder.state, "current");
  return recorder;
}

test("[RMT10] watchers of one mirror each see the keys of their prefix", async () => {
  const mirror = new Mirror();
  const [all, some] = [watch(mirror), watch(mirror, "b")];
  await turn();
  assert.equal(all.state, "unopened");
  mirror.beginReload();
  mirror.put({ key: "a", value: NOTHING, revision: at(1) });
  mirror.finishReload();
  mirror.put({ key: "bc", value: NOTHING, revision: at(2) });
  await turn();
  assert.deepEqual([...all.entries.keys()], ["a", "bc"]);
  assert.deepEqual([...some.entries.keys()], ["bc"]);
  mirror.remove("bc", at(3));
  await turn();
  assert.deepEqual([...all.entries.keys()], ["a"]);
  assert.deepEqual([...some.entries.keys()], []);
  assert.deepEqual([...all.violations, ...some.violations], []);
});

test("[RMT11] doubt makes watchers stale, and the next whole read begins them anew", async () => {
  const mirror = new Mirror();
  mirror.beginReload();
  mirror.put({ key: "gone", value: NOTHING, revision: at(1) });
  mirror.put({ key: "kept", value: NOTHING, revision: at(2) });
  mirror.finishReload();
  const recorder = watch(mirror);
  await turn();
  mirror.doubt();
  await turn();
  assert.equal(recorder.state, "stale");
  assert.equal(recorder.entries.size, 2, "stale is not gone");
  mirror.beginReload();
  mirror.put({ key: "kept", value: NOTHING, revision: at(2) });
  mirror.put({ key: "new", value: NOTHING, revision: at(4) });
  await turn();
  assert.equal(recorder.state, "stale", "nothing is told before the read is whole");
  mirror.finishReload();
  await turn();
  assert.equal(recorder.resetCount, 2);
  assert.equal(recorder.state, "current");
  assert.deepEqual([...recorder.entries.keys()].sort(), ["kept", "new"]);
  assert.equal(mirror.isCurrent, true);
});

test("[RMT19] a watcher begins behind what its process did before it, and waits for nothing that it does after", async () => {
  const mirror = new Mirror();
  const tell = (number: number): void => {
    mirror.put({ key: `key ${number}`, value: NOTHING, revision: at(number) });
    mirror.heard(at(number));
  };
  mirror.beginReload();
  mirror.finishReload();
  mirror.made(at(2));
  const [waiting, ending] = [watch(mirror), new AbortController()];
  const left = watch(mirror, "", ending.signal);
  tell(1);
  await turn();
  assert.equal(waiting.state, "unopened");
  ending.abort();
  mirror.made(at(9));
  tell(2);
  await turn();
  assert.equal(waiting.state, "current");
  assert.deepEqual([...waiting.entries.keys()], ["key 1", "key 2"]);
  assert.equal(left.recorder.isEnded, true);
  tell(9);
  mirror.made(at(8));
  assert.equal((await begun(watch(mirror))).entries.size, 3, "what was told already is not waited for");
  mirror.made(at(10));
  const late = watch(mirror);
  await turn();
  assert.equal(late.state, "unopened");
  mirror.heard({ generation: 2, number: 0 });
  await turn();
  assert.equal(late.state, "current", "a store founded anew is behind all that was done to the old one");
});

test("[RMT10] what is told twice, late or in a whole read's midst ends in the same view", async () => {
  interface Step {
    readonly key: string;
    readonly number: number;
    readonly isPut: boolean;
  }
  const history = fc.array(fc.record({ key: fc.constantFrom("a", "b", "c"), isPut: fc.boolean() }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(history, fc.nat(20), fc.nat(20), async (changes, readFrom, readTo) => {
      const steps: Step[] = changes.map((change, index) => ({ ...change, number: index + 1 }));
      const truth = new Map<string, number>();
      for (const { key, number, isPut } of steps) {
        if (isPut) truth.set(key, number);
        else truth.delete(key);
      }
      const mirror = new Mirror();
      const recorder = watch(mirror);
      const tell = ({ key, number, isPut }: Step): void => {
        if (isPut) mirror.put({ key, value: NOTHING, revision: at(number) });
        else mirror.remove(key, at(number));
      };
      mirror.beginReload();
      const [from, to] = [Math.min(readFrom, readTo), Math.max(readFrom, readTo)];
      // Changes from `from` on are published while pages are read that show the state at `to`; the rest comes after.
      for (const step of steps.slice(from, to)) tell(step);
      const page = new Map<string, Step>();
      for (const step of steps.slice(0, to)) page.set(step.key, step);
      for (const step of page.values()) if (step.isPut) tell(step);
      mirror.finishReload();
      for (const step of steps.slice(from)) tell(step);
      await turn();
      const seen = new Map([...recorder.entries].map(([key, { revision }]) => [key, revision.number]));
      assert.deepEqual(seen, truth);
      assert.deepEqual(recorder.violations, []);
    }),
  );
});

test("[RMT10] each watcher's values are its own, and an ended watch is forgotten", async () => {
  const mirror = new Mirror();
  mirror.beginReload();
  mirror.put({ key: "key", value: Uint8Array.of(1), revision: at(1) });
  mirror.finishReload();
  const ending = new AbortController();
  const [one, two] = [watch(mirror, "", ending.signal), watch(mirror)];
  await turn();
  one.entries.get("key")?.value.fill(9);
  assert.deepEqual(two.entries.get("key")?.value, Uint8Array.of(1));
  assert.deepEqual(mirror.find("key")?.value, Uint8Array.of(1));
  assert.equal(mirror.watcherCount, 2);
  ending.abort();
  assert.equal(mirror.watcherCount, 1);
});

test("[RMT18] more entries than it may hold leave its watchers stale until a whole read finds fewer", async () => {
  const mirror = new Mirror(2);
  const told: string[] = [];
  mirror.onFull = () => told.push("full");
  const read = (...keys: string[]): void => {
    mirror.beginReload();
    for (const [i, key] of keys.entries()) mirror.put({ key, value: NOTHING, revision: at(i + 1) });
    mirror.finishReload();
  };
  read("a", "b");
  const recorder = watch(mirror);
  await turn();
  mirror.put({ key: "b", value: NOTHING, revision: at(3) });
  assert.equal(mirror.isCurrent, true, "one that is there may change");
  mirror.put({ key: "c", value: NOTHING, revision: at(4) });
  mirror.put({ key: "d", value: NOTHING, revision: at(5) });
  await turn();
  assert.equal(recorder.state, "stale");
  assert.deepEqual(told, ["full"]);
  read("a", "b", "c");
  assert.equal(mirror.isCurrent, false);
  assert.deepEqual(told, ["full", "full"]);
  read("a", "c");
  await turn();
  assert.equal(recorder.state, "current");
  assert.deepEqual([...recorder.entries.keys()], ["a", "c"]);
});

test("[RMT12] a watch that fails is begun again after a growing pause, at once when woken, and never after closing", async () => {
  const clock = new FakeClock();
  const mirror = new Mirror();
  const attempts: WatchAttempt[] = [];
  const follow = async (attempt: WatchAttempt, hasRead: () => void): Promise<void> => {
    attempts.push(attempt);
    if (attempts.length < 3) throw new Error("No stream");
    mirror.beginReload();
    hasRead();
    await aborted(attempt.signal);
  };
  const loop = new FeedLoop(
    { engine: "test", mirror, follow },
    {
      clock,
      log: SILENT_LOG,
      random: () => 1,
      timings: { retryFirst: 100 as never, retryCap: 1_000 as never },
    },
  );
  const settle = async (): Promise<void> => {
    for (let count = 0; count < 5; count++) await turn();
  };
  loop.start();
  loop.start();
  await settle();
  assert.equal(attempts.length, 1);
  assert.match(attempts[0]?.reason ?? "", /No stream/);
  clock.advance(100 as never);
  await settle();
  assert.equal(attempts.length, 2);
  clock.advance(199 as never);
  await settle();
  assert.equal(attempts.length, 2, "the second pause is longer");
  loop.wake();
  await settle();
  assert.equal(attempts.length, 3);
  await loop.loaded;
  assert.equal(mirror.isCurrent, true);
  loop.doubt("A gap");
  await settle();
  assert.equal(mirror.isCurrent, false);
  clock.advance(100 as never);
  await settle();
  assert.equal(attempts.length, 4, "after a read that was whole the pause is short again");
  await loop.close();
  clock.advance(10_000 as never);
  await settle();
  assert.equal(attempts.length, 4);
  assert.equal(clock.pendingCount, 0);
});
