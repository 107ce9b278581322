/** The window that follows the load, and the fixed one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AutoWindow, fixedWindow } from "@sluice/media/delivery-window";
import { ms } from "./fixture.ts";

/** Shares of the loop for which the window widens by a step, by two, stays, and narrows at last. */
const BUSY = 0.8;
const OVERLOADED = 1;
const STEADY = 0.5;
const CALM = 0.3;

/** Every window that load can make, the narrowest first. */
function widths(): number[] {
  const window = new AutoWindow();
  const seen: number[] = [];
  for (; seen.at(-1) !== window.prompt; window.sample(BUSY)) seen.push(window.prompt);
  return seen;
}

/** Samples in a row until the window has narrowed. */
function samplesToNarrow(window: AutoWindow, load: number): number {
  const before = window.prompt;
  for (let count = 1; ; count++) {
    window.sample(load);
    if (window.prompt < before) return count;
  }
}

test("[MED35] the emptier the loop, the fewer calm samples it takes to narrow: one when it stands still", () => {
  const counts = [CALM, CALM / 2, CALM / 10, 0].map((load) => {
    const window = new AutoWindow();
    window.sample(BUSY);
    return samplesToNarrow(window, load);
  });
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  );
  assert.ok((counts[0] as number) > 1 && counts.at(-1) === 1, `${counts}`);
});

test("[MED35] load widens at once, by two steps when it is great, up to a widest window", () => {
  const all = widths();
  assert.ok(all.length > 3 && all[0] === 0);
  assert.deepEqual(
    all,
    all.toSorted((a, b) => a - b),
  );
  const window = new AutoWindow();
  window.sample(STEADY);
  assert.equal(window.prompt, 0);
  window.sample(OVERLOADED);
  assert.equal(window.prompt, all[2]);
  window.sample(BUSY);
  assert.equal(window.prompt, all[3]);
  for (let i = 0; i < all.length; i++) window.sample(OVERLOADED);
  assert.deepEqual([window.prompt, window.patient], [all.at(-1), all.at(-1)]);
});

test("[MED35] it narrows one step after calm samples in a row, and holds in between", () => {
  const [, one, two] = widths();
  const window = new AutoWindow();
  for (let i = 0; i < 2; i++) window.sample(BUSY);
  const enough = samplesToNarrow(window, CALM);
  assert.equal(window.prompt, one);
  window.sample(BUSY);
  for (const rest of [STEADY, CALM]) {
    for (let i = 1; i < enough; i++) window.sample(CALM);
    assert.equal(window.prompt, two);
    window.sample(rest);
  }
  assert.equal(window.prompt, one);
  for (let i = 0; i < 100; i++) window.sample(STEADY);
  assert.equal(window.prompt, one);
  for (let i = 0; i < enough; i++) window.sample(CALM);
  assert.equal(window.prompt, 0);
});

test("[MED35] a calm sample that stands for many narrows by as many steps, a busy one widens once", () => {
  const all = widths();
  const window = new AutoWindow();
  for (let i = 0; i < 4; i++) window.sample(BUSY, 50);
  const enough = samplesToNarrow(window, CALM);
  assert.equal(window.prompt, all[3]);
  window.sample(CALM, 2 * enough + 1);
  assert.equal(window.prompt, all[1]);
  window.sample(CALM, enough - 1);
  assert.equal(window.prompt, 0);
});

test("[MED36] the patient window is wider than the prompt one, up to the widest, and nothing without load", () => {
  const window = new AutoWindow();
  assert.deepEqual([window.prompt, window.patient], [0, 0]);
  const all = widths();
  const widest = all.at(-1) as number;
  for (const prompt of all.slice(1)) {
    window.sample(BUSY);
    assert.equal(window.prompt, prompt);
    assert.ok(prompt === widest ? window.patient === widest : window.patient > prompt && window.patient <= widest);
  }
});

test("[MED35] a fixed window is the same for all", () => {
  assert.deepEqual(fixedWindow(ms(70)), { prompt: 70, patient: 70 });
});
