/** Random histories of clients and faults: P1, P2, P3 and P5 hold in each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { everySeed } from "@sluice/testkit/seeds";
import fc from "fast-check";
import { histories, type RunCounts, runHistory } from "./model.ts";

const FILE = "packages/state/test/model.test.ts";
const sums: RunCounts = { acknowledged: 0, refused: 0, changes: 0, merged: 0, snapshots: 0, recovered: 0 };

everySeed("[OBJ90] every history of clients and faults keeps the promises", { count: 50, file: FILE }, async (seed) => {
  const property = fc.asyncProperty(histories, async (history) => {
    const counts = await runHistory(history);
    for (const key of Object.keys(sums) as (keyof RunCounts)[]) sums[key] += counts[key];
  });
  await fc.assert(property, { seed, numRuns: 1, unbiased: true, endOnFailure: process.env.SIM_SEED === undefined });
});

test("[OBJ90] the histories have what they are about", { skip: process.env.SIM_SEED !== undefined }, () => {
  for (const [what, count] of Object.entries(sums)) assert.ok(count > 0, `no ${what} in any history`);
});
