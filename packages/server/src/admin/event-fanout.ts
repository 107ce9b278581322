/** One subscription to the server's events, gathered, encoded once and written to every open event stream. */
import type { Clock, Timer } from "@sluice/base/clock";
import type { Millis } from "@sluice/base/brand";
import type { Counter, Gauge, Meter } from "@sluice/base/meter";
import type { AdminEvent } from "@sluice/client/admin-contract";
import type { AdminView } from "./admin-source.ts";
import type { AdminLimits } from "./limits.ts";

/** One reader of events: a response that stays open. */
export interface EventReader {
  /** Bytes written and not yet taken by the network. */
  waitingBytes(): number;
  write(bytes: Uint8Array): void;
  /** Ends politely: the server is stopping. */
  end(): void;
  /** Ends at once: it does not read. */
  destroy(): void;
}

/** Short enough that proxies with a 30 s idle timeout keep the connection. */
export const HEARTBEAT = 15_000 as Millis;

/** What happens within this time is written at once: a crowd costs each reader four writes a second, not one per arrival. */
export const GATHER = 250 as Millis;

const GREETING = Buffer.from("retry: 2000\n: connected\n\n");
const HEARTBEAT_BYTES = Buffer.from(": heartbeat\n\n");

export interface FanoutOptions {
  readonly source: Pick<AdminView, "subscribe">;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly limits: AdminLimits;
}

export class EventFanout implements Disposable {
  readonly #options: FanoutOptions;
  readonly #readers = new Set<EventReader>();
  readonly #open: Gauge;
  readonly #sent: Counter;
  readonly #leftOut: Counter;
  readonly #refused: Counter;
  #subscription: Disposable | undefined;
  #heartbeat: Timer | undefined;
  #lastId = 0;
  #gathered: string[] = [];
  /** Of what was gathered, `stats` not counted. */
  #gatheredBytes = 0;
  /** Runs from one write to the time of the next. */
  #gathering: Timer | undefined;

  constructor(options: FanoutOptions) {
    const { meter } = options;
    this.#options = options;
    this.#open = meter.gauge("admin_subscribers", "Event streams of the admin API that are open");
    this.#sent = meter.counter("admin_events", "Events written to event streams of the admin API");
    this.#leftOut = meter.counter(
      "admin_events_left_out",
      "Events that event streams were not sent because there were too many",
    );
    this.#refused = meter.counter("admin_subscribers_refused", "Event streams refused because too many are open");
  }

  /** `refused`: as many are open as the limit allows. */
  attach(reader: EventReader): "attached" | "refused" {
    if (this.#readers.size >= this.#options.limits.subscribers) {
      this.#refused.add();
      return "refused";
    }
    this.#readers.add(reader);
    this.#open.set(this.#readers.size);
    reader.write(GREETING);
    this.#subscription ??= this.#options.source.subscribe((event) => this.#publish(event));
    this.#heartbeat ??= this.#scheduleHeartbeat();
    return "attached";
  }

  detach(reader: EventReader): void {
    if (!this.#readers.delete(reader)) return;
    this.#open.set(this.#readers.size);
    if (this.#readers.size === 0) this.#rest();
  }

  /** Ends every event stream. */
  [Symbol.dispose](): void {
    for (const reader of this.#readers) {
      this.detach(reader);
      reader.end();
    }
  }

  /** The first event after a pause goes at once, those close behind it together. */
  #publish(event: AdminEvent): void {
    const id = ++this.#lastId;
    if (event.type !== "stats" && this.#gatheredBytes >= this.#options.limits.batchBytes) return this.#leftOut.add();
    const text = `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    this.#gathered.push(text);
    if (event.type !== "stats") this.#gatheredBytes += text.length;
    if (this.#gathering === undefined) this.#writeGathered();
  }

  #writeGathered(): void {
    this.#sent.add(this.#readers.size * this.#gathered.length);
    const bytes = Buffer.from(this.#gathered.join(""));
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#gathering = this.#options.clock.after(GATHER, () => {
      this.#gathering = undefined;
      if (this.#gathered.length > 0) this.#writeGathered();
    });
    this.#writeAll(bytes);
  }

  #writeAll(bytes: Uint8Array): void {
    const { subscriberBytes, subscribersBytes } = this.#options.limits;
    const waiting = [...this.#readers].map((reader) => ({ reader, bytes: reader.waitingBytes() }));
    waiting.sort((a, b) => a.bytes - b.bytes);
    let total = 0;
    for (const one of waiting) {
      total += one.bytes;
      if (one.bytes > subscriberBytes) this.#drop(one.reader, "slow");
      else if (total > subscribersBytes) this.#drop(one.reader, "all-slow");
      else one.reader.write(bytes);
    }
  }

  #drop(reader: EventReader, reason: "slow" | "all-slow"): void {
    this.#options.meter.counter("admin_subscribers_dropped", "Event streams ended by the server", { reason }).add();
    this.detach(reader);
    reader.destroy();
  }

  #scheduleHeartbeat(): Timer {
    return this.#options.clock.after(HEARTBEAT, () => {
      this.#heartbeat = this.#scheduleHeartbeat();
      this.#writeAll(HEARTBEAT_BYTES);
    });
  }

  #rest(): void {
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
    this.#gathering?.cancel();
    this.#gathering = undefined;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = undefined;
  }
}
