/** Slow and dead viewers: what they cost, what they miss, and that nobody else notices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_SLAB_BYTES, MIN_SLAB_BYTES } from "@sluice/media/cohort-log";
import type { Subscriber } from "@sluice/media/subscriber";
import { assertTimeGoesOn, FakeSink, ms, type Stage, stage, testForm } from "./fixture.ts";

const LAG = { maxBytes: 1_000_000, maxAge: ms(6_000), stallTimeout: ms(15_000) };

/** 25 pictures a second of `bytes`, a key frame each second. @returns the serials pushed */
function play(at: Stage, seconds: number, bytes: number, start = 0): number[] {
  const serials: number[] = [];
  for (let i = 0; i < seconds * 25; i++) {
    serials.push(at.push("video", i % 25 === 0 ? "key" : "delta", start + i * 40, { bytes }));
    at.stream.deliver();
    at.clock.advance(40);
  }
  return serials;
}

test("[MED22, MED24] a viewer that was away too long goes on at a key frame, with set-up, and is counted", () => {
  const at = stage({ lag: LAG });
  const setUp = at.setUp();
  const slow = new FakeSink(at.clock, "slow", 100_000);
  const eager = new FakeSink(at.clock);
  const viewer = at.join(slow) as Subscriber;
  at.join(eager);
  const first = play(at, 12, 20_000);
  assert.ok(viewer.isLagging);
  assert.deepEqual(eager.serials(), [...setUp, ...first]);
  slow.becomeEager();
  at.clock.advance(1);
  const second = play(at, 1, 20_000, 12_000);
  assert.ok(!viewer.isLagging);
  assert.equal(viewer.skips, 1);
  assert.deepEqual([at.stream.delivery.skips, at.stream.delivery.lags], [1, 1]);
  const serials = slow.serials();
  const again = serials.indexOf(setUp[0] as number, 3);
  assert.deepEqual(serials.slice(again, again + 2), setUp.slice(0, 2), "no sound came, so its set-up is left out");
  const resumed = slow.items()[again + 2];
  assert.equal(resumed?.role, "key");
  const all = [...first, ...second];
  assert.deepEqual(serials.slice(again + 2), all.slice(all.indexOf(resumed?.serial as number)));
  assert.deepEqual(serials.slice(3, again), all.slice(0, again - 3));
  assertTimeGoesOn(slow.items());
});

test("[MED22] a skip while the GOP is over its limit waits for the next key frame", () => {
  const at = stage({
    lag: { ...LAG, maxBytes: 100_000 },
    gop: { maxFrames: 30, maxBytes: 2 ** 30, maxDuration: ms(2 ** 30) },
  });
  const setUp = at.setUp();
  const slow = new FakeSink(at.clock, "slow", 10_000);
  at.push("video", "key", 0, { bytes: 20_000 });
  const viewer = at.join(slow) as Subscriber;
  for (let i = 1; i < 200; i++) {
    at.push("video", "delta", i * 40, { bytes: 20_000 });
    at.stream.deliver();
  }
  const before = slow.serials().length;
  slow.becomeEager();
  at.clock.advance(1);
  assert.equal(viewer.state.at, "awaiting-key");
  const key = at.push("video", "key", 8_000);
  const delta = at.push("video", "delta", 8_040);
  at.stream.deliver();
  assert.deepEqual(slow.serials().slice(before), [...setUp, key, delta]);
});

test("[MED23, MED24, MED54] a hundred viewers that never drain cost no more than the bounds, and are dropped", () => {
  const at = stage({ lag: LAG });
  at.setUp();
  const dead = Array.from({ length: 100 }, () => new FakeSink(at.clock, "dead"));
  for (const sink of dead) at.join(sink);
  const eager = new FakeSink(at.clock);
  at.join(eager);
  let peak = 0;
  let key = 0;
  for (let second = 0; second < 14; second++) {
    key = second * 1_000;
    play(at, 1, 40_000, key);
    peak = Math.max(peak, at.stream.heldBytes);
    assert.ok(dead.every((sink) => sink.ends.length === 0));
  }
  assert.ok(peak <= 2 * 1_000_000 + LAG.maxBytes + 3 * MAX_SLAB_BYTES, `${peak} bytes held`);
  assert.ok(dead.every((sink) => sink.writes === 1));
  play(at, 3, 40_000, 14_000);
  assert.ok(dead.every((sink) => sink.ends.length === 1 && sink.ends[0] === "stalled"));
  assert.equal(at.stream.subscriberCount, 1);
  assert.equal(at.stream.delivery.stalls, 100);
  assert.equal(eager.items().length, 3 + 17 * 25);
  assert.deepEqual(eager.ends, []);
});

