/** The engine over links passes the conformance suite of all engines, on hosts that stand and on hosts that die under it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { conformanceCases } from "@sluice/engine/conformance";
import { lacking } from "@sluice/engine/conformance/harness";
import { LinkHarness } from "./link-harness.ts";

for (const { id, name, needs, run } of conformanceCases) {
  test(`[${id}] over links: ${name}`, async () => {
    await using harness = new LinkHarness(1, { isDeadly: false });
    assert.deepEqual(lacking(needs, harness, await harness.open()), []);
    await run(harness);
  });
}

/** Messages go out at most once: those of a host that died are lost, which the first of them does not allow for. */
const underDeath = conformanceCases.filter(({ id }) => id !== "ENG60");

for (const { id, name, needs, run } of underDeath) {
  test(`[${id}] over links to hosts that die every 700 ms: ${name}`, async () => {
    await using harness = new LinkHarness(1, { isDeadly: true });
    assert.deepEqual(lacking(needs, harness, await harness.open()), []);
    await run(harness);
  });
}
