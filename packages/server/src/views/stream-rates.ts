/** Bitrate and frame rate of every stream, from counters read once a second: nothing on the path of a frame. */
import type { Millis } from "@sluice/base/brand";
import type { LiveStream } from "@sluice/media/live-stream";
import { SlidingRate } from "../metrics/rates.ts";

interface Rates {
  readonly bytes: SlidingRate;
  readonly videoFrames: SlidingRate;
}

export class StreamRates {
  readonly #rates = new WeakMap<LiveStream, Rates>();

  /** Call about once a second with every stream. */
  sample(streams: Iterable<LiveStream>, now: Millis): void {
    for (const stream of streams) {
      const { bytes, videoFrames } = this.#of(stream);
      bytes.add(stream.ingest.bytesIn - bytes.total, now);
      videoFrames.add(stream.ingest.videoFrames - videoFrames.total, now);
    }
  }

  /** Bits and video frames per second. */
  read(stream: LiveStream, now: Millis): { readonly bitrate: number; readonly fps: number } {
    const { bytes, videoFrames } = this.#of(stream);
    return { bitrate: Math.round(bytes.perSecond(now) * 8), fps: Math.round(videoFrames.perSecond(now) * 100) / 100 };
  }

  #of(stream: LiveStream): Rates {
    const known = this.#rates.get(stream);
    if (known !== undefined) return known;
    const fresh = { bytes: new SlidingRate(), videoFrames: new SlidingRate() };
    this.#rates.set(stream, fresh);
    return fresh;
  }
}