test("[MED54] the last viewer's stall closes its cohort", () => {
  const at = stage({ lag: LAG });
  at.setUp();
  at.push("video", "key", 0);
  at.join(new FakeSink(at.clock, "dead"));
  assert.equal(at.stream.cohortCount, 1);
  at.clock.advance(17_000);
  assert.deepEqual([at.stream.cohortCount, at.stream.subscriberCount, at.clock.pendingCount], [0, 0, 0]);
});

test("[MED24] slow is not stalled: what drains in time goes on", () => {
  const at = stage({ lag: { ...LAG, maxBytes: 2 ** 30, maxAge: ms(2 ** 30) } });
  const setUp = at.setUp();
  const slow = new FakeSink(at.clock, "slow", 10_000, 10_000);
  const viewer = at.join(slow) as Subscriber;
  const pushed = play(at, 2, 5_000);
  for (let i = 0; i < 60 && viewer.isLagging; i++) {
    at.clock.advance(12_000);
    if (slow.hasNoRoom) slow.drain();
  }
  assert.deepEqual(slow.ends, []);
  assert.deepEqual(slow.serials(), [...setUp, ...pushed]);
});

/** A viewer that still has most of ten pictures to get when their publication ends. */
function lagAtTheEnd(appetite: "slow" | "dead" = "slow") {
  const at = stage({ lag: LAG });
  const setUp = at.setUp();
  const sink = new FakeSink(at.clock, appetite, 10_000, 10_000);
  const viewer = at.join(sink) as Subscriber;
  const sent = Array.from({ length: 10 }, (_, i) =>
    at.push("video", i === 0 ? "key" : "delta", i * 40, { bytes: 6_000 }),
  );
  at.stream.deliver();
  at.stream.forgetPublication();
  at.stream.notify("unpublished");
  assert.ok(viewer.isLagging);
  assert.deepEqual(sink.notices, []);
  return { at, sink, viewer, all: [...setUp, ...sent] };
}

test("[MED56] a viewer that lags when its publication ends gets the rest of it, and then hears of the end", () => {
  const { at, sink, all } = lagAtTheEnd();
  const toldAfter: number[] = [];
  sink.notify = (notice) => {
    assert.equal(notice, "unpublished");
    toldAfter.push(sink.serials().length);
  };
  at.clock.advance(100);
  assert.deepEqual(sink.serials(), all);
  assert.deepEqual(toldAfter, [all.length]);
});

test("[MED22, MED56] when the rest is no longer held it gets the last GOP, and joiners get nothing of it", () => {
  const at = stage({ lag: { ...LAG, maxBytes: 100_000 } });
  const setUp = at.setUp();
  const sink = new FakeSink(at.clock, "slow", 10_000, 10_000);
  const viewer = at.join(sink) as Subscriber;
  const sent: number[] = [];
  for (let i = 0; i < 100; i++) {
    sent.push(at.push("video", i % 25 === 0 ? "key" : "delta", i * 40, { bytes: 10_000 }));
    at.stream.deliver();
  }
  const before = sink.serials().length;
  at.stream.forgetPublication();
  at.stream.notify("unpublished");
  const late = new FakeSink(at.clock);
  at.join(late);
  sink.becomeEager();
  at.clock.advance(1_000);
  assert.equal(viewer.skips, 1);
  assert.deepEqual(sink.serials().slice(before), [...setUp, ...sent.slice(75)]);
  assert.deepEqual(sink.notices, ["unpublished"]);
  assert.deepEqual(late.serials(), []);
});

test("[MED56] a viewer that leaves as it is told leaves cleanly", () => {
  const { at, sink, viewer } = lagAtTheEnd();
  sink.notify = () => at.stream.unsubscribe(viewer);
  at.clock.advance(100);
  assert.deepEqual([at.stream.subscriberCount, at.stream.cohortCount], [0, 0]);
});

