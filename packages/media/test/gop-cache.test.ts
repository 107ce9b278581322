/** What is kept for joiners: GOP, set-up, tracks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frame, FrameKind, FrameRole, PublishedUnit, Timestamp, PublicationId } from "@sluice/media/frame";
import { GopCache } from "@sluice/media/gop-cache";
import { DEFAULT_GOP_LIMITS, type GopLimits } from "@sluice/media/limits";
import { FakeSink, ms, stage, testForm, Units } from "./fixture.ts";

function cache(limits: Partial<GopLimits> = {}) {
  const units = new Units();
  const gop = new GopCache({ ...DEFAULT_GOP_LIMITS, ...limits });
  let sequence = 0;
  const add = (
    kind: FrameKind,
    role: FrameRole,
    dts: number,
    options: Partial<PublishedUnit> & { bytes?: number } = {},
  ) =>
    gop.add({
      ...units.make(kind, role, dts, options),
      dts: dts as Timestamp,
      publication: "0000000000000001" as PublicationId,
      sequence: sequence++,
    } satisfies Frame);
  return { gop, add };
}

test("[MED40] a GOP opens at a video key frame and goes on until the next", () => {
  const { gop, add } = cache();
  assert.equal(add("data", "metadata", 0), "none");
  assert.equal(add("video", "config", 0), "none");
  assert.equal(add("video", "delta", 0), "none");
  assert.equal(add("video", "key", 40), "opened");
  assert.equal(add("audio", "delta", 30), "continued");
  assert.equal(add("video", "delta", 80), "continued");
  assert.equal(gop.frames.length, 3);
  assert.equal(gop.duration, 40);
  assert.equal(add("video", "key", 120), "opened");
  assert.equal(gop.frames.length, 1);
  gop.clear();
  assert.deepEqual([gop.frames.length, gop.bytes, gop.duration], [0, 0, 0]);
});

test("[MED40] other tracks' key frames open nothing; a stream without track 0 goes by its lowest", () => {
  const { add } = cache();
  assert.equal(add("video", "key", 0, { trackId: 2 }), "opened");
  assert.equal(add("video", "key", 0, { trackId: 3 }), "continued");
  assert.equal(add("video", "key", 0, { trackId: 1 }), "opened");
  assert.equal(add("video", "key", 40, { trackId: 2 }), "continued");
  assert.equal(add("video", "key", 40, { trackId: 1 }), "opened");
});

test("[MED40] without video each second of audio is one", () => {
  const { gop, add } = cache();
  assert.equal(add("audio", "config", 0), "none");
  const steps = [0, 500, 999, 1_000, 1_500, 2_100].map((at) => add("audio", "delta", at));
  assert.deepEqual(steps, ["opened", "continued", "continued", "opened", "continued", "opened"]);
  assert.equal(add("video", "delta", 2_200), "continued");
  assert.equal(add("audio", "delta", 9_000), "continued", "audio opens nothing once there is video");
  assert.equal(gop.frames.length, 3);
});

for (const [what, limits, frames] of [
  ["frames", { maxFrames: 3 }, [0, 10, 20, 30]],
  ["bytes", { maxBytes: 399 }, [0, 10, 20, 30]],
  ["time", { maxDuration: ms(29) }, [0, 10, 20, 30]],
] as const) {
  test(`[MED41] beyond its ${what} it empties until the next key frame`, () => {
    const { gop, add } = cache(limits);
    const answers = frames.map((at, i) => add("video", i === 0 ? "key" : "delta", at, { bytes: 100 }));
    assert.deepEqual(answers, ["opened", "continued", "continued", "none"]);
    assert.deepEqual([gop.frames.length, gop.bytes, gop.overflows], [0, 0, 1]);
    assert.equal(add("video", "delta", 31), "none");
    assert.equal(add("video", "key", 40, { bytes: 100 }), "opened");
    assert.equal(gop.frames.length, 1);
  });
}

test("[MED41] switched off it keeps nothing, yet tells key frames", () => {
  const { gop, add } = cache({ maxFrames: 0 });
  assert.deepEqual(
    [add("video", "key", 0), add("video", "delta", 1), add("video", "key", 2)],
    ["opened", "none", "opened"],
  );
  assert.equal(gop.frames.length, 0);
});

for (const gop of [
  { ...DEFAULT_GOP_LIMITS, maxFrames: 0 },
  { ...DEFAULT_GOP_LIMITS, maxBytes: 10 },
]) {
  test(`[MED41] key frames start joiners also where none is kept: ${JSON.stringify(gop)}`, () => {
    const { setUp, push, stream, join, clock } = stage({ gop });
    const [meta, video, audio] = setUp();
    push("video", "key", 0, { bytes: 50 });
    stream.deliver();
    const sink = new FakeSink(clock);
    join(sink);
    assert.equal(sink.byteCount, 0);
    push("video", "delta", 40, { bytes: 50 });
    const key = push("video", "key", 80, { bytes: 50 });
    const delta = push("video", "delta", 120, { bytes: 50 });
    stream.deliver();
    assert.deepEqual(sink.serials(), [meta, video, audio, key, delta]);
    assert.deepEqual(
      sink
        .items()
        .filter((item) => item.kind === "video")
        .map((item) => item.dts),
      [80, 80, 120],
    );
  });
}

test("[MED42] without a key frame a joiner waits its time from the first frame on, then gets what there is", () => {
  const { setUp, push, stream, join, clock } = stage({
    gop: { maxFrames: 9, maxBytes: 1_000_000, maxDuration: ms(30_000) },
  });
  const early = new FakeSink(clock);
  join(early, { form: testForm("flv", { hasOpening: true }) });
  clock.advance(3_600_000);
  assert.equal(early.byteCount, 0);
  assert.equal(clock.pendingCount, 0, "polls for a publisher");
  const [meta, video] = setUp();
  for (let i = 0; i < 300; i++) push("video", "delta", i);
  stream.deliver();
  const late = new FakeSink(clock);
  const times: number[] = [];
  for (let at = 0; at < 35_000; at += 100) {
    clock.advance(100);
    if (at === 10_000) join(late);
    times.push(push("video", "delta", 10_000 + at));
    stream.deliver();
  }
  const items = early.items();
  assert.deepEqual(
    items.slice(0, 3).map((item) => item.serial),
    [0, meta, video],
  );
  assert.equal(items[0]?.trackId, 1, "the opening tells of the picture alone, as no sound came");
  const waited = 10_000 + 30_000;
  assert.ok(Math.abs((items[3]?.dts as number) - waited) <= 1_100, `started at ${items[3]?.dts}`);
  assert.equal(items[items.length - 1]?.serial, times[times.length - 1]);
  assert.equal(late.byteCount, 0);
});

test("[MED42] the patience begins anew with each publication", () => {
  const { setUp, push, stream, join, clock } = stage();
  const sink = new FakeSink(clock);
  join(sink, { form: testForm("flv", { hasOpening: true }) });
  setUp();
  stream.deliver();
  clock.advance(20_000);
  stream.forgetPublication();
  clock.advance(3_600_000);
  assert.equal(sink.byteCount, 0);
  stream.startPublication();
  setUp();
  const key = push("video", "key", 5);
  stream.deliver();
  assert.equal(sink.serials()[4], key);
});

test("[MED43] frames that no player could show are dropped and counted", () => {
  const { push, setUp, stream, join, clock } = stage();
  push("video", "key", 0);
  push("audio", "delta", 0);
  push("audio", "delta", 0, { codec: "mp3" });
  assert.equal(stream.ingest.withoutConfig, 2);
  setUp();
  push("video", "delta", 10);
  push("video", "delta", 20);
  assert.equal(stream.ingest.beforeKey, 2);
  push("video", "key", 30);
  push("video", "delta", 40);
  assert.deepEqual([stream.ingest.frames, stream.ingest.videoFrames, stream.ingest.beforeKey], [10, 5, 2]);
  const sink = new FakeSink(clock);
  join(sink);
  assert.equal(sink.items().length, 5);
});

test("[MED43] a publication without key frames passes after 300", () => {
  const { push, setUp, stream } = stage();
  setUp();
  for (let i = 0; i < 310; i++) push("video", "delta", i);
  assert.equal(stream.ingest.beforeKey, 300);
});

test("[MED44] tracks beyond the limit are dropped and counted", () => {
  const { push, stream } = stage({ limits: { tracksPerKind: 2, cohorts: 2, subscribers: 2 } });
  for (const trackId of [0, 1, 2, 3]) push("audio", "config", 0, { trackId });
  for (const trackId of [0, 1, 2, 3]) push("audio", "delta", 0, { trackId });
  assert.equal(stream.ingest.beyondTracks, 4);
  assert.deepEqual(stream.tracks.trackIds("audio"), [0, 1]);
});

test("[MED45] from its first unit on, joiners get nothing of the old publication", () => {
  const { push, setUp, stream, join, clock } = stage();
  setUp();
  push("video", "key", 0);
  stream.startPublication();
  const before = new FakeSink(clock);
  join(before);
  assert.equal(before.items().length, 4, "the old one still stands until then");
  const [meta, video, audio] = setUp();
  const sink = new FakeSink(clock);
  join(sink);
  assert.equal(sink.byteCount, 0);
  const key = push("video", "key", 0);
  stream.deliver();
  assert.deepEqual(sink.serials(), [meta, video, audio, key]);
});

test("[MED46] set-up that changes within a GOP is heard in its place, in cohorts old and new", () => {
  const { push, setUp, stream, join, clock } = stage();
  const [meta, video, audio] = setUp();
  const key = push("video", "key", 0);
  join(new FakeSink(clock));
  const first = push("audio", "delta", 10);
  const changed = push("audio", "config", 20);
  const second = push("audio", "delta", 20);
  stream.deliver();
  for (const form of [testForm("plain"), testForm("new")]) {
    const sink = new FakeSink(clock);
    join(sink, { form });
    assert.deepEqual(sink.serials(), [meta, video, audio, key, first, changed, second]);
  }
  const next = push("video", "key", 40);
  const sink = new FakeSink(clock);
  join(sink);
  assert.deepEqual(sink.serials(), [meta, video, changed, next]);
});
