/** The beeps as AAC frames, each kind coded once and then repeated for ever. */
import { encodeAacFrame, LINE_COUNT } from "./aac-frame.ts";
import { FRAME_SAMPLES, LowMdct, WINDOW_SAMPLES } from "./aac-mdct.ts";
import { beepSample } from "./beep.ts";

export const SAMPLE_RATE = 48_000;
/** Frames after which frame borders fall on the same places of a second again: 8 seconds. */
const CYCLE_FRAMES = 375;
/** AudioSpecificConfig: AAC-LC, 48 kHz, two channels. ISO/IEC 14496-3 §1.6.2.1 */
export const AUDIO_SPECIFIC_CONFIG = Uint8Array.of(0x11, 0x90);

export class BeepTrack {
  readonly #mdct = new LowMdct(LINE_COUNT);
  readonly #cycle: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  /** Samples from a full second to the first sample of the track. */
  readonly #offset: number;

  /** @param offset  samples from a full second of wall-clock time to the track's start, at least 0 */
  constructor(offset: number) {
    this.#offset = offset;
  }

  /** The raw data block that sounds from sample `index · 1 024` on; shared, so nobody may write into it. */
  frame(index: number): Uint8Array<ArrayBuffer> {
    const place = index % CYCLE_FRAMES;
    return (this.#cycle[place] ??= this.#encode(place));
  }

  /** A decoder's output for a frame begins where the frame's window begins, so nothing has to be delayed. */
  #encode(place: number): Uint8Array<ArrayBuffer> {
    const start = this.#offset + place * FRAME_SAMPLES;
    const samples = Float64Array.from({ length: WINDOW_SAMPLES }, (_, i) => beepSample(start + i, SAMPLE_RATE));
    const isSilent = samples.every((sample) => sample === 0);
    return encodeAacFrame(isSilent ? undefined : this.#mdct.transform(samples));
  }
}
