/** The running node as the admin API sees it: rows made at the call, and the beat that samples rates and load. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { NodeRow, SessionRow, StreamRow } from "@sluice/client/admin-contract";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import { findStreamKey } from "@sluice/media/stream-key";
import type { AdminView } from "../admin/admin-source.ts";
import { ProcessLoad } from "../metrics/process-load.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { TestPatterns } from "../streams/test-patterns.ts";
import type { EventHub } from "./event-hub.ts";
import { isoTime, sessionRow, streamRow } from "./rows.ts";
import { StreamRates } from "./stream-rates.ts";
import type { TrafficTotals } from "./traffic-totals.ts";

export interface NodeViewOptions {
  readonly id: string;
  readonly version: string;
  readonly clock: Clock;
  readonly streams: StreamDirectory;
  readonly registry: SessionRegistry;
  readonly patterns: TestPatterns;
  readonly traffic: TrafficTotals;
  readonly hub: EventHub;
  /** Listener name → address for URLs; filled when the listeners are open. */
  readonly addresses: () => Readonly<Record<string, string>>;
  readonly state: () => NodeRow["state"];
  /** Why the node is not ready though it has started. */
  readonly heldBy: () => readonly string[];
  readonly open: NodeRow["open"];
  /** Called once a second. */
  readonly eachBeat: () => void;
}

const BEAT = 1_000 as Millis;

export class NodeView implements AdminView, Disposable {
  readonly #options: NodeViewOptions;
  readonly #rates = new StreamRates();
  readonly #load = new ProcessLoad();
  readonly #startedAt: Millis;
  #sample = this.#load.sample();
  #timer: Timer;

  constructor(options: NodeViewOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#timer = this.#arm();
  }

  streams(): readonly StreamRow[] {
    const { streams, id } = this.#options;
    return streams.entries().map((entry) => streamRow(entry, this.#rates.read(entry.stream), id));
  }

  findStream(path: string): StreamRow | undefined {
    const { streams, id } = this.#options;
    const key = findStreamKey(path);
    const entry = key === undefined ? undefined : streams.findEntry(key);
    return entry && streamRow(entry, this.#rates.read(entry.stream), id);
  }

  sessions(): readonly SessionRow[] {
    return this.#options.registry.all().map(sessionRow);
  }

  nodes(): readonly NodeRow[] {
    return [this.#node()];
  }

  testPatterns(): ReturnType<TestPatterns["rows"]> {
    return this.#options.patterns.rows();
  }

  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    const state = this.#options.state();
    const reasons = this.#options.heldBy();
    if (state === "ready") return { ready: true, reasons: [] };
    return { ready: false, reasons: reasons.length > 0 ? reasons : [`The node is ${state}`] };
  }

  subscribe: AdminView["subscribe"] = (listener) => this.#options.hub.subscribe(listener);

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #node(): NodeRow {
    const { id, version, addresses, state, clock, registry, streams, traffic, open } = this.#options;
    const { bytesIn, bytesOut } = traffic.read();
    return {
      id,
      self: true,
      version,
      roles: ["origin", "edge"],
      addresses: addresses(),
      load: this.#sample,
      state: state(),
      uptimeSeconds: Math.round((clock.now() - this.#startedAt) / 1000),
      sessions: registry.size,
      streams: streams.size,
      bytesIn,
      bytesOut,
      open,
    };
  }

  #arm(): Timer {
    return this.#options.clock.after(BEAT, () => {
      this.#timer = this.#arm();
      this.#beat();
    });
  }

  #beat(): void {
    const { streams, clock, hub, eachBeat } = this.#options;
    eachBeat();
    this.#sample = this.#load.sample();
    this.#rates.sample(
      streams.entries().map((entry) => entry.stream),
      clock.now(),
    );
    if (!hub.isIdle)
      hub.tell({ type: "stats", at: isoTime(clock.wall()), node: this.#node(), streams: this.streams() });
  }
}
