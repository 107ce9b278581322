/** The running node for the admin API: rows made on request, and the one-second beat that samples rates and load. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { type NodeCapacity, NodeHeat } from "@sluice/cluster/heat";
import type { EngineRole, NodeCounts, OwnNodeRow, SessionRow } from "@sluice/client/admin-contract";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import type { AdminView, Page, PageOf } from "../admin/admin-source.ts";
import { ProcessLoad } from "@sluice/runtime/metrics/process-load";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { TestPatterns } from "../streams/test-patterns.ts";
import type { EventHub } from "./event-hub.ts";
import type { NodeStreams } from "./node-streams.ts";
import { isoTime, sessionRow } from "./rows.ts";
import type { TrafficTotals } from "./traffic-totals.ts";

export interface NodeViewOptions {
  readonly id: string;
  readonly incarnation: number;
  readonly roles: OwnNodeRow["roles"];
  readonly version: string;
  readonly clock: Clock;
  readonly streams: StreamDirectory;
  /** Rows of streams for `stats`. */
  readonly shown: Pick<NodeStreams, "beat" | "nextPiece">;
  readonly registry: SessionRegistry;
  readonly patterns: TestPatterns;
  readonly traffic: TrafficTotals;
  readonly hub: EventHub;
  /** Listener name → address for URLs; filled once the listeners are open. */
  readonly addresses: () => Readonly<Record<string, string>>;
  readonly state: () => OwnNodeRow["state"];
  /** Why the node is not ready although it has started. */
  readonly heldBy: () => readonly string[];
  readonly open: () => OwnNodeRow["open"];
  readonly engine: () => EngineRole;
  readonly capacity: NodeCapacity;
  /** Called when the node's heat has changed by enough to tell other nodes, at most once a second. */
  readonly heatChanged: (heat: number) => void;
  /** Called once a second. */
  readonly eachBeat: () => void;
}

const BEAT = 1_000 as Millis;

export class NodeView implements AdminView, Disposable {
  readonly #options: NodeViewOptions;
  readonly #load = new ProcessLoad();
  readonly #startedAt: Millis;
  readonly #heat: NodeHeat;
  #sample = this.#load.sample();
  /** At the last beat. */
  #sent: { readonly bytes: number; readonly at: Millis };
  #timer: Timer;

  constructor(options: NodeViewOptions) {
    this.#options = options;
    this.#heat = new NodeHeat(options.capacity);
    this.#startedAt = options.clock.now();
    this.#sent = { bytes: 0, at: this.#startedAt };
    this.#timer = this.#arm();
  }

  sessions({ limit, offset }: Page, key?: string): PageOf<SessionRow> {
    const all = this.#options.registry.all();
    const wanted = key === undefined ? all : all.filter(({ facts }) => facts.key === key);
    return { rows: wanted.slice(offset, offset + limit).map(sessionRow), total: wanted.length };
  }

  /** This node's row, with its present figures. */
  ownNode(): OwnNodeRow {
    const { id, incarnation, roles, version, addresses, state, clock } = this.#options;
    const up = clock.now() - this.#startedAt;
    return {
      id,
      self: true,
      incarnation,
      version,
      roles,
      state: state(),
      linked: true,
      addresses: addresses(),
      since: isoTime((clock.wall() - up) as Millis),
      seed: null,
      differs: [],
      ...this.counts(),
    };
  }

  counts(): NodeCounts {
    const { clock, registry, streams, traffic, open, engine } = this.#options;
    const { bytesIn, bytesOut } = traffic.read();
    return {
      heat: this.#heat.value,
      engine: engine(),
      load: this.#sample,
      uptimeSeconds: Math.round((clock.now() - this.#startedAt) / 1000),
      sessions: registry.size,
      streams: streams.size,
      bytesIn,
      bytesOut,
      open: open(),
      reasons: this.readiness().reasons,
    };
  }

  /** How near the node is to its limits, 0 to 1, as an average. */
  get heat(): number {
    return this.#heat.value;
  }

  testPatterns(): ReturnType<TestPatterns["rows"]> {
    return this.#options.patterns.rows();
  }

  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    const state = this.#options.state();
    const reasons = [...this.#options.heldBy()];
    if (state === "ready") return { ready: true, reasons: [] };
    if (state === "draining") reasons.unshift(`The node is draining: sessions left: ${this.#options.registry.size}`);
    return { ready: false, reasons: reasons.length > 0 ? reasons : [`The node is ${state}`] };
  }

  subscribe: AdminView["subscribe"] = (listener) => this.#options.hub.subscribe(listener);

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return this.#options.clock.after(BEAT, () => {
      this.#timer = this.#arm();
      this.#beat();
    });
  }

  #sampleHeat(): void {
    const { clock, traffic, heatChanged } = this.#options;
    const [before, now] = [this.#sent, clock.now()];
    this.#sent = { bytes: traffic.read().bytesOut, at: now };
    const egressBitsPerSecond = ((this.#sent.bytes - before.bytes) * 8_000) / Math.max(1, now - before.at);
    const { loop: loopUtilisation, memoryBytes } = this.#sample;
    this.#heat.sample({ loopUtilisation, egressBitsPerSecond, memoryBytes }, now);
    const news = this.#heat.takeNews(now);
    if (news !== undefined) heatChanged(news);
  }

  #beat(): void {
    const { shown, clock, hub, eachBeat } = this.#options;
    eachBeat();
    this.#sample = this.#load.sample();
    this.#sampleHeat();
    shown.beat(!hub.isIdle);
    if (!hub.isIdle) hub.tell({ type: "stats", at: isoTime(clock.wall()), node: this.ownNode(), ...shown.nextPiece() });
  }
}
