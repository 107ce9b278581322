/** The fake clock runs timers in order of time, then of asking, and leaves nothing behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { FakeClock, settle } from "@sluice/testkit/fake-clock";

const ms = (value: number): Millis => value as Millis;

test("timers run in order of time, and in order of asking when due together", () => {
  const clock = new FakeClock();
  const ran: string[] = [];
  clock.after(ms(20), () => ran.push(`late at ${clock.now()}`));
  clock.after(ms(10), () => ran.push(`first at ${clock.now()}`));
  clock.after(ms(10), () => ran.push(`second at ${clock.now()}`));
  clock.advance(19);
  assert.deepEqual(ran, ["first at 10", "second at 10"]);
  clock.advance(1);
  assert.deepEqual(ran.at(-1), "late at 20");
});

test("a timer that a timer asks for runs in the same advance when it is due", () => {
  const clock = new FakeClock();
  const ran: number[] = [];
  const again = (): void => {
    ran.push(clock.now());
    if (ran.length < 5) clock.after(ms(3), again);
  };
  clock.after(ms(3), again);
  clock.advance(10);
  assert.deepEqual(ran, [3, 6, 9]);
  assert.equal(clock.pendingCount, 1);
});

test("a cancelled timer does not run, and cancelling again is harmless", () => {
  const clock = new FakeClock();
  const timer = clock.after(ms(1), () => assert.fail("ran"));
  timer.cancel();
  timer.cancel();
  clock.advance(5);
  assert.equal(clock.pendingCount, 0);
});

test("sleep ends at its time, and at once with the signal's reason when aborted", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const slept = clock.sleep(ms(10), stop.signal);
  const cut = clock.sleep(ms(100), stop.signal);
  clock.advance(10);
  await slept;
  stop.abort(new Error("enough"));
  await assert.rejects(cut, /enough/);
  assert.equal(clock.pendingCount, 0);
  await assert.rejects(clock.sleep(ms(1), stop.signal), /enough/);
});

test("advanceAsync lets code between two sleeps run at its own moment", async () => {
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const seen: number[] = [];
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(ms(4), signal);
      seen.push(clock.now());
    }
  })();
  await clock.advanceAsync(12);
  await loop;
  await settle();
  assert.deepEqual(seen, [4, 8, 12]);
});

test("the wall clock moves with the other", () => {
  const clock = new FakeClock(1_000);
  clock.advance(5);
  assert.equal(clock.wall(), 1_005);
});
