/** One line of time out of publishers' clocks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serialAdd, serialDistance } from "@sluice/base/serial-number";
import type { FrameKind, FrameRole, Timestamp } from "@sluice/media/frame";
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
  assert.equal(place(0, 500, "video", "config"), 1_500);
  assert.equal(place(16_777_000, 600, "video", "key"), 1_600);
  assert.equal(place(16_777_040, 640, "video"), 1_640);
});

test("[MED11] after a pause of more than half the circle it goes on all the same", () => {
  const line = new Timeline();
  const place = placer(line);
  place(1_000, 0);
  line.startPublication();
  const first = place(5, 3_000_000_000, "video", "key");
  assert.ok(serialDistance(1_000, first) > 0);
  assert.equal(place(45, 3_000_000_040), first + 40);
});

test("[MED12] small steps back are held level", () => {
  const place = placer(new Timeline());
  assert.deepEqual(
    [1_000, 960, 1_000, 1_040, 41, 1_080].map((at) => place(at)),
    [1_000, 1_000, 1_000, 1_040, 1_040, 1_080],
  );
});

/** Sound and picture of one encoder, 40 ms apart, in real time; `fault` gives other stamps, `undefined` the true ones. */
function encode(
  line: Timeline,
  from: number,
  to: number,
  fault: (kind: "video" | "audio", at: number) => number | undefined = () => undefined,
) {
  const place = placer(line);
  const placed = { video: new Map<number, number>(), audio: new Map<number, number>() };
  for (let at = from; at < to; at += 40)
    for (const kind of ["video", "audio"] as const) {
      const stamp = fault(kind, at) ?? at;
      placed[kind].set(at, place(stamp >>> 0, at, kind));
    }
  return placed;
}

/** How far the sound's place is ahead of the picture's, of what was taken at the same moment. */
function skewAt({ video, audio }: ReturnType<typeof encode>, at: number): number {
  return serialDistance(video.get(at) as number, audio.get(at) as number);
}

test("[MED13] a clock that begins anew goes on 20 ms after the furthest frame, once three frames agree", () => {
  const place = placer(new Timeline());
  place(60_000, 0, "audio");
  assert.deepEqual(
    [59_990, 0, 40, 80, 120].map((at) => place(at)),
    [59_990, 59_990, 59_990, 60_100, 60_140],
  );
  assert.equal(place(60, 0, "audio"), 60_080);
});

for (const [name, restart] of [
  ["back to 0", 0],
  ["at 2²⁴, as without extended timestamps", 600],
  ["ahead by an hour", 3_600_000 + 8_000],
  ["by half the circle", 2 ** 31 + 8_000],
] as const) {
  test(`[MED13, MED122] an encoder whose clock jumps ${name} goes on at once, sound and picture as close as before`, () => {
    const placed = encode(new Timeline(), 0, 20_000, (_, at) => (at < 8_000 ? undefined : restart + at - 8_000));
    assert.deepEqual([skewAt(placed, 7_960), skewAt(placed, 9_000), skewAt(placed, 19_960)], [0, 0, 0]);
    const end = placed.video.get(19_960) as number;
    assert.ok(Math.abs(end - 19_960) <= 40, `${end}`);
  });
}

for (const [role, kind] of [
  ["config", "video"],
  ["config", "audio"],
  ["side", "audio"],
  ["side", "video"],
  ["metadata", "video"],
  ["metadata", "data"],
  ["side", "data"],
] as const) {
  test(`[MED120] ${kind} ${role} stamped anyhow stands where its track does, and moves nothing`, () => {
    const line = new Timeline();
    const place = placer(line);
    const start = 3_600_000;
    for (let at = start; at < start + 10_000; at += 40) {
      assert.equal(place(at, at), at);
      assert.equal(place(at + 3, at, "audio"), at + 3);
      if (at % 400 > 0) continue;
      for (const stamp of [0, at + 3_600_000, at - 3_600_000, at + 2 ** 31, 2 ** 32 - 1]) {
        const stands = place(stamp >>> 0, at, kind, role);
        assert.ok(Math.abs(stands - at) <= 3, `${stamp} stands at ${stands}, its track at ${at}`);
      }
      assert.equal(place(at + 2, at, kind, role), kind === "video" ? at + 2 : at + 3);
    }
  });
}

test("[MED120] set-up before the first coded frame sets no clock", () => {
  const place = placer(new Timeline());
  place(0, 0, "data", "metadata");
  place(9_000, 0, "video", "config");
  assert.equal(place(3_600_000, 0, "video", "key"), 3_600_000);
  assert.equal(place(3_600_003, 0, "audio"), 3_600_003);
});

for (const off of [-6_000, -1_000, 1_500, 30_000, 3_600_000, -3_600_000, 2 ** 31, 2 ** 24]) {
  test(`[MED121] one or two frames of a track that are off by ${off} ms move nothing`, () => {
    for (const length of [1, 2]) {
      const line = new Timeline();
      const isWild = (kind: string, at: number): boolean => kind === "video" && at % 2_000 < length * 40 && at >= 8_000;
      const placed = encode(line, 0, 30_000, (kind, at) => (isWild(kind, at) ? at + off : undefined));
      for (const [at, place] of placed.audio) assert.equal(place, at);
      for (const [at, place] of placed.video)
        assert.equal(place, isWild("video", at) ? at - 40 * ((at % 2_000) / 40 + 1) : at);
    }
  });
}

