/** One line of time out of publishers' clocks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serialAdd, serialDistance } from "@sluice/base/serial-number";
import type { FrameKind, FrameRole } from "@sluice/media/frame";
import { Timeline } from "@sluice/media/timeline";
import fc from "fast-check";
import { assertTimeGoesOn, FakeSink, ms, stage } from "./fixture.ts";

function placer(line: Timeline) {
  return (timestamp: number, now = 0, kind: FrameKind = "video", role: FrameRole = "delta", trackId = 0): number =>
    line.place({ kind, role, trackId, timestamp }, ms(now));
}

for (const start of [0, 5, 16_777_000, 4_294_962_296]) {
  test(`[MED10] a clock that starts at ${start} is kept, across its breaks`, () => {
    const line = new Timeline();
    line.startPublication();
    const place = placer(line);
    for (let at = 0; at < 20_000; at += 40) {
      const timestamp = serialAdd(start, at);
      assert.equal(place(timestamp, at), timestamp);
      assert.equal(place(timestamp, at, "audio"), timestamp);
      assert.equal(line.head, timestamp);
    }
  });
}

test("[MED11] a republish goes on after the time that passed", () => {
  const line = new Timeline();
  line.startPublication();
  const place = placer(line);
  place(5_000, 100);
  line.startPublication();
  assert.equal(place(70, 3_100), 8_000);
  assert.equal(place(110, 3_140), 8_040);
  assert.equal(place(90, 3_140, "audio"), 8_020);
});

test("[MED11] across the wrap as well, and by at least 1 ms", () => {
  const line = new Timeline();
  line.startPublication();
  const place = placer(line);
  place(2 ** 32 - 10, 100);
  line.startPublication();
  assert.equal(place(16_777_000, 100), 2 ** 32 - 9);
  assert.equal(place(16_777_020, 120), 11);
});

test("[MED11] metadata and set-up stamped 0 do not move a publication whose clock starts elsewhere", () => {
  const line = new Timeline();
  line.startPublication();
  const place = placer(line);
  place(1_000, 0);
  line.startPublication();
  assert.equal(place(0, 500, "data", "metadata"), 1_500);
  assert.equal(place(0, 500, "video", "config"), 1_501);
  assert.equal(place(16_777_000, 600, "video", "key"), 1_601);
  assert.equal(place(16_777_040, 640, "video"), 1_641);
});

test("[MED12] small steps back are held level", () => {
  const place = placer(new Timeline());
  assert.deepEqual(
    [1_000, 960, 1_000, 1_040, 41, 1_080].map((at) => place(at)),
    [1_000, 1_000, 1_000, 1_040, 1_040, 1_080],
  );
});

test("[MED13] a clock that begins anew goes on 20 ms after the furthest frame", () => {
  const place = placer(new Timeline());
  place(60_000, 0, "audio");
  assert.deepEqual(
    [59_990, 0, 40].map((at) => place(at)),
    [59_990, 60_020, 60_060],
  );
  assert.equal(place(40, 0, "audio"), 60_060);
});

test("[MED14] no track ever goes back, under any sequence", () => {
  const timestamp = fc.oneof(
    fc.nat({ max: 2 ** 31 - 1 }).map((half) => half * 2),
    fc.constantFrom(0, 1, 999, 1_000, 16_777_215, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1_000, 2 ** 32 - 1),
    fc.nat({ max: 5_000 }),
  );
  const event = fc.record({
    timestamp,
    kind: fc.constantFrom<FrameKind>("video", "audio", "data"),
    role: fc.constantFrom<FrameRole>("key", "delta", "config", "side"),
    trackId: fc.nat({ max: 1 }),
    pause: fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(86_400_000, 3_000_000_000)),
    isNew: fc.nat({ max: 9 }).map((roll) => roll === 0),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const line = new Timeline();
      const last = new Map<string, number>();
      let now = 0;
      for (const { timestamp: at, kind, role, trackId, pause, isNew } of events) {
        now += pause;
        if (isNew) line.startPublication();
        const dts = placer(line)(at, now, kind, role, trackId);
        const before = last.get(`${kind}${trackId}`);
        assert.ok(dts >= 0 && dts < 2 ** 32 && Number.isInteger(dts));
        if (before !== undefined) assert.ok(serialDistance(before, dts) >= 0, `${before} → ${dts}`);
        last.set(`${kind}${trackId}`, dts);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("[MED15] a joiner's set-up stands where its track does, and not long before the first frame", () => {
  const { push, setUp, stream, join, clock } = stage();
  const [meta, video, audio] = setUp(0);
  push("audio", "delta", 9_990);
  const key = push("video", "key", 10_000);
  const next = push("audio", "delta", 9_995);
  stream.deliver();
  const sink = new FakeSink(clock);
  join(sink);
  const stamps = sink.items().map(({ serial, dts }) => [serial, dts]);
  assert.deepEqual(stamps, [
    [meta, 0],
    [video, 10_000],
    [audio, 9_990],
    [key, 10_000],
    [next, 9_995],
  ]);
  assertTimeGoesOn(sink.items());
});
