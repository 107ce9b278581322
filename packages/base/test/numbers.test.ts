/** Back-off bounds, numbers at their wrap, and the bounded queue against a model. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "@sluice/base/backoff";
import { BoundedQueue } from "@sluice/base/bounded-queue";
import type { Millis } from "@sluice/base/brand";
import { serialAdd, serialBefore, serialDistance } from "@sluice/base/serial-number";
import fc from "fast-check";

test("[BAS4] waits stay between half and the whole of the full wait, and below the cap", () => {
  const options = fc.record({
    first: fc.integer({ min: 1, max: 1_000 }),
    cap: fc.integer({ min: 1, max: 60_000 }),
    factor: fc.double({ min: 1.1, max: 4, noNaN: true }),
    randoms: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
  });
  fc.assert(
    fc.property(options, ({ first, cap, factor, randoms }) => {
      let at = 0;
      const random = (): number => randoms[at++] as number;
      const backoff = new Backoff({ first: first as Millis, cap: cap as Millis, factor, random });
      for (let failures = 0; failures < randoms.length; failures++) {
        const full = Math.min(cap, first * factor ** failures);
        const wait = backoff.next();
        assert.ok(wait >= full / 2 && wait <= full, `${wait} is outside ${full / 2} to ${full}`);
      }
    }),
  );
});

test("[BAS4] stays at the cap however often it fails, and starts again after success", () => {
  const backoff = new Backoff({ first: 100 as Millis, cap: 5_000 as Millis, factor: 2, random: () => 1 });
  const waits = Array.from({ length: 2_000 }, () => backoff.next());
  assert.deepEqual(waits.slice(0, 7), [100, 200, 400, 800, 1_600, 3_200, 5_000]);
  assert.equal(waits.at(-1), 5_000);
  backoff.reset();
  assert.equal(backoff.next(), 100);
});

const WRAP = 2 ** 32;
const SERIALS = [
  { from: 0, to: 0, distance: 0 },
  { from: 0, to: 1, distance: 1 },
  { from: WRAP - 1, to: 0, distance: 1 },
  { from: 5, to: WRAP - 5, distance: -10 },
  { from: 16_777_215, to: 16_777_216, distance: 1 },
  { from: 0, to: 2 ** 31 - 1, distance: 2 ** 31 - 1 },
  { from: 0, to: 2 ** 31, distance: -(2 ** 31) },
] as const;

for (const { from, to, distance } of SERIALS) {
  test(`[BAS5] from ${from} to ${to} is ${distance}`, () => {
    assert.equal(serialDistance(from, to), distance);
    assert.equal(serialAdd(from, distance), to);
    assert.equal(serialBefore(from, to), distance > 0 || distance === -(2 ** 31));
  });
}

test("[BAS5] adding and taking the distance are each other's opposite", () => {
  const u32 = fc.integer({ min: 0, max: WRAP - 1 });
  fc.assert(
    fc.property(u32, u32, (from, to) => {
      assert.equal(serialAdd(from, serialDistance(from, to)), to);
      if (serialDistance(from, to) !== -(2 ** 31)) assert.equal(serialBefore(from, to), serialDistance(from, to) > 0);
    }),
  );
});

test("[BAS6] agrees with an array that refuses to grow", () => {
  const steps = fc.array(fc.oneof(fc.integer(), fc.constant("take" as const)), { maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8 }), steps, (capacity, run) => {
      const queue = new BoundedQueue<number>(capacity);
      const model: number[] = [];
      for (const step of run) {
        if (step === "take") assert.equal(queue.take(), model.shift());
        else {
          assert.equal(queue.offer(step), model.length < capacity ? "queued" : "full");
          if (model.length < capacity) model.push(step);
        }
        assert.equal(queue.size, model.length);
      }
    }),
  );
});

test("[BAS6] a queue that is never empty gives back the room of what was taken", () => {
  const queue = new BoundedQueue<number>(3_000);
  for (let i = 0; i < 3_000; i++) queue.offer(i);
  for (let i = 3_000; i < 20_000; i++) {
    assert.equal(queue.offer(i), "full");
    assert.equal(queue.take(), i - 3_000);
    assert.equal(queue.offer(i), "queued");
  }
  assert.equal(queue.size, 3_000);
});
