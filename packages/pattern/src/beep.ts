/** The sound of the test pattern: a soft beep at the start of every second, as samples. */

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
