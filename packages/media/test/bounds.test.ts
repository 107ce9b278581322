/** What viewers may cost beyond their stream's frames: kept GOPs, further views of one peer, peers that owe. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Subscriber } from "@sluice/media/subscriber";
import { FakeSink, ms, type Stage, stage, testForm } from "./fixture.ts";

const FRAME = 100_000;
const LAG = { maxBytes: 1_000_000, maxAge: ms(6_000), stallTimeout: ms(15_000) };

function grow(at: Stage, frames: number, from = 0): void {
  for (let i = from; i < from + frames; i++) {
    at.push("video", i === from ? "key" : "delta", i * 40, { bytes: FRAME });
    at.stream.deliver();
  }
}

function joinAll(at: Stage, forms: number, sharing?: "alone"): FakeSink[] {
  return Array.from({ length: forms }, (_, i) => {
    const sink = new FakeSink(at.clock);
    const form = testForm(`form${i}`);
    const shared = sharing === undefined ? {} : { sharing };
    at.stream.subscribe({ sink, form, isPatient: false, startAt: "cached-gop", ...shared });
    at.clock.advance(1);
    return sink;
  });
}

test("[MED100] cohorts keep encoded GOPs up to a bound in bytes; the one with the most viewers keeps its own", () => {
  const cohortGopBytes = 3_500_000;
  const at = stage({ limits: { cohortGopBytes } });
  at.setUp();
  grow(at, 1);
  const sinks = joinAll(at, 12);
  const crowd = [0, 1].map(() => new FakeSink(at.clock));
  for (const sink of crowd) at.join(sink, { form: testForm("form7") });
  at.clock.advance(1);
  grow(at, 30);
  assert.ok(at.stream.heldBytes < cohortGopBytes + 12 * 2_000_000, `${at.stream.heldBytes} bytes`);
  const late = new FakeSink(at.clock);
  at.join(late, { form: testForm("form7") });
  assert.ok(late.ownBytes < FRAME, "its cohort still has the GOP: only the set-up is its own");
  const other = new FakeSink(at.clock);
  at.join(other, { form: testForm("form3") });
  assert.equal(other.ownBytes, other.byteCount, "its cohort has none: the cached frames were encoded for it");
  at.clock.advance(1);
  assert.deepEqual(other.serials(), late.serials());
  grow(at, 2, 30);
  for (const sink of sinks) assert.deepEqual(sink.serials().slice(-2), late.serials().slice(-2));
});

test("[MED100] a cohort that opens when the others keep enough keeps nothing, and its viewers get everything", () => {
  const at = stage({ limits: { cohortGopBytes: 2_500_000 } });
  const setUp = at.setUp();
  grow(at, 20);
  const before = joinAll(at, 1);
  const held = at.stream.heldBytes;
  const later = joinAll(at, 9);
  assert.ok(at.stream.heldBytes - held < 9 * 600_000, `${at.stream.heldBytes - held} bytes`);
  for (const sink of later) assert.deepEqual(sink.serials(), before[0]?.serials());
  assert.equal(later[0]?.serials().length, setUp.length + 20);
});

test("[MED101] further views of one peer share no cohort and keep nothing for joiners", () => {
  const at = stage();
  at.setUp();
  grow(at, 1);
  const sinks = joinAll(at, 20, "alone");
  grow(at, 60, 1);
  assert.ok(at.stream.heldBytes < 20 * 300_000, `${at.stream.heldBytes} bytes`);
  for (const sink of sinks) assert.equal(sink.serials().length, 3 + 61);
});

test("[MED102] a peer that owes its connection's limit is handed nothing before it has drained", () => {
  const at = stage({ lag: LAG });
  at.setUp();
  grow(at, 3);
  const sink = new FakeSink(at.clock, "slow");
  sink.isFull = true;
  const viewer = at.join(sink) as Subscriber;
  grow(at, 3, 3);
  assert.equal(sink.byteCount, 0);
  assert.ok(viewer.isLagging);
  sink.isFull = false;
  sink.becomeEager();
  at.clock.advance(1);
  assert.equal(sink.serials().length, 3 + 6);
});

test("[MED106] a viewer of whose transport a little is taken now and then is not stalled; one that takes nothing is", () => {
  const at = stage({ lag: LAG });
  at.setUp();
  const [nibbling, dead] = [new FakeSink(at.clock, "dead"), new FakeSink(at.clock, "dead")];
  for (const sink of [nibbling, dead]) at.join(sink);
  grow(at, 2);
  for (let second = 0; second < 60; second++) {
    if (second % 10 === 0) nibbling.nibble();
    at.clock.advance(1_000);
  }
  assert.deepEqual(nibbling.ends, []);
  assert.deepEqual(dead.ends, ["stalled"]);
  at.clock.advance(20_000);
  assert.deepEqual(nibbling.ends, ["stalled"]);
});
