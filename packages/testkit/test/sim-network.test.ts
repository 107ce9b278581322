/** The simulated network keeps order, loses what it should, and does the same again for the same seed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { everySeed, runSeed } from "@sluice/testkit/seeds";
import { SimClock } from "@sluice/testkit/sim-clock";
import { type SimEvent, SimNetwork, type SimNetworkOptions } from "@sluice/testkit/sim-network";

function world(names: readonly string[], options: Partial<SimNetworkOptions> = {}) {
  const clock = new FakeClock();
  const network = new SimNetwork<number>({ clock, seed: 1, delay: { min: 1, max: 20 }, ...options });
  const heard = new Map<string, string[]>();
  const clocks = new Map<string, SimClock>();
  const add = (name: string): void => {
    const nodeClock = new SimClock(clock);
    const log = heard.get(name) ?? [];
    heard.set(name, log);
    clocks.set(name, nodeClock);
    network.add(name, { receive: (event) => void log.push(said(event)) }, nodeClock);
  };
  for (const name of names) add(name);
  clock.advance(100);
  const take = (name: string): string[] => heard.get(name)?.splice(0) ?? [];
  for (const name of names) take(name);
  const clockOf = (name: string): SimClock => clocks.get(name) as SimClock;
  return { clock, network, take, add, clockOf };
}

function said(event: SimEvent<number>): string {
  if (event.type === "closed" || event.type === "opened") return `${event.type} ${event.peer}`;
  return event.type === "message" ? `${event.message}` : `~${event.message}`;
}

const FIRST_TWENTY = Array.from({ length: 20 }, (_, index) => `${index}`);

everySeed(
  "a stream keeps order whatever the delays",
  { count: 20, file: "packages/testkit/test/sim-network.test.ts" },
  (seed) => {
    const { clock, network, take } = world(["a", "b"], { seed });
    for (let index = 0; index < 20; index++) {
      network.send("a", "b", index);
      clock.advance(seed % 3);
    }
    clock.advance(100);
    assert.deepEqual(take("b"), FIRST_TWENTY);
    assert.deepEqual(network.counters, { sent: 20, delivered: 20, lost: 0, duplicated: 0 });
  },
);

test("nodes hear that their streams opened", () => {
  const clock = new FakeClock();
  const network = new SimNetwork<number>({ clock, seed: 1 });
  const heard: string[] = [];
  for (const name of ["a", "b", "c"]) {
    network.add(name, { receive: (event) => void heard.push(`${name} ${said(event)}`) }, new SimClock(clock));
  }
  clock.advance(10);
  assert.deepEqual(heard.toSorted(), [
    "a opened b",
    "a opened c",
    "b opened a",
    "b opened c",
    "c opened a",
    "c opened b",
  ]);
});

test("datagrams get lost, come twice and overtake, the same way for the same seed", () => {
  const run = (seed: number): string[] => {
    const { clock, network, take } = world(["a", "b"], { seed, loss: 0.2, duplication: 0.2 });
    for (let index = 0; index < 50; index++) network.sendDatagram("a", "b", index);
    clock.advance(100);
    const { sent, delivered, lost, duplicated } = network.counters;
    assert.equal(delivered, sent + duplicated - lost);
    assert.ok(lost > 0 && duplicated > 0);
    return take("b");
  };
  const heard = run(7);
  assert.notDeepEqual(heard, heard.toSorted());
  assert.deepEqual(run(7), heard);
  assert.notDeepEqual(run(8), heard);
});

test("close: both ends are told once, what was under way is lost, and healing opens the stream again", () => {
  const { clock, network, take } = world(["a", "b", "c"]);
  network.send("a", "b", 1);
  network.partition([["a"], ["b", "c"]], "close");
  network.send("b", "a", 2);
  network.send("b", "c", 3);
  clock.advance(100);
  assert.deepEqual(take("a"), ["closed b", "closed c"]);
  assert.deepEqual(take("b"), ["closed a"]);
  assert.deepEqual(take("c").toSorted(), ["3", "closed a"]);
  network.heal();
  clock.advance(100);
  network.send("a", "b", 4);
  clock.advance(100);
  assert.deepEqual(take("a").toSorted(), ["opened b", "opened c"]);
  assert.deepEqual(take("b"), ["opened a", "4"]);
  assert.equal(network.counters.lost, 2);
});

test("hold: nothing arrives and nobody is told; after healing everything does, in order", () => {
  const { clock, network, take } = world(["a", "b"]);
  for (let index = 0; index < 10; index++) network.send("a", "b", index);
  network.cut("a", "b", "hold");
  clock.advance(500);
  for (let index = 10; index < 20; index++) network.send("a", "b", index);
  network.send("b", "a", 99);
  clock.advance(500);
  assert.deepEqual(take("b"), []);
  assert.deepEqual(take("a"), ["99"]);
  network.heal("a", "b");
  clock.advance(100);
  assert.deepEqual(take("b"), FIRST_TWENTY);
});

test("vanish: nobody is told until healing breaks the stream with the hole, and opens it anew", () => {
  const { clock, network, take } = world(["a", "b"]);
  network.cut("a", "b", "vanish");
  network.send("a", "b", 1);
  network.send("b", "a", 2);
  clock.advance(500);
  assert.deepEqual(take("b"), []);
  assert.deepEqual(take("a"), ["2"]);
  network.heal();
  clock.advance(100);
  network.send("a", "b", 3);
  clock.advance(100);
  assert.deepEqual(take("a"), ["closed b", "opened b"]);
  assert.deepEqual(take("b"), ["closed a", "opened a", "3"]);
});

test("vanish without loss leaves the stream as it was", () => {
  const { clock, network, take } = world(["a", "b"]);
  network.cut("a", "b", "vanish");
  clock.advance(500);
  network.heal();
  network.send("a", "b", 3);
  clock.advance(100);
  assert.deepEqual(take("b"), ["3"]);
});

test("a removed node hears nothing more, its peers hear of it, and it can come back", () => {
  const { clock, network, take, add } = world(["a", "b"]);
  network.send("a", "b", 1);
  network.remove("b");
  clock.advance(100);
  assert.deepEqual([take("a"), take("b")], [["closed b"], []]);
  network.send("a", "b", 2);
  add("b");
  clock.advance(100);
  network.send("a", "b", 3);
  clock.advance(100);
  assert.deepEqual(take("a"), ["opened b"]);
  assert.deepEqual(take("b"), ["opened a", "3"]);
});

test("a paused node hears late and in order; a stopped one never", () => {
  const { clock, network, take, clockOf } = world(["a", "b"]);
  let firedAt = -1;
  clockOf("b").after(50 as Millis, () => {
    firedAt = clock.now();
  });
  clockOf("b").pause();
  for (let index = 0; index < 20; index++) network.send("a", "b", index);
  clock.advance(1_000);
  assert.deepEqual([take("b"), firedAt], [[], -1]);
  clockOf("b").resume();
  assert.deepEqual(take("b"), FIRST_TWENTY);
  assert.equal(firedAt, clock.now());
  clockOf("b").stop();
  network.send("a", "b", 1);
  clock.advance(1_000);
  assert.deepEqual(take("b"), []);
});

test("clocks start elsewhere, run at their own rate, and jump only on the wall", () => {
  const world = new FakeClock(1_000_000);
  const fast = new SimClock(world, { offset: 5_000, rate: 2, wallOffset: 250 });
  const fired: number[] = [];
  fast.after(100 as Millis, () => void fired.push(world.now()));
  world.advance(100);
  assert.deepEqual([fast.now(), fast.wall(), fired], [5_200, 1_000_350, [50]]);
  fast.setRate(0.5);
  fast.jumpWall(-1_000);
  assert.deepEqual([fast.now(), fast.wall()], [5_200, 999_350]);
  fast.after(100 as Millis, () => void fired.push(world.now()));
  world.advance(300);
  assert.deepEqual([fast.now(), fired], [5_350, [50, 300]]);
});

test("timers that were cancelled, also during a pause, and those of a stopped clock do not run", () => {
  const world = new FakeClock();
  const clock = new SimClock(world);
  const fail = (): never => assert.fail("must not run");
  clock.after(1 as Millis, fail).cancel();
  const late = clock.after(1 as Millis, fail);
  clock.pause();
  world.advance(10);
  late.cancel();
  clock.resume();
  clock.after(1 as Millis, fail);
  clock.stop();
  clock.after(1 as Millis, fail);
  world.advance(10);
  assert.equal(world.pendingCount, 0);
});

test("sleeping follows the node's clock and its signal", async () => {
  const world = new FakeClock();
  const clock = new SimClock(world, { rate: 2 });
  const awake = clock.sleep(100 as Millis, new AbortController().signal).then(() => world.now());
  const abort = new AbortController();
  const aborted = clock.sleep(100 as Millis, abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  await world.advanceAsync(60);
  assert.equal(await awake, 50);
  assert.equal(world.pendingCount, 0);
});

test("a failing seed names the command that runs it again", async () => {
  const failing = runSeed("a (b)", "packages/x/test/y.test.ts", 42, () => {
    throw new Error("boom");
  });
  await assert.rejects(failing, (error: Error) => {
    assert.match(error.message, /^Seed 42 failed: boom\n/);
    assert.ok(
      error.message.includes("SIM_SEED=42 node --test --test-name-pattern='^a \\(b\\)$' packages/x/test/y.test.ts"),
    );
    return (error.cause as Error).message === "boom";
  });
});
