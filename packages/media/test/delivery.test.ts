/** Joins, leaves and changes of form, one by one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiveStream } from "@sluice/media/live-stream";
import { DEFAULT_LAG_LIMITS } from "@sluice/media/limits";
import type { Subscriber } from "@sluice/media/subscriber";
import { assertTimeGoesOn, FakeSink, ms, type Stage, stage, testForm } from "./fixture.ts";

const PLAIN = testForm("plain");
const SILENT = testForm("silent", { mutes: "audio" });
const BLIND = testForm("blind", { mutes: "video" });

/** Video at `time`, audio with it. */
function pair(
  at: Stage,
  time: number,
  role: "key" | "delta" = "delta",
): { readonly video: number; readonly audio: number } {
  const video = at.push("video", role, time);
  const audio = at.push("audio", "delta", time);
  at.stream.deliver();
  return { video, audio };
}

test("[MED26] each frame is encoded once a form, however many viewers have it", () => {
  const at = stage();
  let encodings = 0;
  const form = {
    ...PLAIN,
    encodeInto: (...given: Parameters<typeof PLAIN.encodeInto>) => (encodings++, PLAIN.encodeInto(...given)),
  };
  at.setUp();
  const sinks = Array.from({ length: 1_200 }, () => new FakeSink(at.clock));
  for (const sink of sinks) at.join(sink, { form });
  at.push("video", "key", 0);
  at.stream.deliver();
  const perJoin = encodings;
  for (let i = 1; i <= 50; i++) pair(at, i * 40);
  assert.equal(encodings - perJoin, 100);
  assert.ok(sinks.every((sink) => sink.items().length === 3 + 1 + 100));
  assert.equal(at.stream.cohortCount, 1);
  assert.equal(
    at.stream.delivery.bytesOut,
    sinks.reduce((sum, sink) => sum + sink.byteCount, 0),
  );
  assert.equal(
    at.stream.delivery.writes,
    sinks.reduce((sum, sink) => sum + sink.writes, 0),
  );
});

test("[MED21] a joiner starts with the cached GOP in one write, or when told so with the next key frame", () => {
  const at = stage();
  const setUp = at.setUp();
  const gop = [pair(at, 0, "key"), pair(at, 40)];
  const now = new FakeSink(at.clock);
  at.join(now);
  const later = new FakeSink(at.clock);
  at.join(later, { startAt: "next-key" });
  const elsewhere = new FakeSink(at.clock);
  at.join(elsewhere, { form: SILENT });
  assert.deepEqual([now.writes, later.writes, elsewhere.writes], [1, 0, 1]);
  const delta = pair(at, 80);
  const key = pair(at, 120, "key");
  const all = [...gop, delta, key];
  assert.deepEqual(now.serials(), [...setUp, ...all.flatMap(({ video, audio }) => [video, audio])]);
  assert.deepEqual(later.serials(), [...setUp, key.video, key.audio]);
  assert.deepEqual(elsewhere.serials(), [...setUp.slice(0, 2), ...all.map(({ video }) => video)]);
});

test("[MED21] play before publish, audio only, video only, late audio", () => {
  for (const kinds of [["audio"], ["video"], ["video", "audio"]] as const) {
    const at = stage();
    const sink = new FakeSink(at.clock);
    at.join(sink, { form: testForm("flv", { hasOpening: true }) });
    const pushed = kinds.flatMap((kind, i) => [
      at.push(kind, "config", i * 10),
      at.push(kind, kind === "video" ? "key" : "delta", i * 10),
    ]);
    at.stream.deliver();
    assert.deepEqual(sink.serials(), [0, ...pushed], kinds.join());
  }
});

