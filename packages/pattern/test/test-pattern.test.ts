/** The test pattern as a stream: what it puts out, and what ffmpeg makes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAmf0Values } from "@sluice/amf/amf0-decode";
import { EcmaArray } from "@sluice/amf/value";
import type { Millis } from "@sluice/base/brand";
import { NAL_UNIT_TYPES } from "@sluice/pattern/avc-nal-unit";
import { TestCard } from "@sluice/pattern/test-card";
import { TestPattern, type TestPatternFrame, type TestPatternOptions } from "@sluice/pattern/test-pattern";
import { countWrongSamples, decode, decodePictures, probe, takeFrames, toFlv } from "./test-pattern-ffmpeg.ts";

const START = Date.UTC(2026, 4, 17, 23, 59, 58, 250) as Millis;
const UTC = 0 as Millis;

const videoOf = (frames: readonly TestPatternFrame[]): TestPatternFrame[] => frames.filter((f) => f.kind === "video");

const FORMATS: readonly TestPatternOptions[] = [
  { startWall: START },
  { startWall: START, width: 640, height: 360, fps: 25, utcOffset: 19_800_000 as Millis },
  { startWall: START, width: 648, height: 368, fps: 12 },
];

for (const options of FORMATS) {
  const { width = 1280, height = 720, fps = 30, utcOffset = UTC } = options;
  test(`[TP3] [TP7] [TP17] ${width}×${height} at ${fps}: every picture in an FLV file is the card of its moment`, () => {
    const pattern = new TestPattern(options);
    const frames = takeFrames(pattern, 2_500);
    const samples = decodePictures("flv", toFlv(pattern, frames));
    const card = new TestCard({ width, height, fps, utcOffset });
    const painted = card.createPicture();
    const pictureBytes = (width * height * 3) / 2;
    const video = videoOf(frames);
    assert.equal(samples.length, video.length * pictureBytes);
    video.forEach(({ timestamp }, frameNumber) => {
      card.paint(painted, { wall: (START + timestamp) as Millis, frameNumber });
      const decoded = samples.subarray(frameNumber * pictureBytes, (frameNumber + 1) * pictureBytes);
      assert.equal(countWrongSamples(decoded, painted, { width, height }), 0, `picture ${frameNumber}`);
    });
  });
}

test("[TP5] [TP8] [TP17] ffprobe and ffmpeg read both tracks of the FLV file without complaint", () => {
  const pattern = new TestPattern({ startWall: START });
  const file = toFlv(pattern, takeFrames(pattern, 6_000));
  const video = probe("flv", file, "video");
  const audio = probe("flv", file, "audio");
  assert.deepEqual(
    [video["codec_name"], video["width"], video["height"], video["avg_frame_rate"]],
    ["h264", 1280, 720, "30/1"],
  );
  assert.deepEqual([audio["codec_name"], audio["sample_rate"], audio["channels"]], ["aac", "48000", 2]);
  assert.ok(decode("flv", file, ["-map", "0:a", "-f", "s16le"]).length > 5.9 * 48_000 * 4);
});

/** The clock's own rows of a 720-line card; the zone's name stands in the lowest panel. */
const clockOf = (cells: Uint32Array): Uint32Array => cells.subarray(0, 160 * 50);

test("[TP7] time of day, second sweep and flash change with the wall clock alone", () => {
  const card = new TestCard({ width: 1280, height: 720, fps: 30, utcOffset: UTC });
  const paintAt = (wall: number, utcOffset = UTC): Uint32Array => {
    const painter = utcOffset === UTC ? card : new TestCard({ width: 1280, height: 720, fps: 30, utcOffset });
    const picture = painter.createPicture();
    painter.paint(picture, { wall: wall as Millis, frameNumber: 7 });
    return picture.cells;
  };
  assert.deepEqual(paintAt(START), paintAt(START + 86_400_000));
  assert.notDeepEqual(clockOf(paintAt(START)), clockOf(paintAt(START + 1_000)));
  assert.notDeepEqual(clockOf(paintAt(START)), clockOf(paintAt(START + 500)));
  assert.deepEqual(clockOf(paintAt(START + 3_600_000)), clockOf(paintAt(START, 3_600_000 as Millis)));
});

