/** Nodes that know each other, as processes: they find each other, miss each other, and turn away who does not belong. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { freePort } from "@sluice/testkit/free-port";
import { until } from "@sluice/testkit/until";
import { WorkFolder } from "./support/clip.ts";
import { allLinked, ClusterServer } from "./support/cluster-server.ts";
import { startServer } from "./support/server.ts";

const OFF = ["engine.kind: off"];
const SECRET = "secret: the secret of this cluster";

/** A; B with A as its seed; C with B as its seed. */
async function three(folder: WorkFolder, cluster: readonly string[], more: readonly string[] = OFF) {
  const start = (id: string, seed?: ClusterServer): Promise<ClusterServer> => {
    const seeds = seed === undefined ? [] : [`seeds: ${seed.address}`];
    return ClusterServer.start(folder, { id, cluster: ["port: 0", ...cluster, ...seeds], more });
  };
  const a = await start("a");
  const b = await start("b", a);
  const c = await start("c", b);
  await allLinked([a, b, c]);
  const stop = async (): Promise<void> => {
    for (const server of [a, b, c]) await server[Symbol.asyncDispose]();
  };
  return { a, b, c, [Symbol.asyncDispose]: stop };
}

test("[NOD40] three nodes that each know one list three, with their addresses and loads", async () => {
  using folder = new WorkFolder();
  await using nodes = await three(folder, [SECRET], []);
  const { a, b, c } = nodes;
  for (const server of [a, b, c]) {
    const { nodes: rows, silent, stale } = await server.nodes();
    assert.deepEqual([rows.map(({ id }) => id), silent, stale], [["a", "b", "c"], [], false]);
    assert.ok(rows.every(({ load, sessions, since }) => load !== null && sessions === 0 && Date.parse(since) > 0));
    assert.deepEqual(
      rows.map(({ addresses }) => addresses["rtmp"]),
      [a, b, c].map((one) => `127.0.0.1:${one.port("rtmp")}`),
    );
    assert.equal((await server.links()).length, 2);
  }
  const drained = await fetch(a.http("/api/v1/nodes/c/drain"), { method: "POST" });
  assert.equal(drained.status, 202);
  assert.equal((await c.child.exited).code, 0);
});

test("[NOD40] a node without a key of the cluster opens no port for others", async () => {
  await using alone = await startServer();
  assert.throws(() => alone.port("cluster"), /the ready line has none/);
  const { nodes } = await alone.get<{ readonly nodes: readonly { readonly incarnation: number }[] }>("/api/v1/nodes");
  assert.deepEqual(
    nodes.map(({ incarnation }) => incarnation),
    [0],
  );
});

test("[NOD41] a killed node is suspect and the view stale; started again it is one leave and one join", async () => {
  using folder = new WorkFolder();
  await using nodes = await three(folder, [SECRET]);
  const { a, b, c } = nodes;
  c.child.kill("SIGKILL");
  for (const server of [a, b]) {
    await server.node("c", ({ state, load }) => state === "suspect" && load === null);
    await until("a stale view", async () => (await server.nodes()).stale);
    assert.deepEqual((await server.nodes()).silent, ["c"]);
  }
  const again = { id: "c", cluster: ["port: 0", SECRET, `seeds: ${a.address}`], more: OFF };
  await using reborn = await ClusterServer.start(folder, again);
  await allLinked([a, b, reborn]);
  for (const server of [a, b]) {
    const told = ["Node left", "Node joined"].map((msg) =>
      server
        .said(msg)
        .filter(({ peer }) => peer === "c")
        .map(({ reason }) => reason ?? "joined"),
    );
    assert.deepEqual(told, [["restarted"], ["joined", "joined"]], server.id);
    assert.equal(server.said("Node is dead").length, 0);
    await until("a view that is not stale", async () => !(await server.nodes()).stale);
  }
});

test("[NOD46] a frozen process is missed only when it takes long, and comes back as the same", async () => {
  using folder = new WorkFolder();
  await using nodes = await three(folder, [SECRET]);
  const { a, b, c } = nodes;
  const SUSPECT = "Node is suspect: no node hears it";
  c.child.kill("SIGSTOP");
  await pause(2_000);
  c.child.kill("SIGCONT");
  await allLinked([a, b, c]);
  const missed = [a, b, c].flatMap((server) => server.said(SUSPECT));
  assert.deepEqual(missed, []);
  c.child.kill("SIGSTOP");
  for (const server of [a, b]) await server.heard(SUSPECT, ({ peer }) => peer === "c");
  c.child.kill("SIGCONT");
  for (const server of [a, b]) await server.heard("Node is heard again", ({ peer }) => peer === "c");
  await allLinked([a, b, c]);
  assert.deepEqual(c.said(SUSPECT), []);
  for (const server of [a, b]) {
    assert.equal(server.said("Node left").length, 0);
    assert.equal(server.said("Node joined").filter(({ peer }) => peer === "c").length, 1);
  }
});

