/** Bodies by golden rows, on real files, and under fuzz. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteQueue } from "@sluice/bytes/byte-queue";
import { parseAudioBody } from "@sluice/formats/flv/audio-body";
import { type FlvTag, takeFlvHeader, takeTag } from "@sluice/formats/flv/flv-tag";
import { codecOfNumber, fourCcNumber } from "@sluice/formats/flv/four-cc";
import { encodeAacBody, encodeAvcBody } from "@sluice/formats/flv/legacy-body";
import { parseVideoBody } from "@sluice/formats/flv/video-body";
import { fuzz } from "@sluice/testkit/fuzz";
import { goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import { AUDIO_GOLDEN, VIDEO_GOLDEN } from "./body-golden.ts";
import { readFixture } from "./fixture.ts";

for (const { rule, says, bytes, value } of VIDEO_GOLDEN) {
  test(`[${rule}] video: ${says}`, () => {
    const parsed = parseVideoBody(hex(bytes));
    assert.deepEqual({ ...parsed, ...value }, parsed);
  });
}

for (const { rule, says, bytes, value } of AUDIO_GOLDEN) {
  test(`[${rule}] audio: ${says}`, () => {
    const parsed = parseAudioBody(hex(bytes));
    assert.deepEqual({ ...parsed, ...value }, parsed);
  });
}

test("[VID9] whatever the header claims, only coded frames are keyframes", () => {
  for (const { bytes } of VIDEO_GOLDEN) {
    const body = parseVideoBody(hex(bytes));
    if (body.isKeyframe) assert.deepEqual([body.packet, body.frameType], ["coded-frames", "keyframe"]);
  }
});

/** From ffprobe -show_packets: kind, pts, dts, bytes, and K for keyframes. */
const PACKETS = {
  "long-clock": ["video 16778000 16777000 462 K", "video 16779000 16777500 100", "video 16778500 16778000 65"],
  "h263-mp3": ["audio 0 0 52 K", "audio 26 26 53 K", "video 50 50 395 K"],
  "avc-aac": ["video 200 0 728 K", "video 500 100 39", "audio 154 154 130 K"],
} as const;
const PACKET_COUNTS = { "long-clock": 3, "h263-mp3": 27, "avc-aac": 33 } as const;

for (const name of ["long-clock", "h263-mp3", "avc-aac"] as const) {
  test(`[FMT2] ${name}.flv holds what ffprobe finds in it`, () => {
    const queue = new ByteQueue();
    queue.offer(readFixture(`flv/${name}.flv`));
    takeFlvHeader(queue);
    const packets: string[] = [];
    for (let tag = takeTag(queue); tag; tag = takeTag(queue)) packets.push(...packetOf(tag));
    assert.deepEqual(packets.slice(0, 3), PACKETS[name]);
    assert.equal(packets.length, PACKET_COUNTS[name]);
  });
}

function packetOf(tag: FlvTag): string[] {
  if (tag.type === "script") return [];
  const time = tag.timestamp;
  if (tag.type === "audio") {
    const audio = parseAudioBody(tag.body);
    return audio.packet === "coded-frames" ? [`audio ${time} ${time} ${tag.body.length - audio.dataOffset} K`] : [];
  }
  const video = parseVideoBody(tag.body);
  if (video.packet !== "coded-frames") return [];
  const bytes = tag.body.length - video.dataOffset;
  return [`video ${time + video.compositionTime} ${time} ${bytes}${video.isKeyframe ? " K" : ""}`];
}

test("[FMT300] AVC and AAC bodies written anew are those that ffmpeg wrote", () => {
  const queue = new ByteQueue();
  queue.offer(readFixture("flv/avc-aac.flv"));
  takeFlvHeader(queue);
  const written = { "sequence-start": 0, "coded-frames": 0 };
  for (let tag = takeTag(queue); tag; tag = takeTag(queue)) {
    if (tag.type === "script") continue;
    const parsed = tag.type === "video" ? parseVideoBody(tag.body) : parseAudioBody(tag.body);
    const { packet, dataOffset } = parsed;
    if (packet !== "sequence-start" && packet !== "coded-frames") continue;
    const data = tag.body.subarray(dataOffset);
    const isConfig = packet === "sequence-start";
    const again =
      "isKeyframe" in parsed
        ? encodeAvcBody(packet, data, { ...parsed, isKeyframe: isConfig || parsed.isKeyframe })
        : encodeAacBody(packet, data);
    assert.deepEqual(again, tag.body);
    written[packet]++;
  }
  assert.deepEqual(written, { "sequence-start": 2, "coded-frames": 33 });
});

test("[TRK1] [FMT2] what FFmpeg 8 writes for two video and two audio tracks", () => {
  const queue = new ByteQueue();
  queue.offer(readFixture("flv/multitrack.flv"));
  takeFlvHeader(queue);
  const counts: Record<string, number> = {};
  for (let tag = takeTag(queue); tag; tag = takeTag(queue)) {
    if (tag.type === "script") continue;
    const body = tag.type === "video" ? parseVideoBody(tag.body) : parseAudioBody(tag.body);
    assert.equal(body.malformed, false);
    const names = body.isMultitrack ? body.tracks.map((one) => `${one.codec} ${one.trackId}`) : [body.codec];
    for (const name of names) counts[`${name}: ${body.packet}`] = (counts[`${name}: ${body.packet}`] ?? 0) + 1;
  }
  assert.deepEqual(counts, {
    "av01: sequence-start": 1,
    "av01: metadata": 1,
    "av01: coded-frames": 5,
    "avc1 1: sequence-start": 1,
    "avc1 1: coded-frames": 5,
    "avc1: sequence-end": 1, // in legacy form: that muxer forgets the track at the end
    "Opus: sequence-start": 1,
    "Opus: multichannel-config": 1,
    "Opus: coded-frames": 11,
    "mp4a 1: sequence-start": 1,
    "mp4a 1: multichannel-config": 1,
    "mp4a 1: coded-frames": 11,
  });
});

test("[VID4] onMetaData names codecs by FourCC or by legacy id", () => {
  assert.equal(fourCcNumber("hvc1"), 0x68766331);
  assert.equal(codecOfNumber("video", 0x68766331), "hvc1");
  assert.equal(codecOfNumber("video", 7), "avc1");
  assert.equal(codecOfNumber("audio", 10), "mp4a");
  assert.equal(codecOfNumber("audio", 99), "");
});

/** What parsers promise of any body: places lie within it, and malformed ones are unknown. */
function checkBody(
  body: Uint8Array,
  parsed: ReturnType<typeof parseVideoBody> | ReturnType<typeof parseAudioBody>,
): void {
  assert.ok(parsed.dataOffset >= 0 && parsed.dataOffset <= body.length, "dataOffset");
  if (parsed.malformed) assert.ok(parsed.packet === "unknown" || parsed.packet === "command", parsed.packet);
  assert.ok(parsed.nanosecondOffset >= 0 && parsed.nanosecondOffset <= 999_999, "nanosecondOffset");
  for (const { offset, length } of parsed.tracks) assert.ok(length >= 0 && offset + length <= body.length, "track");
}

fuzz("[FMT1] video body", (bytes) => checkBody(bytes, parseVideoBody(bytes)), {
  seeds: goldenSeeds(VIDEO_GOLDEN),
  allowed: [],
});
fuzz("[FMT1] audio body", (bytes) => checkBody(bytes, parseAudioBody(bytes)), {
  seeds: goldenSeeds(AUDIO_GOLDEN),
  allowed: [],
});