test("[TP10] [TP11] timestamps never go back, both kinds keep together, and neither drifts in an hour", () => {
  const pattern = new TestPattern({ startWall: START, width: 640, height: 360, fps: 12 });
  const counts = { audio: 0, video: 0 };
  const perFrame = { audio: (1_024 * 1_000) / 48_000, video: 1_000 / 12 };
  let last = 0;
  for (let frame = pattern.next(); frame.timestamp < 3_600_000; frame = pattern.next()) {
    if (frame.timestamp < last) assert.fail(`${frame.timestamp} after ${last}`);
    last = frame.timestamp;
    const exact = counts[frame.kind]++ * perFrame[frame.kind];
    if (Math.abs(exact - frame.timestamp) > 0.5) assert.fail(`${frame.kind} at ${frame.timestamp} instead of ${exact}`);
  }
  assert.deepEqual(counts, { audio: 168_750, video: 43_200 });
});

test("[TP12] keyframes come first and every two seconds, and are what they say", () => {
  const video = videoOf(takeFrames(new TestPattern({ startWall: START, width: 640, height: 360 }), 7_000));
  const keyframes = video.filter((frame) => frame.isKeyframe);
  assert.deepEqual(
    keyframes.map((frame) => frame.timestamp),
    [0, 2_000, 4_000, 6_000],
  );
  const { idrSlice, nonIdrSlice } = NAL_UNIT_TYPES;
  for (const { data, isKeyframe } of video)
    assert.equal((data[4] as number) & 0x1f, isKeyframe ? idrSlice : nonIdrSlice);
});

test("[TP13] the same options give the same bytes", () => {
  const [a, b] = [new TestPattern({ startWall: START }), new TestPattern({ startWall: START })];
  assert.deepEqual(a.decoderConfigs(), b.decoderConfigs());
  assert.deepEqual(takeFrames(a, 3_000), takeFrames(b, 3_000));
});

test("[TP14] after a skip nothing from before it comes, the next picture is a keyframe and all still decodes", () => {
  const pattern = new TestPattern({ startWall: START, width: 640, height: 360 });
  const before = takeFrames(pattern, 1_000);
  pattern.skipTo(8_234 as Millis);
  pattern.skipTo(2_000 as Millis);
  const after = takeFrames(pattern, 11_000);
  const first = videoOf(after)[0] as TestPatternFrame;
  assert.deepEqual([first.isKeyframe, first.timestamp], [true, 8_267]);
  assert.ok(after.every((frame) => frame.timestamp >= 8_234));
  assert.deepEqual(
    videoOf(after)
      .filter((frame) => frame.isKeyframe)
      .map((frame) => frame.timestamp),
    [8_267, 10_267],
  );
  const samples = decodePictures("flv", toFlv(pattern, [...before, ...after]));
  assert.equal(samples.length, (videoOf(before).length + videoOf(after).length) * 640 * 360 * 1.5);
});

test("[TP15] onMetaData names what is in the stream", () => {
  const pattern = new TestPattern({ startWall: START, width: 640, height: 360, fps: 25 });
  const [name, array] = decodeAmf0Values(pattern.metadata());
  assert.equal(name, "onMetaData");
  assert.ok(array instanceof EcmaArray);
  const { encoder, ...rest } = array.entries;
  assert.equal(encoder, "Sluice test pattern");
  assert.deepEqual({ ...rest }, METADATA);
});

const METADATA = {
  width: 640,
  height: 360,
  framerate: 25,
  videocodecid: 7,
  audiocodecid: 10,
  audiosamplerate: 48_000,
  audiosamplesize: 16,
  audiochannels: 2,
  stereo: true,
};

const REFUSED: readonly Omit<TestPatternOptions, "startWall">[] = [
  { width: 632 },
  { width: 641 },
  { width: 1_928 },
  { height: 352 },
  { height: 1_096 },
  { fps: 0 },
  { fps: 29.97 },
  { fps: 61 },
  { fps: Number.NaN },
];

for (const options of REFUSED) {
  const [[name, value]] = Object.entries(options) as [[string, number]];
  test(`[TP16] ${name} ${value} is refused`, () => {
    const expected = { name: "RangeError", message: new RegExp(`${name} ${value}`) };
    assert.throws(() => new TestPattern({ startWall: START, ...options }), expected);
  });
}
