/** The checker finds what is wrong with a replicated store, and finds nothing where nothing is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { HistoryRecorder } from "@sluice/testkit/history";
import { checkHistory, type Verdict } from "@sluice/testkit/linearizability";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import { SimClient } from "@sluice/testkit/sim-client";
import { SimClock } from "@sluice/testkit/sim-clock";
import { type SimEvent, SimNetwork } from "@sluice/testkit/sim-network";
import { type Fault, type ToyMessage, ToyReplica } from "./toy-store.ts";

const FILE = "packages/testkit/test/toy-store.test.ts";
const MEMBERS = ["n1", "n2", "n3"] as const;
const CLIENTS = ["c1", "c2", "c3", "c4"] as const;
const RUN_MILLIS = 3_000;
/** Seeds within which each planted fault must show. */
const SEEDS_TO_FIND = 40;

/** Three seconds of partitions, pauses and elections, from one seed. */
function run(seed: number, fault?: Fault): { verdict: Verdict; answeredCount: number } {
  const clock = new FakeClock();
  const random = seededRandom(seed);
  const network = new SimNetwork<ToyMessage>({ clock, seed, delay: { min: 1, max: 15 } });
  const recorder = new HistoryRecorder(() => `${clock.now()} ms`);
  const clocks = MEMBERS.map(() => new SimClock(clock));
  const replicas = MEMBERS.map((name, index) => {
    const replica = new ToyReplica({ name, members: MEMBERS, network, clock: clocks[index] as SimClock, fault });
    network.add(name, replica, clocks[index] as SimClock);
    return replica;
  });
  let favourite = 0;
  const clients = CLIENTS.map((name) => {
    const client = new SimClient({
      name,
      clock,
      random,
      recorder,
      keys: ["x", "y"],
      attempts: 2,
      sender: {
        send: (from, request) => {
          const target = random() < 0.6 ? favourite : randomBelow(random, MEMBERS.length);
          network.send(from, MEMBERS[target] as string, { type: "request", request });
        },
      },
    });
    const receive = (event: SimEvent<ToyMessage>): void => {
      if (event.type === "message" && event.message.type === "answer") {
        client.answered(event.message.id, event.message.answer);
      }
    };
    network.add(name, { receive }, new SimClock(clock));
    client.start();
    return client;
  });
  let term = 0;
  const elect = (): void => {
    favourite = randomBelow(random, MEMBERS.length);
    replicas[favourite]?.campaign(++term);
  };
  elect();
  const trouble = (): void => {
    const kind = random();
    if (kind < 0.3)
      network.partition(sides(random), (["close", "hold", "vanish"] as const)[randomBelow(random, 3)] ?? "hold");
    else if (kind < 0.6) network.heal();
    else if (kind < 0.7) clocks[randomBelow(random, 3)]?.pause();
    if (kind > 0.5) for (const paused of clocks) paused.resume();
    if (random() < 0.7) elect();
    clock.after((50 + randomBelow(random, 150)) as Millis, trouble);
  };
  clock.after(200 as Millis, trouble);
  clock.advance(RUN_MILLIS);
  for (const client of clients) client.stop();
  return { verdict: checkHistory(recorder.history()), answeredCount: recorder.answeredCount };
}

/** Everybody on one of two sides. */
function sides(random: () => number): string[][] {
  const two: [string[], string[]] = [[], []];
  for (const name of [...MEMBERS, ...CLIENTS]) two[randomBelow(random, 2) as 0 | 1].push(name);
  return two;
}

everySeed("the store without a fault is linearizable", { count: 100, file: FILE }, (seed) => {
  const { verdict, answeredCount } = run(seed);
  assert.equal(verdict.verdict, "linearizable", verdict.verdict === "violation" ? verdict.explanation : undefined);
  assert.ok(answeredCount > 15, `only ${answeredCount} operations were answered`);
});

for (const fault of ["no-lease", "ack-before-replication", "stale-read", "double-apply", "lost-write"] as const) {
  test(`the checker finds ${fault}`, (t) => {
    const found: string[] = [];
    for (let seed = 1; seed <= SEEDS_TO_FIND; seed++) {
      const { verdict } = run(seed, fault);
      if (verdict.verdict === "violation") found.push(verdict.explanation);
    }
    t.diagnostic(`in ${found.length} of ${SEEDS_TO_FIND} seeds`);
    assert.ok(found.length > 0);
    const shortest = found.toSorted((a, b) => a.length - b.length)[0] as string;
    t.diagnostic(shortest);
    assert.ok(shortest.split("\n").length < 25);
  });
}

test("the same seed gives the same run", () => {
  assert.deepEqual(run(5, "no-lease"), run(5, "no-lease"));
});
