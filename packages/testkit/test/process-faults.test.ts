/** A child is paused, continued and killed, and every call returns only once that is so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "@sluice/testkit/child";
import { killChild, pauseChild, resumeChild } from "@sluice/testkit/process-faults";

const TICKER = `
  console.log(JSON.stringify({ event: "ready" }));
  setInterval(() => console.log("tick"), 5);
`;

test("a paused child does nothing until it is resumed", async () => {
  await using child = startChild([process.execPath, "-e", TICKER]);
  await child.waitForEvent("ready");
  await pauseChild(child);
  await sleep(30);
  const paused = child.output();
  await sleep(100);
  assert.equal(child.output(), paused);
  await resumeChild(child);
  const before = paused.length;
  await child.waitForLine(() => (child.output().length > before ? true : undefined));
});

test("a paused child can be killed, and then neither paused nor resumed", async () => {
  await using child = startChild([process.execPath, "-e", TICKER]);
  await child.waitForEvent("ready");
  await pauseChild(child);
  assert.deepEqual(await killChild(child), { code: null, signal: "SIGKILL" });
  await assert.rejects(pauseChild(child), { code: "ENOENT" });
});