test("[MED25] the opening tells what metadata announced, comes once, and survives a change of publication", () => {
  const at = stage();
  const sink = new FakeSink(at.clock);
  at.join(sink, { form: testForm("flv", { hasOpening: true }) });
  const unknown = { width: 0, height: 0, sampleRate: 0, channels: 0, audioFlagAt: 0, videoFlagAt: 0 };
  at.push("data", "metadata", 0, { announces: { audio: true, video: true, ...unknown } });
  at.push("video", "config", 0);
  at.push("video", "key", 0);
  at.stream.deliver();
  assert.equal(sink.items()[0]?.trackId, 5);
  at.stream.startPublication();
  at.setUp();
  pair(at, 0, "key");
  assert.equal(sink.items().filter((item) => item.kind === "opening").length, 1);
  assertTimeGoesOn(sink.items());
});

test("[MED25] the opening tells of sound that began after the picture of the cached GOP", () => {
  const at = stage();
  at.push("video", "config", 0);
  at.push("video", "key", 0);
  at.stream.deliver();
  at.push("audio", "config", 10);
  at.push("audio", "delta", 10);
  at.stream.deliver();
  const sink = new FakeSink(at.clock);
  at.join(sink, { form: testForm("flv", { hasOpening: true }) });
  assert.equal(sink.items()[0]?.trackId, 5);
  assert.deepEqual(
    sink
      .items()
      .map((item) => item.role)
      .slice(1),
    ["config", "key", "config", "delta"],
  );
});

test("[MED28] who leaves in step is handed what waits for it", () => {
  const at = stage();
  at.window.set(100);
  at.setUp();
  pair(at, 0, "key");
  const sink = new FakeSink(at.clock);
  const viewer = at.join(sink) as Subscriber;
  const { video, audio } = pair(at, 40);
  assert.equal(sink.items().length, 5);
  at.stream.unsubscribe(viewer);
  assert.deepEqual(sink.serials().slice(5), [video, audio]);
  at.stream.unsubscribe(viewer);
  pair(at, 80);
  at.clock.advance(2_000);
  assert.equal(sink.items().length, 7);
  assert.equal(at.clock.pendingCount, 0);
});

test("[MED51] one subscriber more than the limit is refused", () => {
  const at = stage({ limits: { tracksPerKind: 1, cohorts: 1, subscribers: 2 } });
  const first = at.join(new FakeSink(at.clock)) as Subscriber;
  assert.ok(at.join(new FakeSink(at.clock)));
  assert.equal(at.join(new FakeSink(at.clock)), undefined);
  at.stream.unsubscribe(first);
  assert.ok(at.join(new FakeSink(at.clock)));
});

test("[MED52] muting takes effect at once without a hole; video comes back at a key frame with its set-up", () => {
  const at = stage();
  at.window.set(20);
  const setUp = at.setUp();
  const first = pair(at, 0, "key");
  const sink = new FakeSink(at.clock);
  const viewer = at.join(sink, { form: PLAIN }) as Subscriber;
  const second = pair(at, 40);
  at.stream.switchForm(viewer, BLIND, "live-edge");
  const third = pair(at, 80);
  at.clock.advance(20);
  at.stream.switchForm(viewer, PLAIN, "next-key");
  pair(at, 120);
  const key = pair(at, 160, "key");
  at.clock.advance(20);
  assert.deepEqual(sink.serials(), [
    ...setUp,
    first.video,
    first.audio,
    second.video,
    second.audio,
    third.audio,
    ...setUp,
    key.video,
    key.audio,
  ]);
  assertTimeGoesOn(sink.items());
  assert.equal(at.stream.cohortCount, 1);
});

test("[MED52] a viewer that waits for its start and mutes still starts with set-up at a key frame", () => {
  const at = stage();
  const sink = new FakeSink(at.clock);
  const viewer = at.join(sink) as Subscriber;
  at.stream.switchForm(viewer, SILENT, "live-edge");
  const setUp = at.setUp();
  const { video } = pair(at, 0, "key");
  assert.deepEqual(sink.serials(), [...setUp.slice(0, 2), video]);
});

