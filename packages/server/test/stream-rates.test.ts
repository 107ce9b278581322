/** Bitrate and frame rate from counters that are read once a second. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { LiveStream } from "@sluice/media/live-stream";
import { StreamRates } from "@sluice/server/node/stream-rates";

const flowing = (): { ingest: { bytesIn: number; videoFrames: number } } & LiveStream =>
  ({ ingest: { bytesIn: 0, videoFrames: 0 } }) as unknown as LiveStream;

/** Samples `seconds` times, with as much flow between two samples as given. */
function run(
  rates: StreamRates,
  stream: LiveStream,
  options: { from: number; seconds: number; bytes: number; frames: number },
): void {
  for (let i = 0; i < options.seconds; i++) {
    stream.ingest.bytesIn += options.bytes;
    stream.ingest.videoFrames += options.frames;
    rates.sample([stream], ((options.from + i) * 1000 + (i % 3)) as Millis);
  }
}

test("[MET10] a steady flow is read at its own rate", () => {
  const rates = new StreamRates();
  const stream = flowing();
  for (let from = 0; from < 20; from++) {
    run(rates, stream, { from, seconds: 1, bytes: 125_000, frames: 30 });
    if (from > 0) assert.deepEqual(rates.read(stream), { bitrate: 1_000_000, fps: 30 });
  }
});

test("[MET11] a flow that stopped reads 0 once the window has passed", () => {
  const rates = new StreamRates();
  const stream = flowing();
  run(rates, stream, { from: 0, seconds: 6, bytes: 125_000, frames: 30 });
  run(rates, stream, { from: 6, seconds: 3, bytes: 0, frames: 0 });
  assert.ok(rates.read(stream).bitrate < 500_000);
  run(rates, stream, { from: 9, seconds: 3, bytes: 0, frames: 0 });
  assert.deepEqual(rates.read(stream), { bitrate: 0, fps: 0 });
});

test("[MET12] nothing is said before two samples", () => {
  const rates = new StreamRates();
  const stream = flowing();
  assert.deepEqual(rates.read(stream), { bitrate: 0, fps: 0 });
  run(rates, stream, { from: 0, seconds: 1, bytes: 125_000, frames: 30 });
  assert.deepEqual(rates.read(stream), { bitrate: 0, fps: 0 });
});
