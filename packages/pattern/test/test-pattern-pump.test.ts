/** The pace at which a test pattern is played, by a clock that the test moves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { runTestPattern } from "@sluice/pattern/pump";
import { TestPattern, type TestPatternFrame } from "@sluice/pattern/test-pattern";
import { FakeClock, settle } from "@sluice/testkit/fake-clock";

interface Emitted extends TestPatternFrame {
  /** When it came, since the pump began. */
  readonly at: number;
}

const smallPattern = (): TestPattern => new TestPattern({ startWall: 0 as Millis, width: 640, height: 360 });

async function startPump(pattern = smallPattern(), fail?: (frame: TestPatternFrame) => void) {
  const clock = new FakeClock();
  clock.advance(12_345);
  const controller = new AbortController();
  const emitted: Emitted[] = [];
  const emit = (frame: TestPatternFrame): void => {
    fail?.(frame);
    emitted.push({ ...frame, at: clock.now() - 12_345 });
  };
  const done = runTestPattern({ pattern, clock, signal: controller.signal, emit });
  await settle();
  return { clock, controller, emitted, done };
}

test("[TP18] frames are emitted at their times, the first at once", async () => {
  const { clock, controller, emitted, done } = await startPump();
  assert.deepEqual(
    emitted.map((frame) => frame.kind),
    ["video", "audio"],
  );
  await clock.advanceAsync(5_000);
  assert.deepEqual(
    emitted.map((frame) => frame.at),
    emitted.map((frame) => frame.timestamp),
  );
  assert.equal(emitted.filter((frame) => frame.kind === "video").length, 151);
  controller.abort();
  await done;
});

test("[TP19] a short delay is made up for, frame by frame", async () => {
  const { clock, controller, emitted, done } = await startPump();
  await clock.advanceAsync(1_000);
  stall(clock, 300);
  await clock.advanceAsync(700);
  controller.abort();
  await done;
  const expected = takeTimes(smallPattern(), 2_000);
  assert.deepEqual(
    emitted.map((frame) => frame.timestamp),
    expected,
  );
  assert.ok(emitted.every((frame) => frame.at - frame.timestamp <= 300));
  assert.equal(emitted.at(-1)?.at, 2_000);
});

test("[TP19] after a long delay what was missed is left out and the pattern is on time again", async () => {
  const { clock, controller, emitted, done } = await startPump();
  await clock.advanceAsync(1_000);
  stall(clock, 60_000);
  const before = emitted.length;
  await clock.advanceAsync(1_000);
  controller.abort();
  await done;
  const [late, ...after] = emitted.slice(before);
  assert.ok(late !== undefined && late.timestamp < 1_100);
  assert.ok(after.every((frame) => frame.timestamp === frame.at && frame.timestamp >= 61_000));
  assert.equal(after.find((frame) => frame.kind === "video")?.isKeyframe, true);
  assert.ok(after.length > 70 && after.length < 85, `${after.length} frames in the second after`);
});

test("[TP20] the pump ends when aborted, and leaves no timer", async () => {
  const { clock, controller, emitted, done } = await startPump();
  assert.equal(clock.pendingCount, 1);
  controller.abort();
  await done;
  assert.equal(clock.pendingCount, 0);
  const count = emitted.length;
  await clock.advanceAsync(1_000);
  assert.equal(emitted.length, count);
});

test("[TP20] a pump that starts aborted emits nothing", async () => {
  const emitted: TestPatternFrame[] = [];
  const emit = (frame: TestPatternFrame): void => void emitted.push(frame);
  await runTestPattern({ pattern: smallPattern(), clock: new FakeClock(), signal: AbortSignal.abort(), emit });
  assert.deepEqual(emitted, []);
});

test("[TP20] what the receiver throws ends the pump", async () => {
  const { done, clock } = await startPump(smallPattern(), ({ timestamp }) => {
    if (timestamp > 500) throw new TypeError("Cannot take frame");
  });
  const rejected = assert.rejects(done, { name: "TypeError", message: "Cannot take frame" });
  await clock.advanceAsync(1_000);
  await rejected;
  assert.equal(clock.pendingCount, 0);
});

/** Time passes in which the pump does not get to run, as when the machine sleeps. */
function stall(clock: FakeClock, millis: number): void {
  clock.advance(millis);
}

function takeTimes(pattern: TestPattern, until: number): number[] {
  const times: number[] = [];
  for (let frame = pattern.next(); frame.timestamp <= until; frame = pattern.next()) times.push(frame.timestamp);
  return times;
}