test("[MED52, MED27] a full viewer that changes form is not written to before it drained, and goes on at a key frame", () => {
  const at = stage();
  const setUp = at.setUp();
  pair(at, 0, "key");
  const sink = new FakeSink(at.clock, "slow");
  const viewer = at.join(sink) as Subscriber;
  assert.ok(sink.hasNoRoom);
  at.stream.switchForm(viewer, SILENT, "live-edge");
  pair(at, 40);
  const key = pair(at, 80, "key");
  const before = sink.items().length;
  sink.becomeEager();
  assert.deepEqual(
    sink.serials().slice(before),
    [...setUp.slice(0, 2), key.video],
    "it goes on when drained, without waiting for a frame",
  );
  const next = pair(at, 120);
  assert.equal(sink.serials().at(-1), next.video);
});

test("[MED24, MED52] a dead viewer that changes form is dropped all the same", () => {
  const at = stage();
  at.setUp();
  pair(at, 0, "key");
  const sink = new FakeSink(at.clock, "dead");
  const viewer = at.join(sink) as Subscriber;
  at.stream.switchForm(viewer, SILENT, "live-edge");
  pair(at, 40, "key");
  at.clock.advance(DEFAULT_LAG_LIMITS.stallTimeout + 2_000);
  assert.deepEqual(sink.ends, ["stalled"]);
  assert.equal(at.stream.subscriberCount, 0);
  at.stream.switchForm(viewer, PLAIN, "live-edge");
  assert.equal(at.stream.subscriberCount, 0, "who is gone does not come back");
});

test("[MED52] in step into a cohort whose only viewer is full: nobody is forgotten", () => {
  const at = stage();
  at.window.set(20);
  at.setUp();
  pair(at, 0, "key");
  const other = new FakeSink(at.clock, "slow", 150);
  at.join(other, { form: SILENT });
  const sink = new FakeSink(at.clock);
  const viewer = at.join(sink) as Subscriber;
  at.clock.advance(20);
  at.push("video", "delta", 20, { bytes: 400 });
  at.stream.deliver();
  at.stream.switchForm(viewer, SILENT, "live-edge");
  assert.ok(other.hasNoRoom);
  const { video } = pair(at, 40);
  at.clock.advance(20);
  assert.equal(sink.serials().at(-1), video);
  other.becomeEager();
  assert.equal(other.serials().at(-1), video);
});

test("[MED53] a viewer that leaves inside its own write is gone, and its neighbours get each frame once", () => {
  for (const appetite of ["eager", "slow"] as const) {
    const at = stage();
    at.setUp();
    pair(at, 0, "key");
    const sinks = Array.from({ length: 9 }, (_, i) => new FakeSink(at.clock, i % 3 === 1 ? appetite : "eager", 150));
    const viewers = sinks.map((sink) => at.join(sink) as Subscriber);
    sinks.forEach((sink, i) => {
      if (i % 3 === 1) sink.onWrite = () => at.stream.unsubscribe(viewers[i] as Subscriber);
    });
    const frames = [pair(at, 40), pair(at, 80)];
    assert.equal(at.stream.subscriberCount, 6);
    for (const [i, sink] of sinks.entries()) {
      const after = sink.serials().slice(5);
      assert.deepEqual(
        after,
        (i % 3 === 1 ? frames.slice(0, 1) : frames).flatMap(({ video, audio }) => [video, audio]),
      );
    }
  }
});

