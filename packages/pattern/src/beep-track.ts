/** The sound of the test pattern: a soft beep at the start of every second, as AAC frames that repeat every 8 seconds. */
import { encodeAacFrame, LINE_COUNT } from "./aac-frame.ts";
import { FRAME_SAMPLES, LowMdct, WINDOW_SAMPLES } from "./aac-mdct.ts";

export const SAMPLE_RATE = 48_000;
/** Frames after which frame borders fall on the same places of a second again: 8 seconds. */
const CYCLE_FRAMES = 375;
/** AudioSpecificConfig: AAC-LC, 48 kHz, two channels. ISO/IEC 14496-3 §1.6.2.1 */
export const AUDIO_SPECIFIC_CONFIG = Uint8Array.of(0x11, 0x90);

/** Frequency in Hz and length in seconds; whole periods and smooth ends keep the spectrum narrow. */
const TONE_HZ = 1_000;
const BEEP_SECONDS = 0.12;
/** Peak of full scale 32 768; about −20 dB, audible and never startling. */
const PEAK = 3_200;

/** The sample at `position` samples after a full second, on the scale of 16-bit sound; the same in every channel. */
export function beepSample(position: number, sampleRate: number): number {
  const inSecond = position % sampleRate;
  const seconds = inSecond / sampleRate;
  if (seconds >= BEEP_SECONDS) return 0;
  const fade = 0.5 - 0.5 * Math.cos((2 * Math.PI * seconds) / BEEP_SECONDS);
  return PEAK * fade * Math.sin(2 * Math.PI * TONE_HZ * seconds);
}

export class BeepTrack {
  readonly #mdct = new LowMdct(LINE_COUNT);
  readonly #cycle: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  /** Samples from a full second to the first sample of the track. */
  readonly #offset: number;

  /** @param offset  samples from a full second of wall-clock time to the track's start, at least 0 */
  constructor(offset: number) {
    this.#offset = offset;
  }

  /** The raw data block that sounds from sample `index · 1 024` on; shared, read only. */
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