test("[MED121] a stamp that is ahead by less than a second is level again when its clock has come there", () => {
  const placed = encode(new Timeline(), 0, 20_000, (kind, at) =>
    kind === "video" && at === 8_000 ? 8_900 : undefined,
  );
  for (const [at, place] of placed.audio) assert.equal(place, at);
  for (const [at, place] of placed.video)
    assert.equal(place, at > 8_000 && at < 8_900 ? 8_900 : at === 8_000 ? 8_900 : at);
});

for (const kind of ["video", "audio"] as const)
  for (const restart of [0, 5_000_000, 2 ** 32 - 500]) {
    test(`[MED122] only the ${kind} begins anew, at ${restart}: the other goes on, and it goes on with it`, () => {
      const other = kind === "video" ? "audio" : "video";
      const placed = encode(new Timeline(), 0, 40_000, (of, at) =>
        of === kind && at >= 20_000 && at < 30_000 ? restart + at - 20_000 : undefined,
      );
      for (const [at, place] of placed[other]) assert.equal(place, at);
      assert.ok(Math.abs(skewAt(placed, 29_960)) <= 60, "apart after it began anew");
      assert.equal(skewAt(placed, 39_960), 0, "apart after it came back to the common clock");
    });
  }

for (const [name, stamp] of [
  ["on the common clock", (at: number) => at],
  ["from 0", (at: number) => at - 3_600_000],
  ["hours ahead", (at: number) => at + 7_200_000],
] as const) {
  test(`[MED123] a picture that begins an hour after the sound, ${name}, is with it at once`, () => {
    const line = new Timeline();
    const place = placer(line);
    place(0, 0, "video", "config");
    for (let at = 0; at < 3_600_000; at += 1_000) {
      assert.equal(place(at, at, "audio"), at);
      if (at === 0) line.setUpTime("video", 0, 0 as Timestamp);
    }
    const placed = encode(line, 3_600_000, 3_610_000, (kind, at) => (kind === "video" ? stamp(at) : undefined));
    for (const [at, place] of placed.audio) assert.equal(place, at);
    assert.ok(Math.abs(skewAt(placed, 3_600_000)) <= 1_000);
    assert.ok(Math.abs(skewAt(placed, 3_609_960)) <= 60);
  });
}

test("[MED123] tracks that come interleaved by seconds keep their times", () => {
  const place = placer(new Timeline());
  for (let block = 0; block < 60_000; block += 4_000) {
    for (let at = block; at < block + 4_000; at += 500) assert.equal(place(at, block, "audio"), at);
    for (let at = block; at < block + 4_000; at += 500) assert.equal(place(at, block + 4_000), at);
  }
});

test("[MED124] a track whose clock stood still while others went on is moved up to them", () => {
  const line = new Timeline();
  encode(line, 0, 10_000);
  const place = placer(line);
  for (let at = 10_000; at < 30_000; at += 40) assert.equal(place(at, at, "audio"), at);
  const placed = encode(line, 30_000, 40_000, (kind, at) => (kind === "video" ? at - 20_000 : undefined));
  for (const [at, place] of placed.audio) assert.equal(place, at);
  assert.ok(Math.abs(skewAt(placed, 39_960)) <= 60);
});

test("[MED125] a track of senseless stamps goes on, and carries nobody along", () => {
  let seed = 1;
  const senseless = (): number => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0);
  const placed = encode(new Timeline(), 0, 60_000, (kind, at) =>
    kind === "video" && at > 0 ? senseless() : undefined,
  );
  for (const [at, place] of placed.audio) assert.ok(place >= at && place - at <= 1_000, `${at} → ${place}`);
  assert.ok(Math.abs(skewAt(placed, 59_960)) <= 1_000);
});

const STAMP = fc.oneof(
  fc.nat({ max: 2 ** 31 - 1 }).map((half) => half * 2),
  fc.constantFrom(0, 1, 999, 1_000, 16_777_215, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1_000, 2 ** 32 - 1),
  fc.nat({ max: 5_000 }),
);

test("[MED14] no track ever goes back, under any sequence", () => {
  const event = fc.record({
    timestamp: STAMP,
    kind: fc.constantFrom<FrameKind>("video", "audio", "data"),
    role: fc.constantFrom<FrameRole>("key", "delta", "config", "side", "metadata"),
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
        if (line.head !== undefined) last.set(`${kind}${trackId}`, dts);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("[MED14, MED121, MED122] whatever clocks did, a while later sound and picture are together and in real time", () => {
  const fault = fc.record({
    /** Which tracks, from which frame on, for how many frames, by which clock. */
    kinds: fc.constantFrom<readonly ("video" | "audio")[]>(["video"], ["audio"], ["video", "audio"]),
    from: fc.nat({ max: 400 }),
    length: fc.oneof(fc.constantFrom(1, 2, 3), fc.nat({ max: 400 })),
    first: STAMP,
    goesOn: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fault, { maxLength: 6 }), STAMP, (faults, start) => {
      const line = new Timeline();
      const placed = encode(line, 0, 40_000, (kind, at) => {
        for (const { kinds, from, length, first, goesOn } of faults) {
          const frame = at / 40 - from;
          if (kinds.includes(kind) && frame >= 0 && frame < length) return first + (goesOn ? frame * 40 : 0);
        }
        return start + at;
      });
      for (const places of Object.values(placed)) {
        const all = [...places.values()];
        for (let i = 1; i < all.length; i++) assert.ok(serialDistance(all[i - 1] as number, all[i] as number) >= 0);
      }
      assert.ok(Math.abs(skewAt(placed, 39_960)) <= 1_500, `apart by ${skewAt(placed, 39_960)}`);
      const [before, after] = [placed.video.get(38_960) as number, placed.video.get(39_960) as number];
      assert.equal(serialDistance(before, after), 1_000);
    }),
    { numRuns: 1_000 },
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
