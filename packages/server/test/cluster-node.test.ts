/** Nodes of a cluster inside the test process, on real sockets: who is refused, what is told, and what they ask each other. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { AdminEvent, NodeCounts, OwnNodeRow } from "@sluice/client/admin-contract";
import type { Incarnation } from "@sluice/mesh/hello";
import { RequestFailedError } from "@sluice/mesh/requests";
import { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { SystemClock } from "@sluice/runtime/system-clock";
import { meterCluster } from "@sluice/server/cluster/cluster-meter";
import { ClusterNode, type ClusterNodeOptions } from "@sluice/server/cluster/cluster-node";
import { DataFolderError, nextIncarnation } from "@sluice/server/cluster/incarnation";
import { DEFAULT_CLUSTER_LIMITS } from "@sluice/server/cluster/limits";
import { readMemberList } from "@sluice/server/cluster/member-list";
import { type MemberOrder, NodeCalls } from "@sluice/server/cluster/node-calls";
import { loadConfig } from "@sluice/server/config/load-config";
import { linkRows, nodesAnswer } from "@sluice/server/node/node-rows";
import { settingsDigest } from "@sluice/server/node/settings-digest";
import { until } from "@sluice/testkit/until";
import { NODE } from "./admin-fakes.ts";
import { LogRecorder } from "./sessions-fixture.ts";

const SECRET = Buffer.from("a secret of the tests");
const clock = new SystemClock();

interface Node extends AsyncDisposable {
  readonly cluster: ClusterNode;
  readonly calls: NodeCalls;
  readonly address: string;
  readonly log: LogRecorder;
  readonly events: AdminEvent[];
  readonly meter: PromMeter;
  /** What it was told to do. */
  readonly done: string[];
  counts: unknown;
}

type More = Partial<ClusterNodeOptions> & { readonly secrets?: readonly Uint8Array[] };

/** A node with a port of this machine, dialling `seeds`. */
async function open(id: string, seeds: readonly Node[] = [], more: More = {}): Promise<Node> {
  const log = new LogRecorder();
  const events: AdminEvent[] = [];
  const meter = new PromMeter({ processMetrics: "off" });
  const cluster = new ClusterNode({
    id,
    incarnation: 1 as Incarnation,
    roles: ["origin", "edge"],
    version: "0.1.0",
    settings: "s",
    proof: { secrets: () => more.secrets ?? [SECRET], dialTls: { plain: "within-this-machine" }, listenTls: undefined },
    listen: { host: "127.0.0.1", port: 0 },
    publicAddress: undefined,
    seeds: seeds.map(({ address }) => ({
      host: "127.0.0.1",
      port: Number(address.split(":").at(-1)),
      properties: { from: id },
    })),
    resolve: async () => [],
    interfaces: () => ({}),
    tell: (event) => void events.push(event),
    crypto: NODE_CRYPTO,
    clock,
    random: Math.random,
    log: log.log,
    meter,
    limits: DEFAULT_CLUSTER_LIMITS,
    ...more,
  });
  const done: string[] = [];
  const node = { counts: NODE as unknown };
  const calls = new NodeCalls({
    actions: {
      counts: () => node.counts as NodeCounts,
      kick: (session, reason) => done.push(`kick ${session} ${reason}`) > 0 && session === "0001",
      drain: (from) => void done.push(`drain by ${from}`),
      members: () =>
        id === "b" ? { leader: "b", members: [{ id: "b", role: "voter", address: "127.0.0.1:7935" }] } : undefined,
      changeMember: async (order) => (order.id === "gone" ? "" : `not ${order.type} ${order.id}`),
    },
    clock,
    limits: {
      calls: 4,
      answer: 20_000 as Millis,
      streamYield: 5_000 as Millis,
      objectChange: 1_000 as Millis,
      memberChange: 20_000 as Millis,
    },
  });
  cluster.services.add(calls);
  meterCluster(cluster, meter);
  const address = (await cluster.start()) ?? "";
  cluster.dial();
  cluster.serve({ rtmp: "127.0.0.1:1935" });
  cluster.membership.announce("ready");
  const rest = { cluster, calls, address, log, events, meter, done, [Symbol.asyncDispose]: () => cluster.close() };
  return Object.assign(node, rest);
}

const linked = (...nodes: readonly Node[]): Promise<unknown> =>
  until("links of all with all", () =>
    nodes.every(
      ({ cluster }) => [...cluster.membership.rows].filter((row) => row.isLinked).length === nodes.length - 1,
    ),
  );

