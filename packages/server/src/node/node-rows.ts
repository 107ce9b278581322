/** Nodes and links as the admin contract shows them: what all know of a node, and what it says itself within a moment. */
import type {
  LinkClassRow,
  LinkRow,
  NodeCounts,
  NodeFacts,
  NodeRole,
  NodeRow,
  NodesAnswer,
  OwnNodeRow,
} from "@sluice/client/admin-contract";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { ChannelClass } from "@sluice/mesh/channel";
import type { Link } from "@sluice/mesh/link";
import type { NodeRow as KnownNode } from "@sluice/mesh/membership/membership-view";
import type { MeshLink } from "@sluice/mesh/mesh";
import type { ClusterNode } from "../cluster/cluster-node.ts";
import type { NodeCalls } from "../cluster/node-calls.ts";
import { isoTime } from "./rows.ts";

export interface NodeRowsOptions {
  readonly cluster: ClusterNode;
  readonly calls: NodeCalls;
  readonly own: () => OwnNodeRow;
  readonly clock: Clock;
}

/** Never rejects: a node that does not answer in time is listed as silent, and its row has what others know of it. */
export async function nodesAnswer({ cluster, calls, own }: NodeRowsOptions): Promise<NodesAnswer> {
  const { membership } = cluster;
  const self = own();
  const settings = membership.find(self.id)?.record.settings ?? "";
  const silent: string[] = [];
  const rows = membership.rows.map(async (known): Promise<NodeRow> => {
    const { id } = known.record;
    const seed = cluster.findSeed(id)?.properties ?? null;
    if (id === self.id) return { ...self, seed, addresses: { ...self.addresses, ...known.record.addresses } };
    const counts = await calls.counts(id).catch(() => undefined);
    if (counts === undefined && known.standing !== "left" && known.standing !== "dead") silent.push(id);
    return { ...factsOf(known, { seed, self, settings }), ...(counts ?? { ...UNKNOWN, heat: known.record.heat }) };
  });
  const nodes = await Promise.all(rows);
  return { nodes: nodes.sort((a, b) => (a.id < b.id ? -1 : 1)), silent: silent.sort(), stale: membership.isStale };
}

const UNKNOWN: { readonly [Name in Exclude<keyof NodeCounts, "heat">]: null } = {
  engine: null,
  load: null,
  uptimeSeconds: null,
  sessions: null,
  streams: null,
  bytesIn: null,
  bytesOut: null,
  open: null,
  reasons: null,
};

const ROLES: readonly string[] = ["origin", "edge", "voter"] satisfies readonly NodeRole[];

function factsOf(
  { record, standing, isLinked }: KnownNode,
  { seed, self, settings }: { readonly seed: NodeFacts["seed"]; readonly self: OwnNodeRow; readonly settings: string },
): NodeFacts {
  const differs: ("version" | "auth")[] = [];
  if (record.build !== self.version) differs.push("version");
  if (record.settings !== settings) differs.push("auth");
  return {
    id: record.id,
    self: false,
    incarnation: record.incarnation,
    version: record.build,
    roles: record.roles.filter((role) => ROLES.includes(role)) as NodeRole[],
    state: standing,
    linked: isLinked,
    addresses: record.addresses,
    since: isoTime(Math.min(record.since, LATEST) as Millis),
    seed,
    differs,
  };
}

/** Latest time of a Date; a peer's number may be anything. */
const LATEST = 8.64e15;

export function linkRows({ cluster, clock }: Pick<NodeRowsOptions, "cluster" | "clock">): readonly LinkRow[] {
  const links = [...cluster.mesh.links.values()];
  return links.flatMap((link) => (link.driver.link === undefined ? [] : [linkRow(link, link.driver.link, clock)]));
}

function linkRow({ peer, driver, address, since }: MeshLink, link: Link, clock: Clock): LinkRow {
  const { bytesIn, bytesOut, messagesIn, messagesOut } = link.counts;
  return {
    peer: peer.id,
    direction: driver.side === "dial" ? "out" : "in",
    address,
    since: isoTime((clock.wall() - (clock.now() - since)) as Millis),
    rtt: link.rtt === undefined ? null : Math.round(link.rtt * 1_000) / 1_000,
    bytesIn,
    bytesOut,
    messagesIn,
    messagesOut,
    classes: {
      control: classRow(link, "control"),
      state: classRow(link, "state"),
      media: classRow(link, "media"),
      bulk: classRow(link, "bulk"),
    },
  };
}

function classRow(link: Link, kind: ChannelClass): LinkClassRow {
  let [queued, credit] = [0, 0];
  for (const channel of link.channels) {
    if (channel.class !== kind) continue;
    queued += channel.queuedBytes;
    credit += channel.credit;
  }
  return { queued, credit, drops: Object.fromEntries(link.counts.drops[kind]) };
}
