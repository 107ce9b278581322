/** How long frames may wait to be written together: a fixed time, or one that follows the load of the loop. */
import type { Millis } from "@sluice/base/brand";

/** Read at each delivery; one object serves a whole process or an application. */
export interface DeliveryWindow {
  /** For viewers that show what they get at once. */
  readonly prompt: Millis;
  /** For viewers that announced a buffer of their own; at least `prompt`. */
  readonly patient: Millis;
}

export function fixedWindow(window: Millis): DeliveryWindow {
  return { prompt: window, patient: window };
}

/** Widening by steps keeps the cost of a write apart from the noise of one sample. */
const STEPS: readonly Millis[] = [0, 10, 20, 40, 70, 100, 150, 250, 350].map((step) => step as Millis);

/** Above this share of the loop the window widens; there must be room left for joins and publishers. */
const BUSY = 0.7;
/** Above this share it widens by two steps. */
const OVERLOADED = 0.9;
/** Below this share it narrows, after `CALM_SAMPLES` in a row; far enough from `BUSY` that one step cannot swing back. */
const CALM = 0.35;
/** A sample at half of `CALM` counts as two, at a third as three, so that the window narrows soon after a burst of joins. */
const CALM_SAMPLES = 8;

/** A viewer with a buffer waits this many times longer, up to the widest step, once there is load at all. */
const PATIENCE = 4;

export class AutoWindow implements DeliveryWindow {
  #step = 0;
  #calm = 0;

  get prompt(): Millis {
    return STEPS[this.#step] as Millis;
  }

  get patient(): Millis {
    return Math.min(this.prompt * PATIENCE, STEPS[STEPS.length - 1] as Millis) as Millis;
  }

  /**
   * @param utilisation  share of the last sample (some 250 ms) that the loop was busy, 0 to 1
   * @param count  samples that this one stands for, where the window was not read for a while: idle ones narrow it
   */
  sample(utilisation: number, count = 1): void {
    if (utilisation >= BUSY) {
      this.#calm = 0;
      this.#step = Math.min(STEPS.length - 1, this.#step + (utilisation >= OVERLOADED ? 2 : 1));
      return;
    }
    const calm = Math.min(Math.floor(CALM / utilisation), CALM_SAMPLES);
    this.#calm = calm > 0 ? this.#calm + count * calm : 0;
    this.#step = Math.max(0, this.#step - Math.floor(this.#calm / CALM_SAMPLES));
    this.#calm %= CALM_SAMPLES;
  }
}
