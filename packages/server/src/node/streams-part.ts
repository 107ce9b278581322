/** Streams of other nodes: what viewers of this node want is taken from there, and what others want is given. */
import type { Clock } from "@sluice/base/clock";
import type { Scope } from "@sluice/base/scope";
import type { Directory } from "@sluice/cluster/directory/directory";
import { HOT } from "@sluice/cluster/placement";
import { Relay } from "@sluice/cluster/relay/relay";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import { applicationOf } from "@sluice/media/stream-key";
import type { ClusterNode } from "../cluster/cluster-node.ts";
import type { SluiceConfig } from "../config/load-config.ts";

export interface StreamsPartOptions {
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly streams: StreamDirectory;
  /** 0 to 1. */
  readonly heat: () => number;
}

export class StreamsPart {
  /** Undefined for a node alone. */
  readonly relay: Relay | undefined;

  constructor({ config, clock, streams, heat }: StreamsPartOptions) {
    if (!config.isClustered) return;
    this.relay = new Relay({
      self: config.node.id,
      streams,
      clock,
      isShared: (key) => config.forApplication(applicationOf(key)).cluster === "shared",
      graceOf: (key) => config.forApplication(applicationOf(key)).grace.windowMs,
      from: () => config.relay.from,
      isHot: () => heat() > HOT,
    });
    streams.follow(this.relay);
  }

  /** Call before the cluster has links. */
  join({ services }: Pick<ClusterNode, "services">, scope: Scope): void {
    if (this.relay === undefined) return;
    services.add(this.relay);
    scope.use(this.relay);
  }

  /** The engine of the cluster has been reached: homes are known from now on. */
  open(directory: Directory): void {
    this.relay?.follow(directory);
  }
}