test("[MED53] also inside the write of its join, of its catching up, and of its drain", () => {
  const at = stage();
  at.setUp();
  pair(at, 0, "key");
  const waiting = new FakeSink(at.clock);
  const viewer = at.join(waiting, { startAt: "next-key" }) as Subscriber;
  waiting.onWrite = () => at.stream.unsubscribe(viewer);
  const slow = new FakeSink(at.clock, "slow");
  const lagging = at.join(slow) as Subscriber;
  pair(at, 40, "key");
  slow.onWrite = () => at.stream.unsubscribe(lagging);
  slow.drain();
  pair(at, 80);
  assert.deepEqual(
    [viewer.state.at, lagging.state.at, at.stream.subscriberCount, at.stream.cohortCount],
    ["left", "left", 0, 0],
  );
  assert.deepEqual([waiting.writes, slow.writes], [1, 2]);
  at.clock.advance(2_000);
  assert.equal(at.clock.pendingCount, 0);
});

test("[MED53] viewers that go when they are told, go", () => {
  const at = stage();
  at.setUp();
  pair(at, 0, "key");
  const sinks = Array.from({ length: 4 }, () => new FakeSink(at.clock));
  const viewers = sinks.map((sink) => at.join(sink) as Subscriber);
  const told: number[] = [];
  sinks.forEach((sink, i) => {
    sink.notify = () => {
      told.push(i);
      for (const viewer of viewers.slice(i, i + 2)) at.stream.unsubscribe(viewer);
    };
  });
  at.stream.notify("unpublished");
  assert.deepEqual(told, [0, 2]);
  assert.equal(at.stream.subscriberCount, 0);
});

for (const [name, end] of [
  ["the notice", (stream: LiveStream) => stream.notify("unpublished")],
  ["the end", (stream: LiveStream) => stream.endSubscribers("stream-ended")],
] as const) {
  test(`[MED55] a publication that begins and ends in one arrival reaches those who waited for it, before ${name}`, () => {
    for (const window of [0, 20, 100]) {
      const at = stage();
      at.window.set(window);
      const sinks = [PLAIN, SILENT].map((form) => {
        const sink = new FakeSink(at.clock);
        at.join(sink, { form });
        return sink;
      });
      at.setUp();
      const [key, sound] = [at.push("video", "key", 0), at.push("audio", "delta", 0)];
      const heard: number[] = [];
      for (const sink of sinks) {
        sink.notify = () => heard.push(sink.serials().at(-1) ?? 0);
        sink.end = () => heard.push(sink.serials().at(-1) ?? 0);
      }
      end(at.stream);
      assert.deepEqual(heard, [sound, key]);
    }
  });
}

test("[MED54] ending everybody hands over what waits, tells each once, and counts nobody", () => {
  const at = stage();
  at.window.set(100);
  at.setUp();
  pair(at, 0, "key");
  const sinks = [PLAIN, PLAIN, SILENT].map((form) => {
    const sink = new FakeSink(at.clock, "eager", 0, 2 ** 20);
    at.join(sink, { form, isPatient: form === SILENT });
    return sink;
  });
  const waiting = new FakeSink(at.clock);
  at.join(waiting, { startAt: "next-key" });
  const { audio, video } = pair(at, 40);
  at.stream.endSubscribers("stream-ended");
  assert.deepEqual(
    [...sinks, waiting].map((sink) => sink.ends),
    Array.from({ length: 4 }, () => ["stream-ended"]),
  );
  assert.deepEqual(
    sinks.map((sink) => sink.serials().at(-1)),
    [audio, audio, video],
  );
  assert.deepEqual([at.stream.subscriberCount, at.stream.cohortCount, at.clock.pendingCount], [0, 0, 0]);
  assert.equal(waiting.byteCount, 0);
});

test("[MED20] thousands that waited for a publisher all get the first frame, and slices hold no more than they may", () => {
  const at = stage();
  at.window.set(100);
  const sinks = Array.from({ length: 1_500 }, () => new FakeSink(at.clock));
  for (const sink of sinks) at.join(sink);
  const setUp = at.setUp();
  const first = pair(at, 0, "key");
  const second = pair(at, 40);
  at.clock.advance(ms(200));
  for (const sink of sinks)
    assert.deepEqual(sink.serials(), [...setUp, first.video, first.audio, second.video, second.audio]);
});
