/** The memory engine passes the conformance suite, and leaves nothing behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { conformanceCases } from "@sluice/engine/conformance";
import { REPLICA_CASES } from "@sluice/engine/conformance/replica-cases";
import { lacking } from "@sluice/engine/conformance/harness";
import { MemoryHarness } from "./memory-harness.ts";

const ALL_CASES = [...conformanceCases, ...REPLICA_CASES];

for (const { id, name, needs, run } of ALL_CASES) {
  test(`[${id}] memory: ${name}`, async () => {
    const harness = new MemoryHarness();
    assert.deepEqual(lacking(needs, harness, await harness.open()), []);
    await run(harness);
    await harness[Symbol.asyncDispose]();
    await harness.advance(harness.leaseTtl);
    await harness.advance(harness.leaseTtl);
    assert.equal(harness.clock.pendingCount, 0, "timers left behind");
  });
}

test("no two cases have one name", () => {
  assert.equal(new Set(ALL_CASES.map(({ name }) => name)).size, ALL_CASES.length);
});
