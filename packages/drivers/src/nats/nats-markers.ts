/** Deletes the markers that removed keys leave behind in JetStream, once every watch has received them. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { REMOTE_ENGINE_LIMITS } from "@sluice/engine/remote/remote-limits";
import type { NatsStore } from "./nats-store.ts";

interface Marker {
  readonly sequence: number;
  readonly since: Millis;
}

/** Must outlast any silence after which a watch continues instead of reading everything anew. */
const AGE = 600_000;
const ROUND = 60_000;
const PER_ROUND = 500;

export class NatsMarkers {
  readonly #store: Pick<NatsStore, "sweep">;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** By subject, oldest first. */
  readonly #markers = new Map<string, Marker>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(store: Pick<NatsStore, "sweep">, clock: Clock, random: () => number) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#arm();
  }

  get size(): number {
    return this.#markers.size;
  }

  hear(subject: string, sequence: number): void {
    this.#markers.delete(subject);
    this.#markers.set(subject, { sequence, since: this.#clock.now() });
    if (this.#markers.size <= REMOTE_ENGINE_LIMITS.markers) return;
    for (const oldest of this.#markers.keys()) return void this.#markers.delete(oldest);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#isClosed) return;
    const delay = (ROUND * (0.5 + this.#random())) as Millis;
    this.#timer = this.#clock.after(delay, () => {
      // Failures are retried in a later round, or by another process.
      void this.#sweep()
        .catch(() => {})
        .finally(() => this.#arm());
    });
  }

  async #sweep(): Promise<void> {
    let left = PER_ROUND;
    for (const [subject, { sequence, since }] of this.#markers) {
      if (this.#clock.now() - since < AGE || left-- === 0) return;
      await this.#store.sweep(subject, sequence);
      this.#markers.delete(subject);
    }
  }
}
