/** Looks at a node's shared objects once a second: rates, metrics, and what became of them for the event stream. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Counter, Meter } from "@sluice/base/meter";
import type { AdminEvent } from "@sluice/client/admin-contract";
import type { ObjectNotice } from "@sluice/state/ports";
import type { SharedObject } from "@sluice/state/shared-object";

export interface ObjectWatchOptions {
  readonly self: string;
  /** All that this node has a copy of. */
  readonly objects: () => readonly SharedObject[];
  readonly clock: Clock;
  readonly meter: Meter;
  readonly tell: (event: AdminEvent) => void;
  /** Events in a second; further ones are left out and counted. */
  readonly eventsPerSecond: number;
}

interface Sample {
  version: number;
  /** Changes per second, as an average of the last few. */
  rate: number;
}

const BEAT = 1_000 as Millis;
/** Weight of the last second: a change of pace shows within three. */
const WEIGHT = 0.5;
/** Below this a rate is 0: an average never gets there by itself. */
const SMALLEST = 0.05;

export class ObjectWatch implements Disposable {
  readonly #options: ObjectWatchOptions;
  readonly #samples = new WeakMap<SharedObject, Sample>();
  readonly #leftOut: Counter;
  readonly #changes: Counter;
  #toldCount = 0;
  #at: Millis;
  #timer: Timer;

  constructor(options: ObjectWatchOptions) {
    const { meter, clock } = options;
    this.#options = options;
    this.#leftOut = meter.counter(
      "object_events_left_out_total",
      "Events about shared objects that were too many to be told",
    );
    this.#changes = meter.counter(
      "object_changes_total",
      "Changes of shared objects that this node ordered as their home",
    );
    this.#at = clock.now();
    this.#timer = this.#arm();
  }

  /** Changes per second. */
  rateOf(object: SharedObject): number {
    const rate = this.#samples.get(object)?.rate ?? 0;
    return Math.round(rate * 10) / 10;
  }

  note(notice: ObjectNotice): void {
    const { self, clock, meter, tell, eventsPerSecond } = this.#options;
    meter
      .counter("object_notices_total", "What became of shared objects at their homes, by kind", { kind: notice.type })
      .add();
    if (this.#toldCount++ >= eventsPerSecond) return this.#leftOut.add();
    tell(eventOf(notice, self, new Date(clock.wall()).toISOString()));
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return this.#options.clock.after(BEAT, () => {
      this.#timer = this.#arm();
      this.#toldCount = 0;
      this.#sample();
    });
  }

  #sample(): void {
    const { objects, clock, meter } = this.#options;
    const now = clock.now();
    const seconds = Math.max(0.001, (now - this.#at) / 1000);
    this.#at = now;
    let [copies, homes, clients] = [0, 0, 0];
    for (const object of objects()) {
      copies++;
      clients += object.users.here.size;
      const grown = this.#sampleOne(object, seconds);
      if (!object.isHome) continue;
      homes++;
      this.#changes.add(grown);
    }
    meter.gauge("objects", "Shared objects that this node has a copy of").set(copies);
    meter.gauge("object_homes", "Shared objects that this node is the home of").set(homes);
    meter.gauge("object_clients", "Clients of shared objects on this node; one counts for each object").set(clients);
  }

  /** @returns changes since the last look */
  #sampleOne(object: SharedObject, seconds: number): number {
    const { version } = object.copy.at;
    const sample = this.#samples.get(object);
    if (sample === undefined) {
      this.#samples.set(object, { version, rate: 0 });
      return 0;
    }
    const grown = Math.max(0, version - sample.version);
    sample.version = version;
    const rate = sample.rate * (1 - WEIGHT) + (grown / seconds) * WEIGHT;
    sample.rate = rate < SMALLEST ? 0 : rate;
    return grown;
  }
}

function eventOf(notice: ObjectNotice, self: string, at: string): AdminEvent {
  const { path } = notice;
  switch (notice.type) {
    case "created":
      return { type: "object-created", at, path };
    case "restored":
      return { type: "object-restored", at, path };
    case "moved":
      return { type: "object-moved", at, path, from: notice.from, to: self };
    case "taken-over":
      return { type: "object-taken-over", at, path, by: self };
    case "forgotten":
      return { type: "object-forgotten", at, path, isStored: notice.isStored };
  }
}
