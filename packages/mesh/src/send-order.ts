/** Order in which channels send frames: by class, then round robin, without starving a class. */
import { CHANNEL_CLASSES, type Channel } from "./channel.ts";

/** One frame in this many goes to the lowest class that has output, even while higher ones wait. */
const FRAMES_PER_LOW_ONE = 32;

export class SendOrder {
  readonly #ready: Channel[][] = CHANNEL_CLASSES.map(() => []);
  readonly #isQueued = new Set<Channel>();
  #frameCount = 0;

  /** May be called at any time; a channel is queued once. */
  add(channel: Channel): void {
    if (this.#isQueued.has(channel)) return;
    this.#isQueued.add(channel);
    this.#lineOf(channel).push(channel);
  }

  /** Takes the next channel out of the queue; add it again if it has more to send. */
  take(allowed: "all" | "control"): Channel | undefined {
    if (allowed === "control") return this.#takeFrom(0);
    this.#frameCount++;
    const isLowTurn = this.#frameCount % FRAMES_PER_LOW_ONE === 0;
    for (let i = 0; i < this.#ready.length; i++) {
      const channel = this.#takeFrom(isLowTurn ? this.#ready.length - 1 - i : i);
      if (channel !== undefined) return channel;
    }
    return undefined;
  }

  remove(channel: Channel): void {
    if (!this.#isQueued.delete(channel)) return;
    const line = this.#lineOf(channel);
    line.splice(line.indexOf(channel), 1);
  }

  #takeFrom(place: number): Channel | undefined {
    const channel = (this.#ready[place] as Channel[]).shift();
    if (channel !== undefined) this.#isQueued.delete(channel);
    return channel;
  }

  #lineOf(channel: Channel): Channel[] {
    return this.#ready[CHANNEL_CLASSES.indexOf(channel.class)] as Channel[];
  }
}
