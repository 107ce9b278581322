/** A node's port for Redis clients: the listener, its view of the cluster, and Sentinel events. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { SentinelEvent } from "@sluice/cache/resp/sentinel-events";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import { formatAddress, isUnspecified, splitAddress } from "@sluice/runtime/sockets/host-and-port";
import type { OwnMember } from "../members/member-identity.ts";
import type { MemberTransport } from "../members/member-transport.ts";
import type { PeerPins } from "../members/peer-pins.ts";
import { adminCommands, ClusterAdmin } from "../node/cluster-admin.ts";
import type { ClusterChanges } from "../node/cluster-changes.ts";
import { NodeClusterView } from "../node/cluster-view.ts";
import type { RespLimits } from "../node/limits.ts";
import type { RespOptions } from "../node/node-options.ts";
import type { ReplicaDriver } from "../node/replica-driver.ts";
import { SentinelWatch } from "../node/sentinel-watch.ts";
import type { NodeStore } from "../store/node-store.ts";
import type { ReplicatedStore } from "./command-store.ts";
import { type InfoLines, infoLinesOf } from "./info-lines.ts";
import { RespListener } from "./resp-listener.ts";
import { RespTraffic } from "./resp-traffic.ts";

export interface RespPortOptions {
  readonly at: RespOptions;
  /** Address for other nodes, if the listener is on all addresses. */
  readonly host: string;
  readonly limits: RespLimits;
  readonly commands: ReplicatedStore;
  readonly changes: ClusterChanges;
  readonly driver: ReplicaDriver<OperationAnswer>;
  readonly store: NodeStore;
  readonly own: OwnMember;
  readonly peers: PeerPins;
  readonly transport: MemberTransport;
  /** A member not heard for longer counts as down. */
  readonly silentAfter: Millis;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
}

export class RespPort {
  readonly listener: RespListener;
  readonly sentinel: SentinelWatch;
  readonly #options: RespPortOptions;
  readonly #traffic: RespTraffic;

  constructor(options: RespPortOptions) {
    const { at, limits, commands: store, changes, driver, own, peers, transport, silentAfter, clock } = options;
    this.#options = options;
    this.#traffic = new RespTraffic(clock.now());
    const cluster = new NodeClusterView({
      driver,
      peers,
      transport,
      own,
      silentAfter,
      infoLines: (section) => this.#infoLines(section),
    });
    this.listener = new RespListener({
      backend: { store, cluster, counts: this.#traffic },
      commands: adminCommands(new ClusterAdmin({ driver, cluster, state: store.state, changes })),
      password: at.password,
      traffic: this.#traffic,
      clock,
      log: options.log,
      meter: options.meter,
      limits,
    });
    const publish = ({ channel, message }: SentinelEvent): void => this.listener.publish(channel, message);
    this.sentinel = new SentinelWatch({ cluster, clock, publish });
  }

  /** @returns `host:port` as bound. @throws {ListenError} */
  async open(): Promise<string> {
    const { at, host, own } = this.#options;
    const bound = await this.listener.open(at);
    own.clients = formatAddress({ host: isUnspecified(at.host) ? host : at.host, port: splitAddress(bound).port });
    return bound;
  }

  async close(): Promise<void> {
    this.sentinel.close();
    await this.listener.close();
  }

  #infoLines(section: string): InfoLines {
    const { at, own, driver, transport, store, clock, limits } = this.#options;
    return infoLinesOf(section, {
      status: driver.status(),
      droppedMessages: transport.droppedCount,
      syncedIndex: store.syncedIndex,
      traffic: this.#traffic,
      now: clock.now(),
      port: own.clients === "" ? at.port : splitAddress(own.clients).port,
      maxClients: limits.clients,
      clientBytes: this.listener.load.heldBytes,
    });
  }
}