test("[MED56] it hears neither of the end nor of the return when the stream is published again meanwhile", () => {
  const { at, sink, all } = lagAtTheEnd();
  at.stream.startPublication();
  at.stream.notify("published");
  const setUp = at.setUp();
  const key = at.push("video", "key", 0);
  at.stream.deliver();
  at.clock.advance(100);
  assert.deepEqual(sink.serials(), [...all, ...setUp, key]);
  assert.deepEqual(sink.notices, []);
  at.stream.notify("unpublished");
  assert.deepEqual(sink.notices, ["unpublished"]);
});

test("[MED56] it hears of the end at once when it changes to a form in which nothing is owed", () => {
  const { at, sink, viewer } = lagAtTheEnd();
  at.stream.switchForm(viewer, testForm("other"), "live-edge");
  assert.deepEqual(sink.notices, ["unpublished"]);
});

test("[MED24, MED56] it is dropped like any other when it takes nothing any more", () => {
  const { at, sink } = lagAtTheEnd("dead");
  at.clock.advance(17_000);
  assert.deepEqual([sink.ends, sink.notices], [["stalled"], []]);
  assert.equal(at.clock.pendingCount, 0);
});

test("[MED29] catching up goes in bursts that end with a frame", () => {
  const at = stage();
  at.setUp();
  const pushed = play(at, 1, 5_000);
  const sink = new FakeSink(at.clock, "eager", 0, 12_000);
  at.join(sink);
  assert.equal(sink.items().length, 3 + 2);
  at.clock.advance(0);
  assert.equal(sink.items().length, 3 + 25);
  assert.equal(sink.writes, 13);
  assert.equal(sink.serials().at(-1), pushed.at(-1));
  const tiny = new FakeSink(at.clock, "eager", 0, 1);
  at.join(tiny);
  assert.equal(tiny.items().length, 3 + 1, "one frame goes however long it is");
});

test("[MED50] viewers beyond the cohort limit get everything, for a small log each", () => {
  const at = stage({ limits: { tracksPerKind: 4, cohorts: 1, subscribers: 100 } });
  const setUp = at.setUp();
  const first = new FakeSink(at.clock);
  at.join(first);
  const gop = play(at, 1, 5_000);
  const solo = Array.from({ length: 20 }, () => new FakeSink(at.clock));
  for (const [i, sink] of solo.entries()) at.join(sink, { form: testForm(`solo${i % 10}`) });
  assert.equal(at.stream.cohortCount, 21);
  for (const sink of solo) assert.deepEqual(sink.serials(), [...setUp, ...gop]);
  const shared = at.stream.heldBytes;
  const more = play(at, 5, 5_000, 1_000);
  for (const sink of solo) assert.deepEqual(sink.serials(), [...setUp, ...gop, ...more]);
  assert.ok(at.stream.heldBytes - shared <= 20 * 2 * MIN_SLAB_BYTES + 3 * MAX_SLAB_BYTES, `${at.stream.heldBytes}`);
});

test("[MED50] beyond the limit a GOP of more than 4 MiB is not encoded for one viewer: it starts with the next", () => {
  const at = stage({ limits: { tracksPerKind: 4, cohorts: 0, subscribers: 100 } });
  const setUp = at.setUp();
  at.push("video", "key", 0, { bytes: 4 * 1024 * 1024 + 1 });
  at.stream.deliver();
  const sink = new FakeSink(at.clock);
  at.join(sink);
  assert.equal(sink.writes, 0);
  const key = at.push("video", "key", 1_000);
  at.stream.deliver();
  assert.deepEqual(sink.serials(), [...setUp, key]);
});

test("[MED50, MED23] dead viewers beyond the cohort limit are bounded too", () => {
  const at = stage({ lag: LAG, limits: { tracksPerKind: 4, cohorts: 0, subscribers: 100 } });
  at.setUp();
  const dead = Array.from({ length: 10 }, () => new FakeSink(at.clock, "dead"));
  for (const [i, sink] of dead.entries()) at.join(sink, { form: testForm(`solo${i}`) });
  for (let second = 0; second < 12; second++) {
    play(at, 1, 20_000, second * 1_000);
    assert.ok(at.stream.heldBytes <= 10 * (256 * 1_024 + 2 * 20_100 + 2 * MIN_SLAB_BYTES), `${at.stream.heldBytes}`);
  }
  play(at, 5, 20_000, 12_000);
  assert.ok(dead.every((sink) => sink.ends[0] === "stalled"));
  assert.equal(at.stream.cohortCount, 0);
});
