/** Whole servers of one cluster in one test process, asked over their own API. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { NodesAnswer, SessionRow } from "@sluice/client/admin-contract";
import { freePort } from "@sluice/testkit/free-port";
import { until } from "@sluice/testkit/until";
import { LogRecorder, openServer, RtmpPeer, type RunningServer } from "./sessions-fixture.ts";
import { TEST_CERT, TEST_KEY } from "../../runtime/test/tls-fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-servers-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function open(id: string, sets: readonly string[], log = new LogRecorder()): Promise<RunningServer> {
  const own = [`node.id=${id}`, `data.dir=${join(folder, id)}`, "cluster.port=0", "engine.kind=off"];
  return openServer([...own, ...sets], log.log);
}

const seedOf = (server: RunningServer): string => `cluster.seeds=127.0.0.1:${server.portOf("cluster")}`;

/** How `server` sees the node, once it suits. */
async function seen(server: RunningServer, id: string, state: string): Promise<NodesAnswer> {
  return until(`${id} as ${state}`, async () => {
    const answer = (await server.get("/api/v1/nodes")) as NodesAnswer;
    return answer.nodes.some((row) => row.id === id && row.state === state) && answer;
  });
}

test("[NOD35] a node whose engine is not there is not ready to the others either", async () => {
  await using a = await open("a", []);
  const engine = ["engine.kind=redis", `engine.url=redis://127.0.0.1:${await freePort()}`];
  await using b = await open("b", [seedOf(a), ...engine]);
  const { nodes } = await seen(a, "b", "starting");
  assert.equal(nodes.find(({ id }) => id === "b")?.linked, true);
  await seen(b, "a", "ready");
});

test("[NOD21] nodes with authorities prove themselves by certificate, and take nobody without one", async () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const [cert, key] = [file("node.pem", TEST_CERT), file("node.key", TEST_KEY)];
  const tls = [`cluster.tls.cert=${cert}`, `cluster.tls.key=${key}`, `cluster.tls.ca=${cert}`];
  const log = new LogRecorder();
  await using a = await open("e", tls, log);
  await using b = await open("f", [seedOf(a), ...tls]);
  await seen(a, "f", "ready");
  await using without = await open("g", [seedOf(a)]);
  await log.heard("Refused a connection to the cluster port");
  assert.equal(((await without.get("/api/v1/nodes")) as NodesAnswer).nodes.length, 1);
  assert.equal(((await b.get("/api/v1/nodes")) as NodesAnswer).nodes.length, 2);
});

test("[NOD32] any node ends a session of another, and takes another out of service", async () => {
  await using a = await open("c", []);
  await using b = await open("d", [seedOf(a)]);
  await seen(a, "d", "ready");
  await using peer = new RtmpPeer(b.rtmpPort).play("anything");
  const { id } = await until("the session", async () => {
    const { sessions } = (await b.get("/api/v1/sessions")) as { readonly sessions: readonly SessionRow[] };
    return sessions[0];
  });
  const kick = (session: string, node: string): Promise<number> =>
    fetch(`http://127.0.0.1:${a.httpPort}/api/v1/sessions/${session}?node=${node}`, { method: "DELETE" }).then(
      ({ status }) => status,
    );
  assert.deepEqual([await kick("zzzz", "d"), await kick(id, "nobody"), await kick(id, "d")], [404, 404, 204]);
  await peer.closed;
  const drain = await fetch(`http://127.0.0.1:${a.httpPort}/api/v1/nodes/d/drain`, { method: "POST" });
  assert.equal(drain.status, 202);
  await seen(a, "d", "left");
});

test("[NOD36] the heat of a node is that of its fullest resource, and the others hear of it", async () => {
  await using a = await open("h", []);
  await using b = await open("i", [seedOf(a), "limits.memory=1MiB"]);
  await seen(a, "i", "ready");
  await until("a node beyond its memory to be hot", async () => (await b.metric("node_heat")) === 1);
  const heat = async (): Promise<unknown> => {
    const { nodes } = (await a.get("/api/v1/nodes")) as NodesAnswer;
    return nodes.find(({ id }) => id === "i")?.heat;
  };
  assert.equal(await heat(), 1);
});
