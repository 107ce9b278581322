/** The window that follows the load: looked at when it is read, and by nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoadWindow } from "@sluice/server/streams/load-window";
import { FakeClock } from "@sluice/testkit/fake-clock";

test("[MED35] the load is sampled when the window is read and a quarter of a second has passed, without a timer", () => {
  const clock = new FakeClock();
  let samples = 0;
  let load = 0.8;
  const window = new LoadWindow(clock, {
    sample() {
      samples++;
      return load;
    },
  });
  const seen: number[] = [];
  for (let at = 0; at < 1_000; at += 50) {
    seen.push(window.prompt);
    clock.advance(50);
  }
  assert.equal(samples, 3);
  assert.deepEqual([...new Set(seen)], [0, 10, 20, 40]);
  assert.equal(window.patient, 280);
  assert.equal(clock.pendingCount, 0);
  load = 0.1;
  clock.advance(10_000);
  assert.deepEqual([window.prompt, window.patient, samples], [0, 0, 5]);
});
