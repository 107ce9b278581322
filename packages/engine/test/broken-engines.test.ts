/** The suite can fail: each engine with a planted fault is refused by a case of the rule that it breaks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { conformanceCases } from "@sluice/engine/conformance";
import { REPLICA_CASES } from "@sluice/engine/conformance/replica-cases";
import { ConformanceError } from "@sluice/engine/conformance/expect";
import type { ConformanceCase } from "@sluice/engine/conformance/harness";
import { BROKEN_ENGINES } from "./broken-engines.ts";
import { MemoryHarness, type Plant } from "./memory-harness.ts";

const ALL_CASES = [...conformanceCases, ...REPLICA_CASES];

for (const { rule, fault, plant } of BROKEN_ENGINES) {
  test(`[${rule}] an engine that ${fault} is refused`, async () => {
    const cases = ALL_CASES.filter(({ id }) => id === rule);
    const refusals = await Promise.all(cases.map((one) => refusalOf(one, plant)));
    assert.ok(
      refusals.some((refusal) => refusal !== undefined),
      `no case of ${rule} noticed`,
    );
  });
}

test("every rule of the suite has a planted fault that proves it", () => {
  const proven = new Set<string>(BROKEN_ENGINES.map(({ rule }) => rule));
  assert.deepEqual(
    ALL_CASES.map(({ id }) => id).filter((id) => !proven.has(id)),
    [],
  );
});

async function refusalOf(one: ConformanceCase, plant: Plant): Promise<ConformanceError | undefined> {
  try {
    await one.run(new MemoryHarness(plant));
    return undefined;
  } catch (error) {
    if (error instanceof ConformanceError) return error;
    throw error;
  }
}
