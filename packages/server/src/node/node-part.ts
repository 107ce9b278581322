/** What every listener stands on: streams, sessions, guard, meter, and the node's own state. */
import { totalmem } from "node:os";
import { join } from "node:path";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { nextIncarnation } from "../cluster/incarnation.ts";
import type { Scope } from "@sluice/base/scope";
import type { AdminEvent, EngineRole } from "@sluice/client/admin-contract";
import type { NodeCapacity } from "@sluice/cluster/heat";
import type { Incarnation } from "@sluice/mesh/hello";
import { StreamDirectory } from "@sluice/media/stream-directory";
import { ConnectionLimiter } from "../auth/connection-limiter.ts";
import { Guard } from "../auth/guard.ts";
import type { OpenActions } from "../auth/open-warning.ts";
import type { PreviewRights } from "../auth/preview-rights.ts";
import type { SluiceConfig } from "../config/load-config.ts";
import { Strangers } from "@sluice/runtime/sockets/strangers";
import { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { DEFAULT_PLAY_LIMITS } from "../sessions/limits.ts";
import { InputScheduler } from "../sessions/input-scheduler.ts";
import { NodeOutput } from "../sessions/peer-output.ts";
import { DirectWrites } from "@sluice/runtime/sockets/direct-writes";
import { MergedReads } from "@sluice/runtime/sockets/merged-reads";
import { SessionRegistry } from "../sessions/session-registry.ts";
import { findStreamWrap } from "@sluice/runtime/sockets/stream-wrap";
import { LoadWindow } from "../streams/load-window.ts";
import { StreamPolicies } from "../streams/stream-policies.ts";
import { StreamTotals } from "../streams/stream-totals.ts";
import { TestPatterns } from "../streams/test-patterns.ts";
import { EventHub } from "./event-hub.ts";
import { NodeStreams } from "./node-streams.ts";
import { NodeView } from "./node-view.ts";
import { TrafficTotals } from "./traffic-totals.ts";
import { VERSION } from "../version.ts";
import { drainSessions } from "./drain.ts";
import { meterNode } from "./node-meter.ts";
import { noticesFor } from "./notices.ts";
import { NodeState, type ShownState } from "./node-state.ts";
import { ObjectsPart } from "./objects-part.ts";
import { outputLimits, strangerLimits } from "./running-limits.ts";
import { StreamsPart } from "./streams-part.ts";

export interface NodePart {
  readonly config: SluiceConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly meter: PromMeter;
  readonly limiter: ConnectionLimiter;
  /** Of all listeners that speak TLS or HTTP together. */
  readonly strangers: Strangers;
  readonly ports: SessionPorts;
  readonly previews: PreviewRights;
  readonly objects: ObjectsPart;
  readonly streams: StreamsPart;
  /** The streams of the cluster, for the admin API. */
  readonly shownStreams: NodeStreams;
  readonly view: NodeView;
  /** What anybody may do without showing anything, and in which applications. */
  openActions(): OpenActions;
  readonly patterns: TestPatterns;
  /** Listener name → `host:port` as bound. */
  listeners(): Readonly<Record<string, string>>;
  /** @param shown  what to put into URLs, where that is not the bound address */
  addListener(name: string, bound: string, shown?: string): void;
  becomeReady(): void;
  readonly state: ShownState;
  /** Told whenever it may have changed. */
  onState(listener: (state: ShownState) => void): Disposable;
  /** Keeps the node from being ready, for a reason that operators read, until released under the same name. */
  hold(name: string, reason: string): void;
  release(name: string): void;
  /** The number of this life of the node; 0 where it is not one of a cluster. */
  readonly incarnation: Incarnation;
  /** Listener name → address for URLs. */
  addresses(): Readonly<Record<string, string>>;
  /** To the event stream of the admin API. */
  tell(event: AdminEvent): void;
  /** What this node is to the state engine, from now on. */
  showEngine(role: () => EngineRole): void;
  /** Calls `listener`, at most once a second, when the node's heat (0 to 1) has changed by enough to tell others. */
  onHeat(listener: (heat: number) => void): void;
  /** Aborts when the node starts to drain, by signal or by an admin's word. */
  readonly draining: AbortSignal;
  startDrain(reason: string): void;
  drain(): Promise<void>;
}

export function openNode({
  config,
  clock,
  log,
  scope,
}: {
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly scope: Scope;
}): NodePart {
  const meter = new PromMeter({ processMetrics: "on" });
  const guard = scope.use(new Guard({ config, clock, meter, log }));
  const hub = new EventHub();
  const traffic = new TrafficTotals(() => registry);
  const totals = new StreamTotals();
  const notices = noticesFor({ hub, clock, log, meter, traffic, totals });
  const registry = scope.use(new SessionRegistry(clock, notices.ofSessions));
  const reads = scope.use(new MergedReads(clock));
  const streamWrap = findStreamWrap();
  if (streamWrap === undefined)
    log.warn({ version: process.version }, "This Node has no short way to a socket: viewers cost more");
  const writes = new DirectWrites(streamWrap);
  const outputs = new NodeOutput({ clock, writes, limits: outputLimits(config) });
  const load = new LoadWindow(clock);
  const policies = new StreamPolicies(config, load);
  const streams = new StreamDirectory({
    clock,
    limits: {
      get streams() {
        return config.limits.streams || Number.POSITIVE_INFINITY;
      },
      get waitingStreams() {
        return config.limits.waitingStreams || Number.POSITIVE_INFINITY;
      },
    },
    memoryLimits: {
      connectionBytes: config.limits.publisherMemory || Number.POSITIVE_INFINITY,
      nodeBytes: config.limits.streamMemory || Number.POSITIVE_INFINITY,
    },
    streamOptions: (key) => policies.optionsOf(key),
    notice: notices.ofStreams,
  });
  scope.defer(() => streams.close());
  const state = new NodeState(scope.signal);
  const inputs = scope.use(new InputScheduler(clock));
  const parts = {
    clock,
    log,
    meter,
    guard,
    registry,
    reads,
    writes,
    outputs,
    inputs,
    streams,
    draining: state.draining,
  };
  const incarnation = config.isClustered
    ? nextIncarnation(join(config.data.dir, "cluster"), clock.wall())
    : (0 as Incarnation);
  const objects = new ObjectsPart({ config, incarnation, clock, log, meter, tell: (event) => hub.tell(event) });
  scope.use(objects.watch);
  const ports = sessionPorts({ ...parts, objects: objects.objects, config, policies });
  const count = meterNode({ meter, streams, registry, totals, load, outputs });
  const patterns = scope.use(new TestPatterns(ports));
  const limiter = new ConnectionLimiter({
    limits: () => config.limits,
    admitAddress: (address) => guard.admitAddress(address),
    clock,
    meter,
    log,
  });
  const strangers = scope.use(new Strangers({ limits: strangerLimits(config), clock, meter }));
  const shown: { engine: () => EngineRole } = { engine: () => "off" };
  let heatListener = (_heat: number): void => {};
  const heat = meter.gauge("node_heat", "How near the node is to its limits, 0 to 1, as an average");
  const streamsPart = new StreamsPart({ config, clock, log, streams, draining: state.draining, heat: () => view.heat });
  const shownStreams = new NodeStreams({ self: config.node.id, clock, streams, part: streamsPart });
  const view = scope.use(
    new NodeView({
      id: config.node.id,
      incarnation,
      roles: config.node.roles,
      engine: () => shown.engine(),
      capacity: capacityOf(config),
      heatChanged: (heat) => heatListener(heat),
      version: VERSION,
      clock,
      streams,
      shown: shownStreams,
      registry,
      patterns,
      traffic,
      hub,
      open: () => {
        const { publish, play } = guard.openActions();
        return { publish: publish.length > 0, play: play.length > 0 };
      },
      addresses: () => state.shown,
      eachBeat: () => {
        count();
        heat.set(view.heat);
      },
      state: () => state.now,
      heldBy: () => state.heldBy,
    }),
  );
  return {
    config,
    log,
    clock,
    meter,
    limiter,
    strangers,
    ports,
    previews: guard.previews,
    objects,
    streams: streamsPart,
    shownStreams,
    view,
    openActions: () => guard.openActions(),
    patterns,
    listeners: () => state.bound,
    addListener: (name, bound, shown) => state.addListener(name, bound, shown ?? bound),
    becomeReady: () => state.becomeReady(),
    get state() {
      return state.now;
    },
    onState: (listener) => state.listen(listener),
    hold: (name, reason) => state.hold(name, reason),
    release: (name) => state.release(name),
    incarnation,
    addresses: () => state.shown,
    tell: (event) => hub.tell(event),
    showEngine: (role) => void (shown.engine = role),
    onHeat: (listener) => void (heatListener = listener),
    draining: state.draining,
    startDrain: (reason) => state.startDrain(reason),
    drain: () => drainSessions({ registry, streams, clock, log, timeout: () => config.shutdown.timeout }),
  };
}

/** Read for each sample, as the configuration may change. */
function capacityOf(config: SluiceConfig): NodeCapacity {
  const allowed = process.constrainedMemory();
  const present = allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
  return {
    get egressBitsPerSecond() {
      return config.limits.egress > 0 ? config.limits.egress * 1e6 : Number.POSITIVE_INFINITY;
    },
    get memoryBytes() {
      return config.limits.memory > 0 ? config.limits.memory : present;
    },
  };
}

function sessionPorts(
  parts: Omit<SessionPorts, "timeouts" | "limits" | "policyOf" | "claimPublisher" | "releasePublisher"> & {
    readonly config: SluiceConfig;
    readonly policies: StreamPolicies;
  },
): SessionPorts {
  const { config, policies, ...rest } = parts;
  let publisherCount = 0;
  return {
    ...rest,
    timeouts: {
      handshake: config.limits.handshakeTimeout,
      get connect() {
        return config.limits.connectTimeout;
      },
      get idle() {
        return config.limits.idleTimeout;
      },
      get firstFrame() {
        return config.publish.firstFrameTimeout as Millis;
      },
    },
    limits: {
      ...DEFAULT_PLAY_LIMITS,
      get waitsPerConnection() {
        return config.limits.waitsPerConnection;
      },
    },
    policyOf: (app) => policies.policyOf(app),
    claimPublisher() {
      const { publishers } = config.limits;
      if (publishers > 0 && publisherCount >= publishers) return false;
      publisherCount++;
      return true;
    },
    releasePublisher() {
      publisherCount--;
    },
  };
}