test("[NOD42] a node that is told to stop has left everywhere at once", async () => {
  using folder = new WorkFolder();
  await using nodes = await three(folder, [SECRET]);
  const { a, b, c } = nodes;
  c.child.kill("SIGTERM");
  assert.equal((await c.child.exited).code, 0);
  for (const server of [a, b]) {
    await server.node("c", ({ state }) => state === "left");
    assert.equal((await server.heard("Node left"))["reason"], "goodbye");
    assert.equal(server.said("Node is suspect: no node hears it").length, 0);
  }
});

/** Says something, and waits until the connection is over. */
async function speak(port: number, bytes: string): Promise<void> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.resume().write(Buffer.from(bytes, "latin1"));
  await closed(socket);
}

/** Whether it ended with an error or without. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

test("[NOD43] strangers are refused with reasons, and the cluster goes on", async () => {
  using folder = new WorkFolder();
  await using nodes = await three(folder, [SECRET]);
  const { a, b, c } = nodes;
  const port = a.port("cluster");
  const wrong = {
    id: "d",
    cluster: ["port: 0", "secret: another secret than theirs", `seeds: ${a.address}`],
    more: OFF,
  };
  await using stranger = await ClusterServer.start(folder, wrong);
  const why = String((await stranger.heard("No link to node"))["reason"]);
  assert.match(why, /the secrets differ/);
  const REFUSED = "Refused a connection to the cluster port";
  await a.heard(REFUSED, ({ reason }) => String(reason).includes("the secrets differ"));
  const { nodes: seen } = await stranger.nodes();
  assert.deepEqual(
    seen.map(({ id }) => id),
    ["d"],
  );
  await stranger.child.stop(); // its attempts come from the same address, and lines about one are folded
  await speak(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await a.heard(REFUSED, ({ reason }) => String(reason).includes("speaks HTTP"));
  const tls = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }).on("error", () => {});
  await closed(tls);
  await a.heard(REFUSED, ({ reason }) => String(reason).includes("speaks TLS"));
  await speak(port, "\x00\x00\x04\x01\x00\x00\x00\x00junk");
  await a.heard(REFUSED, ({ reason }) => String(reason).includes("no node of a cluster"));
  assert.ok((await a.metric("sluice_cluster_refusals_total", 'reason="wrong-secret"')) > 0);
  await allLinked([a, b, c]);
  assert.equal((await a.nodes()).nodes.length, 3);
});

test("[NOD44] the secret is changed in three steps, and no link is lost", async () => {
  using folder = new WorkFolder();
  const [first, second] = ["the first secret of all", "the second secret of all"];
  await using nodes = await three(folder, [`secret: ${first}`]);
  const servers = [nodes.a, nodes.b, nodes.c];
  const steps = [
    [`secret: ${first}`, `secretAlso: ${second}`],
    [`secret: ${second}`, `secretAlso: ${first}`],
    [`secret: ${second}`],
  ];
  for (const [index, step] of steps.entries()) {
    for (const [at, server] of servers.entries()) {
      await server.reread(["port: 0", ...step, ...(at === 0 ? [] : [`seeds: ${servers[at - 1]?.address}`])], OFF);
    }
    const guest = { id: `guest-${index}`, cluster: ["port: 0", ...step, `seeds: ${nodes.a.address}`], more: OFF };
    await using fresh = await ClusterServer.start(folder, guest);
    await allLinked([fresh, ...servers]);
  }
  for (const server of servers) {
    const lost = server.said("Link to node ended").filter(({ peer }) => !String(peer).startsWith("guest"));
    assert.deepEqual(lost, []);
  }
  const late = { id: "late", cluster: ["port: 0", `secret: ${first}`, `seeds: ${nodes.a.address}`], more: OFF };
  await using refused = await ClusterServer.start(folder, late);
  assert.match(String((await refused.heard("No link to node"))["reason"]), /the secrets differ/);
});

test("[NOD11, NOD45] nodes that name each other have one link; a seed's properties are seen where they are written", async () => {
  using folder = new WorkFolder();
  const [portA, portB] = [await freePort(), await freePort()];
  const node = (id: string, own: number, seed: string) =>
    ClusterServer.start(folder, { id, cluster: [`port: ${own}`, `seeds: 127.0.0.1:${seed}`], more: OFF });
  await using a = await node("a", portA, `${portB}?type=master&zone=x`);
  await using b = await node("b", portB, String(portA));
  await allLinked([a, b]);
  await until("one link", async () => (await a.links()).length === 1 && (await b.links()).length === 1);
  const [seen] = [await a.node("b", () => true)];
  assert.deepEqual(seen.seed, { type: "master", zone: "x" });
  assert.deepEqual((await b.node("a", () => true)).seed, {});
  assert.equal((await b.node("b", () => true)).seed, null);
  const [link] = await a.links();
  const [back] = await b.links();
  assert.deepEqual([link?.peer, back?.peer, link?.direction === back?.direction], ["b", "a", false]);
});
