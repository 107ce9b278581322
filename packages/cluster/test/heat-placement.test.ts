/** Heat as an average, and where it lets things be placed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { DecayedAverage, NodeHeat, StreamHeat } from "@sluice/cluster/heat";
import {
  BY_HASH,
  BY_HEAT,
  type Candidate,
  LEAST_LOADED,
  pinned,
  place,
  type PlacementWish,
} from "@sluice/cluster/placement";

const at = (seconds: number): Millis => (seconds * 1_000) as Millis;
const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);

test("[CLU60] an average forgets half in ten seconds, however often it is sampled", () => {
  const rarely = new DecayedAverage();
  rarely.sample(1, at(0));
  rarely.sample(1, at(10));
  close(rarely.value, 0.5);
  rarely.sample(1, at(20));
  close(rarely.value, 0.75);
  const often = new DecayedAverage();
  for (let tenth = 0; tenth <= 100; tenth++) often.sample(1, at(tenth / 10));
  close(often.value, 0.5);
  often.sample(0, at(20));
  close(often.value, 0.25);
});

test("[CLU60] a node's heat is the highest of loop, egress and memory against their limits, and stays within 0 and 1", () => {
  const heat = new NodeHeat({ egressBitsPerSecond: 1_000, memoryBytes: 100 });
  const load = { loopUtilisation: 0.2, egressBitsPerSecond: 600, memoryBytes: 50 };
  for (let second = 0; second <= 1_000; second += 10) heat.sample(load, at(second));
  close(Math.round(heat.value * 1e6) / 1e6, 0.6);
  for (let second = 1_000; second <= 2_000; second += 10) heat.sample({ ...load, memoryBytes: 500 }, at(second));
  assert.equal(heat.value, 1);
});

test("[CLU61] heat is told at most once a second, and only when it differs by a twentieth from what was told", () => {
  const heat = new NodeHeat({ egressBitsPerSecond: 1, memoryBytes: 1 });
  let told = 0;
  let last = 0;
  for (let tenth = 0; tenth <= 1_000; tenth++) {
    heat.sample({ loopUtilisation: 1, egressBitsPerSecond: 0, memoryBytes: 0 }, at(tenth / 10));
    const news = heat.takeNews(at(tenth / 10));
    if (news === undefined) {
      if (tenth % 10 === 0) assert.ok(Math.abs(heat.value - last) < 0.12);
      continue;
    }
    assert.ok(news - last >= 0.04);
    last = news;
    told++;
  }
  assert.ok(told > 5 && told <= 20, `told ${told} times`);
});

test("[CLU62] a stream's heat is bits per second, and joins with their GOPs", () => {
  const heat = new StreamHeat(at(0));
  for (let second = 1; second <= 300; second++) heat.sample({ bits: 1_000, joins: 2, gopBytes: 100 }, at(second));
  assert.equal(Math.round(heat.value), 1_000 + 2 * 100 * 8);
  heat.sample({ bits: 1_000, joins: 0, gopBytes: 0 }, at(300));
  assert.equal(Math.round(heat.value), 2_600, "no time has passed");
});

const node = (id: string, heat: number, homeCount = 0): Candidate => ({ id, heat, homeCount });
const wish = (more: Partial<PlacementWish> = {}): PlacementWish => ({
  key: "live/cam",
  present: undefined,
  loadToCome: 0.1,
  ...more,
});

test("[CLU63] by heat the coolest node after the load to come is taken; with equals the id decides", () => {
  assert.equal(place(BY_HEAT, wish(), [node("a", 0.3), node("b", 0.2), node("c", 0.4)]), "b");
  assert.equal(place(BY_HEAT, wish(), [node("b", 0.2), node("a", 0.2)]), "a");
  assert.equal(place(BY_HEAT, wish(), []), undefined);
});

test("[CLU64] nothing moves unless its node is above 0.75 and the target stays below 0.5", () => {
  for (const policy of [BY_HEAT, LEAST_LOADED]) {
    const placed = (present: number, target: number, loadToCome = 0.1): string | undefined =>
      place(policy, wish({ present: "a", loadToCome }), [node("a", present, 9), node("b", target)]);
    assert.equal(placed(0.75, 0.1), "a", "not hot enough");
    assert.equal(placed(0.76, 0.39), "b");
    assert.equal(placed(0.76, 0.4), "a", "the target would not stay cool");
    assert.equal(placed(1, 0.6), "a");
  }
  assert.equal(place(BY_HEAT, wish({ present: "gone" }), [node("a", 0.9), node("b", 0.8)]), "b", "it cannot stay");
});

test("[CLU65] by hash all nodes choose alike, and only what a lost node had goes elsewhere", () => {
  const nodes = ["a", "b", "c", "d"].map((id) => node(id, 0));
  const keys = Array.from({ length: 4_000 }, (_, index) => `live/cam${index}`);
  const chosen = new Map(keys.map((key) => [key, place(BY_HASH, wish({ key }), nodes)]));
  for (const { id } of nodes) {
    const count = [...chosen.values()].filter((one) => one === id).length;
    assert.ok(count > 800 && count < 1_200, `${id} has ${count} of 4000`);
  }
  for (const [key, before] of chosen) {
    const shuffled = [...nodes].reverse().filter(({ id }) => id !== "c");
    const after = place(BY_HASH, wish({ key }), shuffled);
    if (before !== "c") assert.equal(after, before);
  }
});

test("[CLU66] a pin is kept while its node is eligible, also away from a cool node; everything else goes by the other policy", () => {
  const policy = pinned(new Map([["live/cam", "b"]]), BY_HEAT);
  const nodes = [node("a", 0.1), node("b", 0.7), node("c", 0.05)];
  assert.equal(place(policy, wish({ present: "a" }), nodes), "b");
  assert.equal(place(policy, wish(), [node("a", 0.1), node("c", 0.05)]), "c", "its node is not there");
  assert.equal(place(policy, wish({ key: "other", present: "a" }), nodes), "a", "nothing moves it");
  assert.equal(place(policy, wish({ key: "other" }), nodes), "c");
});

test("[CLU67] by least load the node with the fewest homes is taken, of several the coolest", () => {
  assert.equal(place(LEAST_LOADED, wish(), [node("a", 0.1, 3), node("b", 0.6, 1), node("c", 0.2, 1)]), "c");
});
