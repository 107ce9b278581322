/** Traffic of all RESP clients since the start, for INFO. */
import type { Millis } from "@sluice/base/brand";

/** Rates cover at least this time. */
const SAMPLE_MS = 1_000;

interface Sample {
  readonly at: Millis;
  readonly commands: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

export interface Rates {
  readonly commands: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

export class RespTraffic {
  readonly since: Millis;
  acceptedClients = 0;
  refusedClients = 0;
  commands = 0;
  hits = 0;
  misses = 0;
  inputBytes = 0;
  outputBytes = 0;
  #before: Sample;
  #last: Sample;

  constructor(now: Millis) {
    this.since = now;
    this.#before = this.#last = { at: now, commands: 0, inputBytes: 0, outputBytes: 0 };
  }

  /** Per second, over at least `SAMPLE_MS`. */
  rates(now: Millis): Rates {
    const { commands, inputBytes, outputBytes } = this;
    if (now - this.#last.at >= SAMPLE_MS) {
      this.#before = this.#last;
      this.#last = { at: now, commands, inputBytes, outputBytes };
    }
    const from = this.#before;
    const seconds = Math.max(SAMPLE_MS, now - from.at) / 1_000;
    return {
      commands: (commands - from.commands) / seconds,
      inputBytes: (inputBytes - from.inputBytes) / seconds,
      outputBytes: (outputBytes - from.outputBytes) / seconds,
    };
  }
}
