/** Load of nodes and streams relative to their limits, as averages with a half-life of ten seconds. */
import type { Millis } from "@sluice/base/brand";

/** Long enough to ignore a single burst, short enough to notice a crowd before it overloads the node. */
const HALF_LIFE = 10_000;
/** A node announces its heat only after a change of at least this much. */
const TOLD_STEP = 0.05;
const TELL_EVERY = 1_000;

/** Average of a level sampled at irregular times; each sample covers the time since the one before. */
export class DecayedAverage {
  #average = 0;
  #at: Millis | undefined;

  get value(): number {
    return this.#average;
  }

  /** The first sample counts from `now` on, so that a node that starts under load is not hot at once. */
  sample(level: number, now: Millis): void {
    const weight = this.#at === undefined ? 0 : 1 - 2 ** (-Math.max(0, now - this.#at) / HALF_LIFE);
    this.#at = now;
    this.#average += (level - this.#average) * weight;
  }
}

export interface NodeLoad {
  /** Share of time that the event loop was busy. */
  readonly loopUtilisation: number;
  readonly egressBitsPerSecond: number;
  readonly memoryBytes: number;
}

export interface NodeCapacity {
  readonly egressBitsPerSecond: number;
  readonly memoryBytes: number;
}

/** Heat of this node: the highest of its loads, each relative to its limit. */
export class NodeHeat {
  readonly #capacity: NodeCapacity;
  readonly #loop = new DecayedAverage();
  readonly #egress = new DecayedAverage();
  readonly #memory = new DecayedAverage();
  #told = 0;
  #toldAt: Millis | undefined;

  constructor(capacity: NodeCapacity) {
    this.#capacity = capacity;
  }

  /** 0 to 1. */
  get value(): number {
    const highest = Math.max(this.#loop.value, this.#egress.value, this.#memory.value);
    return Math.min(1, Math.max(0, highest));
  }

  sample({ loopUtilisation, egressBitsPerSecond, memoryBytes }: NodeLoad, now: Millis): void {
    this.#loop.sample(loopUtilisation, now);
    this.#egress.sample(egressBitsPerSecond / this.#capacity.egressBitsPerSecond, now);
    this.#memory.sample(memoryBytes / this.#capacity.memoryBytes, now);
  }

  /** The heat to announce now, rounded to hundredths; undefined while it has hardly changed, or was announced a moment ago. */
  takeNews(now: Millis): number | undefined {
    const isEarly = this.#toldAt !== undefined && now - this.#toldAt < TELL_EVERY;
    if (isEarly || Math.abs(this.value - this.#told) < TOLD_STEP) return undefined;
    this.#told = Math.round(this.value * 100) / 100;
    this.#toldAt = now;
    return this.#told;
  }
}

/** Heat of one stream at one node; the placing node adds up those of all nodes. */
export class StreamHeat {
  readonly #average = new DecayedAverage();
  #sampledAt: Millis;

  constructor(now: Millis) {
    this.#sampledAt = now;
    this.#average.sample(0, now);
  }

  /** Bits per second. */
  get value(): number {
    return this.#average.value;
  }

  /**
   * @param delivered.bits  sent to viewers since the previous sample
   * @param delivered.joins  viewers that joined since then, each of which is sent a whole GOP at once
   */
  sample(delivered: { readonly bits: number; readonly joins: number; readonly gopBytes: number }, now: Millis): void {
    const seconds = (now - this.#sampledAt) / 1_000;
    if (seconds <= 0) return;
    this.#sampledAt = now;
    this.#average.sample((delivered.bits + delivered.joins * delivered.gopBytes * 8) / seconds, now);
  }
}