test("[NOD1] each life has a higher number than the one before", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-life-"));
  const at = (seconds: number): number => nextIncarnation(join(folder, "cluster"), (seconds * 1_000) as Millis);
  assert.deepEqual([at(1_000), at(1_000), at(500), at(2_000)], [1_000, 1_001, 1_002, 2_000]);
  assert.equal(readFileSync(join(folder, "cluster", "incarnation"), "utf8"), "2000\n");
  writeFileSync(join(folder, "cluster", "incarnation"), "nonsense");
  assert.equal(at(3_000), 3_000);
  writeFileSync(join(folder, "file"), "");
  assert.throws(() => nextIncarnation(join(folder, "file", "cluster"), 0 as Millis), DataFolderError);
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

test("[NOD2] a second process under an id is refused while the first lives, and both operators read why", async () => {
  await using a = await open("a");
  await using b = await open("b", [a]);
  await linked(a, b);
  await using twin = await open("b", [a], { incarnation: 2 as Incarnation });
  const [refused] = await twin.log.heard("No link to node");
  assert.match(String(refused?.["reason"]), /refused by the other side: another process runs under its id/);
  const [refuses] = await a.log.heard("Refused a connection to the cluster port");
  assert.match(String(refuses?.["reason"]), /refused by this side: another process runs under its id/);
  assert.equal(a.cluster.membership.find("b")?.record.incarnation, 1);
  assert.match(await a.meter.page(), /sluice_cluster_refusals_total\{reason="twin",by="here"\} \d/);
});

test("[NOD2] an earlier life than the known one is refused", async () => {
  await using a = await open("a");
  {
    await using b = await open("b", [a], { incarnation: 9 as Incarnation });
    await linked(a, b);
  }
  await until("the leave", () => a.cluster.membership.find("b")?.standing === "left");
  await using earlier = await open("b", [a], { incarnation: 8 as Incarnation });
  const [refused] = await earlier.log.heard("No link to node");
  assert.match(String(refused?.["reason"]), /a later life of its id is known/);
});

test("[NOD11] two that name each other have one link, and each sees its own properties of the other", async () => {
  await using a = await open("a");
  await using b = await open("b", [a]);
  await using c = await open("c", [a, b]);
  await linked(a, b, c);
  const seen = [a, b, c].map(({ cluster }) => ["a", "b", "c"].map((id) => cluster.findSeed(id)?.properties["from"]));
  assert.deepEqual(seen, [
    [undefined, undefined, undefined],
    ["b", undefined, undefined],
    ["c", "c", undefined],
  ]);
  assert.deepEqual(
    linkRows({ cluster: c.cluster, clock })
      .map(({ peer }) => peer)
      .sort(),
    ["a", "b"],
  );
});

test("[NOD23] each link and each node is told once", async () => {
  await using a = await open("a");
  {
    await using b = await open("b", [a]);
    await linked(a, b);
    assert.ok(a.events.some((event) => event.type === "link-up" && event.peer === "b" && event.direction === "in"));
    assert.ok(b.events.some((event) => event.type === "link-up" && event.peer === "a" && event.direction === "out"));
  }
  await until("the end", () => a.events.some(({ type }) => type === "link-down"));
  const told = a.events.map(({ type }) => type).sort();
  assert.deepEqual(told, ["link-down", "link-up", "node-joined", "node-left"]);
  assert.equal(a.log.of("Linked with node").length, 1);
  assert.deepEqual(
    a.log.of("Link to node ended").map((fields) => [fields["peer"], fields["reason"]]),
    [["b", "goodbye"]],
  );
  const page = await a.meter.page();
  assert.match(page, /sluice_cluster_links_lost_total\{how="goodbye"\} 1/);
  assert.match(
    page,
    /sluice_cluster_link_messages_total\{direction="in"\} [1-9]/,
    "what the ended link carried counts",
  );
  assert.match(page, /sluice_cluster_nodes\{state="left"\} 1/);
});

test("[NOD23] an address where nobody is makes one line, however often it is dialled", async () => {
  const gone = await open("gone");
  await gone[Symbol.asyncDispose]();
  await using a = await open("a", [gone]);
  await until("several attempts", async () => /cluster_dials_failed_total [3-9]/.test(await a.meter.page()));
  assert.equal(a.log.of("No link to node").length, 1);
});

test("[NOD24] without a secret nothing beyond this machine is believed", async () => {
  await using a = await open("a", [], { secrets: [] });
  await using far = await open("far", [a], { secrets: [], publicAddress: "192.0.2.1:7935" });
  const [refused] = await far.log.heard("No link to node");
  assert.match(String(refused?.["reason"]), /beyond this machine, and no secret is set/);
  assert.equal(a.log.of("Nodes on this machine are trusted without a secret (cluster.secret)").length, 1);
});

test("[NOD30, NOD33] every node is asked how it is; one that answers nonsense, or not, is named", async () => {
  await using a = await open("a");
  await using b = await open("b", [a], { version: "0.2.0", settings: "other" });
  await using c = await open("c", [a]);
  await linked(a, b, c);
  b.counts = { ...NODE, sessions: 77 };
  const own = (): OwnNodeRow => ({ ...NODE, id: "a" });
  const ask = () => nodesAnswer({ ...a, own, clock });
  c.counts = { ...NODE, heat: "hot" };
  const { nodes, silent, stale } = await ask();
  assert.deepEqual([nodes.map(({ id }) => id), silent, stale], [["a", "b", "c"], ["c"], false]);
  assert.deepEqual(
    nodes.map(({ sessions }) => sessions),
    [NODE.sessions, 77, null],
  );
  assert.deepEqual(
    nodes.map(({ differs }) => differs),
    [[], ["version", "auth"], []],
  );
  assert.deepEqual(nodes[1]?.addresses, { rtmp: "127.0.0.1:1935", cluster: b.address });
  c.cluster.membership.describe({ heat: 0.5 });
  await until("the heat that it told by itself", async () => (await ask()).nodes[2]?.heat === 0.5);
  await c.cluster.close();
  await until("the leave", () => a.cluster.membership.find("c")?.standing === "left");
  const after = await ask();
  assert.deepEqual([after.nodes[2]?.state, after.nodes[2]?.load, after.silent], ["left", null, []]);
});

test("[NOD408] members are asked about members; a node that is none says so, and what it was not asked well is refused", async () => {
  await using a = await open("a");
  await using b = await open("b", [a]);
  await linked(a, b);
  assert.deepEqual(await a.calls.members("b"), {
    leader: "b",
    members: [{ id: "b", role: "voter", address: "127.0.0.1:7935" }],
  });
  await assert.rejects(b.calls.members("a"), /it is not a member/);
  const asked = (type: string, id: string): Promise<string> => a.calls.changeMember("b", { type, id } as MemberOrder);
  assert.deepEqual([await asked("remove", "gone"), await asked("replace", "c")], ["", "not replace c"]);
  await assert.rejects(asked("promote", "c"), /unknown order/);
});

test("[NOD408] an answer about members that cannot be read is none", () => {
  const row = { id: "a", role: "voter", address: "" };
  for (const value of [undefined, {}, { members: [{}] }, { members: [{ ...row, role: "king" }] }])
    assert.throws(() => readMemberList(value), RequestFailedError);
  assert.deepEqual(readMemberList({ leader: 3, members: [{ ...row, more: 1 }] }), { leader: null, members: [row] });
});

test("[NOD32] a session is ended and a node drained from afar; one that is not linked says so", async () => {
  await using a = await open("a");
  await using b = await open("b", [a]);
  await linked(a, b);
  assert.equal(await a.calls.kick("b", "0001", "bored"), true);
  assert.equal(await a.calls.kick("b", "0002", "bored"), false);
  await a.calls.drain("b");
  assert.deepEqual(b.done, ["kick 0001 bored", "kick 0002 bored", "drain by a"]);
  await assert.rejects(a.calls.drain("c"), /no link to the node/);
});

test("[NOD4] the engine adds to the hello, turns peers away, and says who is dead", async () => {
  await using a = await open("a");
  let gone = 0;
  a.cluster.consult({
    facts: () => new Map([["cluster", "c1"]]),
    judge: ({ id }) => (id === "c" ? "wrong-cluster" : undefined),
    isGone: (id) => id === "b" && ++gone > 0,
  });
  await using b = await open("b", [a], { listen: undefined }); // nobody can dial it
  await linked(a, b);
  assert.equal(b.cluster.mesh.links.get("a")?.peer.facts.get("cluster"), "c1");
  await using c = await open("c", [a]);
  const [refused] = await c.log.heard("No link to node");
  assert.match(String(refused?.["reason"]), /belongs to another cluster/);
  b.cluster.mesh.close("as if it were killed"); // and says nothing of leaving
  await until("its death", () => a.events.some((event) => event.type === "node-dead" && event.id === "b"));
  assert.ok(gone > 0);
});

test("[NOD31] files of auth.* count by what they hold, other keys by their values", () => {
  const files: Record<string, string> = {
    "/a": "the same secret of it",
    "/b": "the same secret of it",
    "/c": "x".repeat(16),
  };
  const readFile = (path: string): string => files[path] ?? "";
  const digest = (...sets: readonly string[]): string =>
    settingsDigest(loadConfig({ sets, env: {}, file: "none", hostname: "box", cwd: "/", readFile }));
  assert.equal(digest("auth.jwt.secretFile=/a"), digest("auth.jwt.secretFile=/b", "rtmp.port=1", "node.id=x"));
  assert.notEqual(digest("auth.jwt.secretFile=/a"), digest("auth.jwt.secretFile=/c"));
  assert.notEqual(digest(), digest("auth.address.deny=10.0.0.0/8"));
  assert.notEqual(digest(), digest("applications.live.auth.publish=jwt", "auth.jwt.secretFile=/a"));
});
