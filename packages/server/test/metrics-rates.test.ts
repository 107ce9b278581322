/** Sliding rates: steady flows, flows that stop, bursts, and any times at which they are asked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SlidingRate } from "@sluice/server/metrics/rates";
import fc from "fast-check";

const at = (millis: number): Millis => millis as Millis;

test("[MET10] 30 frames per second read as 30, whenever asked", () => {
  const rate = new SlidingRate();
  for (let i = 0; i * (1000 / 30) < 20_000; i++) {
    const now = 123_456.7 + i * (1000 / 30);
    rate.add(1, at(now));
    if (i > 90) assert.ok(Math.abs(rate.perSecond(at(now)) - 30) < 0.5, `${rate.perSecond(at(now))} at frame ${i}`);
  }
  assert.equal(rate.total, 600);
});

test("[MET10] a change of the flow is shown whole once the window has passed", () => {
  const rate = new SlidingRate(3);
  for (let now = 0; now < 10_000; now += 10) rate.add(now < 5000 ? 100 : 10, at(now));
  assert.ok(Math.abs(rate.perSecond(at(9990)) - 1000) < 10);
});

test("[MET11] a flow that stopped fades within the window, and stays at 0", () => {
  const rate = new SlidingRate(5);
  for (let now = 0; now < 4000; now += 100) rate.add(1, at(now));
  assert.ok(rate.perSecond(at(6000)) > 0);
  assert.equal(rate.perSecond(at(9000)), 0);
  assert.equal(rate.perSecond(at(1e12)), 0);
  assert.equal(rate.total, 40);
});

test("[MET12] a burst at the start is averaged over a second", () => {
  const rate = new SlidingRate();
  rate.add(500, at(999));
  assert.equal(rate.perSecond(at(999)), 500);
  assert.equal(rate.perSecond(at(1001)), 500);
  assert.equal(rate.perSecond(at(2999)), 250);
});

test("nothing added reads as 0", () => {
  assert.equal(new SlidingRate().perSecond(at(5000)), 0);
});

test("[MET11] whatever the times: never negative, never more than all that the window may hold", () => {
  const steps = fc.array(fc.tuple(fc.nat(2500), fc.nat(1000)), { maxLength: 100 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 8 }), (all, window) => {
      const rate = new SlidingRate(window);
      const added: { readonly now: number; readonly amount: number }[] = [];
      let now = 0;
      for (const [delay, amount] of all) {
        now += delay;
        rate.add(amount, at(now));
        added.push({ now, amount });
        const windowStart = (Math.floor(now / 1000) - window + 1) * 1000;
        const inWindow = added.filter((each) => each.now >= windowStart).reduce((sum, each) => sum + each.amount, 0);
        const span = Math.max(now - Math.max(windowStart, added[0]?.now ?? 0), 1000);
        assert.ok(Math.abs(rate.perSecond(at(now)) - (inWindow * 1000) / span) < 1e-6);
      }
    }),
    { numRuns: 200 },
  );
});
