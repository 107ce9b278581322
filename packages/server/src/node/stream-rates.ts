/** Bitrate and frame rate of every stream, from counters read once a second, without work per frame. */
import type { Millis } from "@sluice/base/brand";
import type { LiveStream } from "@sluice/media/live-stream";

interface Sample {
  readonly at: Millis;
  readonly bytes: number;
  readonly videoFrames: number;
}

/** Samples kept: long enough to smooth key frames, short enough to show a stall. */
const SPAN = 6;

export class StreamRates {
  readonly #samples = new WeakMap<LiveStream, Sample[]>();

  /** Call about once a second with every stream. */
  sample(streams: Iterable<LiveStream>, now: Millis): void {
    for (const stream of streams) {
      const samples = this.#samples.get(stream) ?? [];
      if (samples.length === 0) this.#samples.set(stream, samples);
      const { bytesIn, videoFrames } = stream.ingest;
      samples.push({ at: now, bytes: bytesIn, videoFrames });
      if (samples.length > SPAN) samples.shift();
    }
  }

  /** Bits and video frames per second between the oldest and the newest sample; 0 with fewer than two. */
  read(stream: LiveStream): { readonly bitrate: number; readonly fps: number } {
    const samples = this.#samples.get(stream) ?? [];
    const first = samples[0];
    const last = samples[samples.length - 1];
    if (first === undefined || last === undefined || last.at <= first.at) return { bitrate: 0, fps: 0 };
    const seconds = (last.at - first.at) / 1000;
    return {
      bitrate: Math.round(((last.bytes - first.bytes) * 8) / seconds),
      fps: Math.round(((last.videoFrames - first.videoFrames) / seconds) * 10) / 10,
    };
  }
}
