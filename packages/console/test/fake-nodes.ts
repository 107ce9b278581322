// Nodes and links of a made-up cluster, for the fake server and for tests of the picture.
import type { LinkRow, NodeRow, OwnNodeRow } from "@sluice/client/admin-contract";
import { ago, nodeRow } from "./fake-rows.ts";

/** What the fake server answers of its cluster. */
interface FakeCluster {
  node: Partial<OwnNodeRow>;
  others: NodeRow[];
  links: LinkRow[];
  silent: string[];
}

export const SELF: Partial<OwnNodeRow> = {
  id: "media-1",
  incarnation: 1_790_000_000,
  roles: ["origin", "edge"],
  engine: "leader",
  heat: 0.31,
  addresses: { rtmp: "media-1.example:1935", http: "media-1.example:8080", cluster: "10.0.0.11:7935" },
};

export function otherNode(id: string, change: Partial<NodeRow> = {}): NodeRow {
  const addresses = { rtmp: `${id}.example:1935`, http: `${id}.example:8080`, cluster: `${id}.example:7935` };
  const own = nodeRow(0, { id, self: false, incarnation: 1_790_000_100, engine: "voter", heat: 0.2, addresses });
  return { ...own, sessions: 120, streams: 4, ...change };
}

const NONE_WAITS = { queued: 0, credit: 262_144, drops: {} };

export function linkRow(peer: string, change: Partial<LinkRow> = {}): LinkRow {
  return {
    peer,
    direction: "out",
    address: `${peer}.example:7935`,
    since: ago(3_600_000),
    rtt: 0.42,
    bytesIn: 4_000_000,
    bytesOut: 6_000_000,
    messagesIn: 12_000,
    messagesOut: 14_000,
    classes: { control: NONE_WAITS, state: NONE_WAITS, media: NONE_WAITS, bulk: NONE_WAITS },
    ...change,
  };
}

/** The counters of a link some ticks later; its message counts say how much it carries in one. */
export function carried(row: LinkRow, tick: number): LinkRow {
  return {
    ...row,
    bytesIn: row.bytesIn + tick * row.messagesIn,
    bytesOut: row.bytesOut + tick * row.messagesOut,
  };
}

/** Three nodes as they should be. */
export function three(server: FakeCluster): void {
  server.node = SELF;
  server.others = [otherNode("media-2"), otherNode("media-3", { heat: 0.72, sessions: 1_840 })];
  server.links = [linkRow("media-2"), linkRow("media-3", { rtt: 3.1, messagesOut: 900_000 })];
}

/** Twelve nodes of every kind, some of them in trouble. */
export function twelve(server: FakeCluster): void {
  server.node = SELF;
  const unknown = { heat: null, engine: null, load: null, uptimeSeconds: null, sessions: null, streams: null } as const;
  const edge = { roles: ["edge"], engine: "client" } as const;
  server.others = [
    otherNode("media-2"),
    otherNode("media-3", { heat: 0.91, sessions: 5_204 }),
    otherNode("edge-amsterdam-1", { ...edge, heat: 0.44, sessions: 12_345 }),
    otherNode("edge-amsterdam-2", { ...edge, heat: 0.66 }),
    otherNode("edge-frankfurt-with-a-long-name-1", { ...edge, version: "0.0.9", differs: ["version"] }),
    otherNode("edge-oslo-1", { ...edge, state: "draining", heat: 0.05 }),
    otherNode("edge-oslo-2", { ...edge, ...unknown, state: "suspect", linked: false }),
    otherNode("edge-paris-1", { ...edge, linked: false }),
    otherNode("edge-paris-2", { ...edge, ...unknown, state: "dead", linked: false }),
    otherNode("edge-rome-1", { ...edge, state: "starting", heat: 0 }),
    otherNode("voter-1", { roles: ["voter"], engine: "learner", heat: 0.01, sessions: 0, differs: ["auth"] }),
  ];
  server.silent = ["edge-oslo-2"];
  server.links = server.others.flatMap(({ id, linked }, index) =>
    linked ? [linkRow(id, { rtt: 0.3 + index ** 2 / 3, messagesOut: 700 * 5 ** (index % 7) })] : [],
  );
}
