/** Planted faults: the model must find each, or what it says of the code means nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { histories, runHistory } from "./model.ts";
import { plantStandbyNotTold, plantVersionGap } from "./planted-faults.ts";

/** The first seed whose history breaks a promise, and what it says. */
async function findViolation(ignoresLease = false): Promise<string | undefined> {
  for (let seed = 1; seed <= 100; seed++) {
    const property = fc.asyncProperty(histories, async (history) => void (await runHistory(history, { ignoresLease })));
    const { errorInstance, failed } = await fc.check(property, {
      seed,
      numRuns: 1,
      unbiased: true,
      endOnFailure: true,
    });
    if (failed) return (errorInstance as Error).message;
  }
  return undefined;
}

test("[OBJ91] success that is told before the standby has the change is found", async () => {
  using _fault = plantStandbyNotTold();
  assert.match((await findViolation()) ?? "nothing", /heard of success at \d+, and it is lost/);
});

test("[OBJ91] a gap on resuming is found", async () => {
  using _fault = plantVersionGap();
  assert.match((await findViolation()) ?? "nothing", /is given a change from/);
});

test("[OBJ91] a home that does not check its lease is found", async () => {
  assert.match((await findViolation(true)) ?? "nothing", /acknowledges after a later one/);
});
