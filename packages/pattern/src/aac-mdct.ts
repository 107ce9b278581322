/** The lowest lines of AAC's long-window transform, worked out directly: enough for a low tone. ISO/IEC 14496-3 §4.6.11 */

export const FRAME_SAMPLES = 1_024;
export const WINDOW_SAMPLES = 2 * FRAME_SAMPLES;

export class LowMdct {
  readonly #lineCount: number;
  /** One period of a cosine in 8 192 steps: all arguments of the transform fall on them. */
  readonly #cosine = Float64Array.from({ length: 4 * WINDOW_SAMPLES }, (_, i) =>
    Math.cos((Math.PI * i) / FRAME_SAMPLES / 4),
  );
  readonly #window = Float64Array.from({ length: WINDOW_SAMPLES }, (_, i) =>
    Math.sin((Math.PI * (i + 0.5)) / WINDOW_SAMPLES),
  );

  /** @param lineCount  spectral lines wanted, from 0 Hz up, at most 1 024 */
  constructor(lineCount: number) {
    this.#lineCount = lineCount;
  }

  /** @param samples  2 048, unwindowed; answers lines on the scale that decoders dequantise to */
  transform(samples: Float64Array): Float64Array {
    const windowed = samples.map((sample, i) => sample * (this.#window[i] as number));
    return Float64Array.from({ length: this.#lineCount }, (_, line) => this.#line(windowed, line));
  }

  #line(windowed: Float64Array, line: number): number {
    let sum = 0;
    for (let n = 0; n < WINDOW_SAMPLES; n++) {
      const step = (2 * n + 1 + FRAME_SAMPLES) * (2 * line + 1);
      sum += (windowed[n] as number) * (this.#cosine[step & (4 * WINDOW_SAMPLES - 1)] as number);
    }
    return 2 * sum;
  }
}
