/** Judges the test pattern's bytes with ffmpeg and ffprobe: strict decoding, any complaint is a failure. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { encodeAacBody, encodeAvcBody } from "@sluice/formats/flv/legacy-body";
import { encodeFlvTagInto, flvTagByteCount, writeFlvHeader } from "@sluice/formats/flv/flv-tag";
import { CELL_PIXELS, type CellPicture } from "@sluice/pattern/cell-picture";
import type { TestPattern, TestPatternFrame } from "@sluice/pattern/test-pattern";

const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;

function run(program: string, args: readonly string[], input: Uint8Array): Buffer {
  const result = spawnSync(program, args, { input, maxBuffer: MAX_OUTPUT_BYTES });
  assert.equal(result.error, undefined);
  assert.equal(result.stderr.toString(), "", `${program} complains`);
  assert.equal(result.status, 0);
  return result.stdout;
}

/** @param format  ffmpeg's name of what `input` is; `outputArgs` say what comes out on stdout */
export function decode(format: string, input: Uint8Array, outputArgs: readonly string[]): Buffer {
  const strict = ["-v", "warning", "-xerror", "-err_detect", "explode", "-threads", "1"];
  return run("ffmpeg", [...strict, "-f", format, "-i", "-", ...outputArgs, "-"], input);
}

/** Whole pictures of 4:2:0 samples, one after the other. */
export function decodePictures(format: string, input: Uint8Array): Buffer {
  return decode(format, input, ["-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p"]);
}

/** What ffprobe tells of the first stream of `kind`. */
export function probe(format: string, input: Uint8Array, kind: "audio" | "video"): Record<string, unknown> {
  const args = [
    "-v",
    "warning",
    "-f",
    format,
    "-show_streams",
    "-select_streams",
    kind[0] as string,
    "-of",
    "json",
    "-",
  ];
  const answer = JSON.parse(run("ffprobe", args, input).toString()) as { streams: Record<string, unknown>[] };
  return answer.streams[0] as Record<string, unknown>;
}

export function takeFrames(pattern: TestPattern, untilMillis: number): TestPatternFrame[] {
  const frames: TestPatternFrame[] = [];
  for (let frame = pattern.next(); frame.timestamp < untilMillis; frame = pattern.next()) frames.push(frame);
  return frames;
}

/** The pattern's set-up and `frames` as one FLV file. */
export function toFlv(pattern: TestPattern, frames: readonly TestPatternFrame[]): Uint8Array {
  const { video, audio } = pattern.decoderConfigs();
  const tags = [
    { kind: "script" as const, timestamp: 0, body: pattern.metadata() },
    { kind: "video" as const, timestamp: 0, body: encodeAvcBody("sequence-start", video) },
    { kind: "audio" as const, timestamp: 0, body: encodeAacBody("sequence-start", audio) },
    ...frames.map((frame) => ({ ...frame, body: bodyOf(frame) })),
  ];
  const bytes = tags.map(({ kind, timestamp, body }) => {
    const tag = new Uint8Array(flvTagByteCount(body.length));
    encodeFlvTagInto(tag, 0, kind, timestamp, body);
    return tag;
  });
  return Buffer.concat([writeFlvHeader(true, true), ...bytes]);
}

function bodyOf({ kind, data, isKeyframe }: TestPatternFrame): Uint8Array {
  if (kind === "audio") return encodeAacBody("coded-frames", data);
  return encodeAvcBody("coded-frames", data, { isKeyframe, compositionTime: 0 });
}

/** Counts the samples of a decoded picture that differ from their cell's colour. */
export function countWrongSamples(
  samples: Uint8Array,
  painted: CellPicture,
  format: { readonly width: number; readonly height: number },
): number {
  const { width, height } = format;
  let wrong = 0;
  const compare = (offset: number, planeWidth: number, cellSide: number, shift: number): void => {
    for (let i = 0; i < (planeWidth * height * planeWidth) / width; i++) {
      const cellX = Math.floor((i % planeWidth) / cellSide);
      const cellY = Math.floor(i / planeWidth / cellSide);
      const colour = painted.cells[cellY * painted.width + cellX] as number;
      if (samples[offset + i] !== ((colour >>> shift) & 0xff)) wrong++;
    }
  };
  compare(0, width, CELL_PIXELS, 16);
  compare(width * height, width / 2, CELL_PIXELS / 2, 8);
  compare(width * height * 1.25, width / 2, CELL_PIXELS / 2, 0);
  return wrong;
}
