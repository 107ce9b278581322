/** Conformance: revisions and tokens never start again. */
import { bytesOf, expect, expectSame } from "./expect.ts";
import { compareEpochs, type Epoch } from "../epoch.ts";
import { expectRising } from "./entry-cases.ts";
import type { ConformanceCase } from "./harness.ts";
import { defineCase, type Trial, written } from "./trial.ts";

export const EPOCH_CASES: readonly ConformanceCase[] = [
  defineCase(
    "ENG50",
    "revisions and tokens go on rising for clients that come after all others have gone",
    [],
    async (trial) => {
      const lives = [await live(trial, 4), await live(trial, 2), await live(trial, 1)];
      expectRising(
        lives.flatMap(({ revisions }) => revisions),
        "revisions over three lives",
      );
      expectRising(
        lives.map(({ token }) => token),
        "tokens over three lives",
      );
    },
  ),

  defineCase(
    "ENG51",
    "after the store is wiped and filled again, revisions and tokens are higher than all before",
    ["wipe"],
    async (trial) => {
      const before = await live(trial, 12);
      await trial.during(trial.fault("wipe")());
      const engine = await trial.open();
      expectSame(await engine.get("key 0"), undefined, "an entry after the wipe");
      const last = before.revisions.at(-1) as Epoch;
      const first = written(await engine.cas("key 0", "absent", bytesOf("new")), "the first write after the wipe");
      expect(compareEpochs(last, first) < 0, "a revision after the wipe must be above all before it");
      for (const revision of before.revisions) {
        expectSame(
          (await engine.cas("key 0", revision, bytesOf("late"))).outcome,
          "conflict",
          "a write by an old revision",
        );
        expectSame((await engine.remove("key 0", revision)).outcome, "conflict", "a removal by an old revision");
      }
      const lease = await trial.during(engine.lease(trial.harness.leaseTtl));
      expect(compareEpochs(before.token, lease.token) < 0, "a token after the wipe must be above all before it");
      await trial.during(lease.release());
    },
  ),
];

/** Opens a client, writes, takes a lease and closes. */
async function live(trial: Trial, writes: number): Promise<{ readonly revisions: Epoch[]; readonly token: Epoch }> {
  const engine = await trial.open();
  const revisions: Epoch[] = [];
  for (let index = 0; index < writes; index++) {
    const key = `key ${index}`;
    const found = await engine.get(key);
    revisions.push(written(await engine.cas(key, found?.revision ?? "absent", bytesOf("x")), "a write"));
  }
  const lease = await trial.during(engine.lease(trial.harness.leaseTtl));
  await trial.during(lease.release());
  await trial.during(Promise.resolve(engine[Symbol.asyncDispose]()));
  return { revisions, token: lease.token };
}
