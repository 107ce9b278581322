/** Metrics of the cluster as this node sees it: read when a page is requested. */
import type { Counter, Meter } from "@sluice/base/meter";
import { CHANNEL_CLASSES, type ChannelClass } from "@sluice/mesh/channel";
import type { Link } from "@sluice/mesh/link";
import type { LinkService } from "@sluice/mesh/link-services";
import type { NodeStanding } from "@sluice/mesh/membership/membership-view";
import type { MeshLink } from "@sluice/mesh/mesh";
import type { ClusterNode } from "./cluster-node.ts";

const STANDINGS = [
  "starting",
  "ready",
  "draining",
  "suspect",
  "left",
  "dead",
] as const satisfies readonly NodeStanding[];

/** Totals of an established link. */
const TOTALS = ["bytesIn", "bytesOut", "messagesIn", "messagesOut"] as const;

export function meterCluster(
  cluster: ClusterNode,
  meter: Meter & { beforePage(refresh: () => void): Disposable },
): Disposable {
  const growth = new LinkGrowth(meter);
  cluster.services.add(growth);
  return meter.beforePage(() => {
    const { mesh, membership } = cluster;
    const links = [...mesh.links.values()].flatMap(({ driver }) => driver.link ?? []);
    meter.gauge("cluster_links", "Links to other nodes").set(links.length);
    meter
      .gauge("cluster_view_stale", "1 while it is unknown whether a suspect node is dead")
      .set(Number(membership.isStale));
    const { rows } = membership;
    for (const state of STANDINGS) {
      const found = rows.filter(({ standing }) => standing === state).length;
      meter.gauge("cluster_nodes", "Nodes that this node knows, itself included, by state", { state }).set(found);
    }
    for (const kind of CHANNEL_CLASSES) {
      meter
        .gauge("cluster_link_queued_bytes", "Bytes queued on links, by class", { class: kind })
        .set(links.reduce((sum, link) => sum + queuedOf(link, kind), 0));
    }
    for (const link of links) growth.count(link);
  });
}

function queuedOf(link: Link, kind: ChannelClass): number {
  let sum = 0;
  for (const channel of link.channels) if (channel.class === kind) sum += channel.queuedBytes;
  return sum;
}

/** Adds to counters what links have carried since the last reading, and the totals of ended ones. */
class LinkGrowth implements LinkService {
  readonly names: readonly string[] = [];
  readonly #counters: Readonly<Record<(typeof TOTALS)[number], Counter>>;
  readonly #meter: Meter;
  readonly #seen = new WeakMap<Link, Map<string, number>>();

  constructor(meter: Meter) {
    const bytes = (direction: string): Counter =>
      meter.counter("cluster_link_bytes_total", "Bytes over links to other nodes, by direction", { direction });
    const messages = (direction: string): Counter =>
      meter.counter("cluster_link_messages_total", "Messages over links to other nodes, by direction", { direction });
    this.#meter = meter;
    this.#counters = {
      bytesIn: bytes("in"),
      bytesOut: bytes("out"),
      messagesIn: messages("in"),
      messagesOut: messages("out"),
    };
  }

  up(): void {}

  happened(): void {}

  down({ driver }: MeshLink): void {
    if (driver.link !== undefined) this.count(driver.link);
  }

  count(link: Link): void {
    const before = this.#seen.get(link);
    const now = new Map<string, number>();
    const grow = (name: string, value: number, counter: Counter): void => {
      now.set(name, value);
      counter.add(value - (before?.get(name) ?? 0));
    };
    for (const name of TOTALS) grow(name, link.counts[name], this.#counters[name]);
    for (const kind of CHANNEL_CLASSES) {
      for (const [reason, dropped] of link.counts.drops[kind]) {
        grow(`${kind} ${reason}`, dropped, this.#dropsOf(kind, reason));
      }
    }
    this.#seen.set(link, now);
  }

  #dropsOf(kind: ChannelClass, reason: string): Counter {
    const labels = { class: kind, reason };
    return this.#meter.counter("cluster_link_drops_total", "Messages dropped on links, by class", labels);
  }
}
