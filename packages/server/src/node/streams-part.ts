/** Streams of other nodes: what viewers of this node want is taken from there, and what others want is given. */
import type { Clock } from "@sluice/base/clock";
import type { Millis } from "@sluice/base/brand";
import type { Log } from "@sluice/base/log";
import type { Scope } from "@sluice/base/scope";
import type { Directory } from "@sluice/cluster/directory/directory";
import { BY_HASH, HOT, place } from "@sluice/cluster/placement";
import type { Copy } from "@sluice/cluster/relay/copy";
import { Relay } from "@sluice/cluster/relay/relay";
import type { StreamHome } from "@sluice/cluster/relay/sources";
import { formatEpoch } from "@sluice/engine/epoch";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import type { NodeRow } from "@sluice/mesh/membership/membership-view";
import { RequestFailedError } from "@sluice/mesh/requests";
import { applicationOf, findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import type { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import type { ClusterNode } from "../cluster/cluster-node.ts";
import type { NodeCalls } from "../cluster/node-calls.ts";
import type { SluiceConfig } from "../config/load-config.ts";
import type { StreamHomeFacts } from "../streams/merge-streams.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { meterRelay } from "../streams/relay-meter.ts";
import { StreamClaims } from "../streams/stream-claims.ts";

export interface StreamsPartOptions {
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly streams: StreamDirectory;
  /** Aborts when the node begins to drain. */
  readonly draining: AbortSignal;
  /** 0 to 1. */
  readonly heat: () => number;
}

/** What one other node is given of a stream. */
export interface CopyFacts {
  readonly node: string;
  readonly bytes: number;
  readonly frames: number;
  readonly dropped: { readonly video: number; readonly audio: number; readonly data: number };
  /** How old a frame is when that node has it, as far as the link is the cause. */
  readonly delay: Millis;
}

/** How a stream gets here and where it goes, for people to see. */
export interface StreamRoute {
  /** Nodes from this one to the one with the publisher; empty while there is no source. */
  readonly path: readonly string[];
  readonly copies: readonly CopyFacts[];
}

export class StreamsPart {
  /** Undefined for a node alone. */
  readonly relay: Relay | undefined;
  readonly #claims: StreamClaims | undefined;
  #directory: Directory | undefined;
  #calls: NodeCalls | undefined;
  #members: () => readonly NodeRow[] = () => [];

  constructor({ config, clock, log, streams, draining, heat }: StreamsPartOptions) {
    if (!config.isClustered) return;
    const self = config.node.id;
    const isShared = (key: StreamKey): boolean => config.forApplication(applicationOf(key)).cluster === "shared";
    const graceOf = (key: StreamKey): Millis => config.forApplication(applicationOf(key)).grace.windowMs;
    const askHolder = (node: string, key: StreamKey) => this.#askHolder(node, key);
    const claims = new StreamClaims({ self, streams, clock, isShared, graceOf, askHolder, log });
    const relay = new Relay({
      self,
      streams,
      clock,
      isShared,
      graceOf,
      from: (key, home) => [...config.relay.from, ...this.#originFor(key, home)],
      isLeaving: () => draining.aborted,
      askHolder,
      isHot: () => heat() > HOT,
      publisherChanged: (key) => claims.update(key),
    });
    this.#claims = claims;
    this.relay = relay;
    streams.follow(relay);
  }

  /** Call before the cluster has links. */
  join({ services, membership }: Pick<ClusterNode, "services" | "membership">, meter: PromMeter, scope: Scope): void {
    if (this.relay === undefined) return;
    this.#members = () => membership.rows;
    services.add(this.relay);
    scope.use(this.relay);
    scope.use(meterRelay(this.relay, meter));
  }

  /** Call once calls between nodes can be made. */
  serve(calls: NodeCalls, streams: Pick<StreamDirectory, "yieldTo">, policyOf: SessionPorts["policyOf"]): void {
    this.#calls = calls;
    calls.serveYields({
      async yieldTo(node, path) {
        const key = findStreamKey(path);
        return key === undefined || streams.yieldTo(node, key, policyOf(applicationOf(key)).publish);
      },
    });
  }

  /** What an edge publishes leaves it once: for an origin that all nodes choose alike, and ask first. */
  #originFor(key: StreamKey, { publisherAt }: StreamHome): readonly string[] {
    const rows = this.#members();
    const publisher = rows.find(({ record }) => record.id === publisherAt);
    if (publisher === undefined || publisher.record.roles.includes("origin")) return [];
    const origins = rows.filter(({ standing, record }) => standing === "ready" && record.roles.includes("origin"));
    const candidates = origins.map(({ record: { id } }) => ({ id, heat: 0, homeCount: 0 }));
    const chosen = place(BY_HASH, { key, present: undefined, loadToCome: 0 }, candidates);
    return chosen === undefined ? [] : [chosen];
  }

  /** A node that does not answer has lost the stream with its lease, and this node's claim waits for that. */
  async #askHolder(node: string, key: StreamKey): Promise<"free" | "taken"> {
    try {
      return (await this.#calls?.yieldStream(node, key)) === false ? "taken" : "free";
    } catch (error) {
      const failure = error instanceof RequestFailedError ? error.context.failure : "failed";
      return failure === "overloaded" || failure === "failed" ? "taken" : "free";
    }
  }

  /** Of a stream that this node has or wants. */
  routeOf(key: StreamKey): StreamRoute {
    const path = this.relay?.sourceOf(key)?.path ?? [];
    return { path, copies: [...(this.relay?.copiesOf(key) ?? [])].map(copyFacts) };
  }

  /** What the directory has of a stream; undefined where it has none. */
  findHome(key: StreamKey): StreamHomeFacts | undefined {
    const home = this.#directory?.findHome("stream", key);
    if (home === undefined) return undefined;
    const { home: node, publisherAt, publication } = home;
    return { home: node, publisherAt, publication, epoch: home.isConfirmed ? formatEpoch(home.epoch) : null };
  }

  /** The engine of the cluster has been reached: homes are known from now on. */
  open(directory: Directory): void {
    this.#directory = directory;
    this.relay?.follow(directory);
    this.#claims?.open(directory);
  }
}

function copyFacts({ node, counts, delay }: Copy): CopyFacts {
  const { bytes, frames, droppedVideo: video, droppedAudio: audio, droppedMessages: data } = counts;
  return { node, bytes, frames, delay, dropped: { video, audio, data } };
}
