/** Shared objects over WebSocket: a person at a terminal, programs in both encodings and an RTMP client on one object, and those who misbehave. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import type { AmfValue } from "@sluice/amf/value";
import type { SharedObjectEvent } from "@sluice/rtmp/shared-object-message";
import { FaultProxy } from "@sluice/testkit/fault-proxy";
import { until } from "@sluice/testkit/until";
import { WebSocket } from "ws";
import { allLinked, ClusterServer } from "./support/cluster-server.ts";
import { NetPeer } from "./support/net-peer.ts";
import { connectPeer, type PeerOptions, type RtmpPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import { makeCertificate, WorkFolder } from "./support/clip.ts";

let folder: WorkFolder;
let server: Server;

before(async () => {
  folder = new WorkFolder();
  const { cert, key } = makeCertificate(folder);
  const tls = ["https.port=0", `tls.cert=${cert}`, `tls.key=${key}`];
  server = await startServer({ set: [`data.dir=${folder.path}`, ...tls] });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("a person at a terminal types JSON lines and reads what happens", async () => {
  await using other = await new NetPeer(server.http("/terminal"), { encoding: "msgpack" }).connect();
  await other.open("ball");
  const lines: string[] = [];
  const terminal = new WebSocket(server.http("/terminal").replace("http", "ws"), "sluice.v1");
  terminal.on("message", (line: Buffer, isBinary) => lines.push(isBinary ? "binary" : line.toString()));
  await until("an upgrade", () => (terminal.readyState === 1 ? true : undefined));
  const type = async (line: string, answers: number): Promise<void> => {
    terminal.send(line);
    await until(`${answers} lines`, () => (lines.length >= answers ? true : undefined));
  };
  await type('{"type":"connect","id":1}', 1);
  await type('{"type":"open","id":2,"name":"ball"}', 3);
  await type(
    '{ "type": "write", "id": 3, "object": "terminal/ball", "operations": [ { "type": "set", "name": "x", "value": 12 } ] }',
    5,
  );
  await other.sees("terminal/ball", "x", 12);
  const client = (JSON.parse(lines[0] ?? "") as { client: string }).client;
  assert.match(
    lines[2] ?? "",
    /^\{"type":"snapshot","object":"terminal\/ball","at":"[\d.]+\/1",.*"properties":\[\],"dropped":0\}$/,
  );
  assert.match(lines[3] ?? "", /^\{"type":"change",.*"operations":\[\{"type":"set","name":"x","value":12\}\],"by":/);
  assert.ok(lines[3]?.endsWith(`"by":{"client":"${client}","id":3}}`), lines[3]);
  assert.match(lines[4] ?? "", /^\{"type":"answer","id":3,"status":"success","at":"[\d.]+\/2"\}$/);
  terminal.terminate();
});

test("JSON and MessagePack clients, one by TLS, and RTMP clients, one over WebSocket, share one object and end equal", async () => {
  await using text = await new NetPeer(server.http("/game/table")).connect();
  const secure = `https://127.0.0.1:${server.port("https")}/game`;
  await using binary = await new NetPeer(secure, { encoding: "msgpack" }).connect();
  await using flash = await usePeer({ port: server.port(), app: "game" });
  await using page = await usePeer({ port: server.port("http"), over: "web-socket", app: "game" });
  assert.equal((await text.open("ball")).object, "game/table/ball");
  assert.equal((await binary.open("table/ball")).object, "game/table/ball");

  tellObject(flash, { type: "request-change", properties: [["position", { x: 1, y: 2.5 }]] });
  const position = (peer: NetPeer): unknown => peer.objects.get("game/table/ball")?.get("position");
  for (const peer of [text, binary]) {
    await until("the change of the RTMP client", () => (position(peer) === undefined ? undefined : true));
    assert.deepEqual({ ...(position(peer) as object) }, { x: 1, y: 2.5 });
  }
  await binary.write("game/table/ball", { type: "set", name: "when", value: new Date(1_700_000_000_123) });
  const bump = { type: "message", name: "bump", arguments: [1] } as const;
  await text.write("game/table/ball", { type: "set", name: "x", value: 7 }, bump);
  for (const peer of [flash, page]) {
    const changes = await changesUntil(peer, "x", 7);
    assert.deepEqual(changes.get("when"), new Date(1_700_000_000_123));
  }
  await text.sees("game/table/ball", "x", 7);
  await binary.sees("game/table/ball", "x", 7);
  assert.deepEqual(text.objects.get("game/table/ball"), binary.objects.get("game/table/ball"));
  assert.deepEqual(binary.messages("game/table/ball"), [[1]]);
  assert.equal(text.positions.get("game/table/ball"), binary.positions.get("game/table/ball"));
});

test("two that drag at once end equal, and each knows its own changes", async () => {
  await using a = await new NetPeer(server.http("/drag")).connect();
  await using b = await new NetPeer(server.http("/drag"), { encoding: "msgpack" }).connect();
  await Promise.all([a.open("ball"), b.open("ball")]);
  const drag = async (peer: NetPeer, sign: number): Promise<void> => {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => peer.write("drag/ball", { type: "set", name: "x", value: sign * i })),
    );
  };
  await Promise.all([drag(a, 1), drag(b, -1)]);
  await until("both at one position", () =>
    a.positions.get("drag/ball") === b.positions.get("drag/ball") ? true : undefined,
  );
  assert.deepEqual(a.objects.get("drag/ball"), b.objects.get("drag/ball"));
  const own = a.changes("drag/ball").filter(({ by }) => by?.client === a.client);
  assert.ok(own.length >= 99, `${own.length} changes are its own`);
});

test("after a cut a client goes on from its position and gets exactly what it missed", async () => {
  await using proxy = await FaultProxy.start({ port: server.port("http") });
  await using writer = await new NetPeer(server.http("/cut")).connect();
  await writer.open("ball");
  const lost = await new NetPeer(`http://127.0.0.1:${proxy.port}/cut`).connect();
  await lost.open("ball");
  await writer.write("cut/ball", { type: "set", name: "x", value: 1 });
  await lost.sees("cut/ball", "x", 1);
  const from = lost.positions.get("cut/ball");
  await lost[Symbol.asyncDispose]();
  for (let x = 2; x <= 5; x++) await writer.write("cut/ball", { type: "set", name: "x", value: x });
  await using back = await new NetPeer(server.http("/cut"), { encoding: "msgpack" }).connect();
  back.positions.set("cut/ball", from ?? "");
  assert.equal((await back.open("ball", from)).recovered, true);
  await back.sees("cut/ball", "x", 5);
  assert.deepEqual(
    back.changes("cut/ball").map(({ to }) => to.split("/")[1]),
    ["3", "4", "5", "6"],
  );
  await using stranger = await new NetPeer(server.http("/cut")).connect();
  assert.equal((await stranger.open("ball", "1.1/1")).recovered, false);
  await stranger.sees("cut/ball", "x", 5);
});

test("a client that never reads costs a bounded number of bytes, and the others nothing", async () => {
  const mute = await openMute(server.port("http"), "/flood");
  await using writer = await new NetPeer(server.http("/flood"), { encoding: "msgpack" }).connect();
  await using reader = await new NetPeer(server.http("/flood")).connect();
  await Promise.all([writer.open("ball"), reader.open("ball")]);
  const text = "x".repeat(20_000);
  const rounds = 1_000;
  for (let i = 0; i < rounds; i += 50) {
    const writes = Array.from({ length: 50 }, (_, j) =>
      writer.write("flood/ball", { type: "set", name: "text", value: `${i + j}${text}` }),
    );
    for (const answer of await Promise.all(writes)) assert.equal(answer.status, "success");
  }
  await reader.sees("flood/ball", "text", `${rounds - 1}${text}`);
  const sessions = await server.sessions();
  const row = sessions.find(({ agent }) => agent === "mute");
  assert.ok(row !== undefined, "it is still connected");
  assert.ok(row.bytesOut < rounds * text.length * 0.8, `${row.bytesOut} bytes were written to it`);
  let heard = 0;
  mute.on("data", (bytes: Buffer) => (heard += bytes.length));
  mute.resume();
  const last = `${rounds - 1}${text.slice(0, 10)}`;
  let tail = "";
  mute.on("data", (bytes: Buffer) => (tail = (tail + bytes.toString("latin1")).slice(-100_000)));
  await until("the last value", () => (tail.includes(last) ? true : undefined));
  assert.ok(heard < rounds * text.length, "changes were merged");
  mute.destroy();
});

test("a page of another origin is refused, and garbage ends nobody but its sender", async () => {
  await using witness = await new NetPeer(server.http("/door")).connect();
  await witness.open("ball");
  const foreign = new NetPeer(server.http("/door"), { origin: "https://evil.example" });
  await until("a refusal", () => foreign.refused);
  assert.equal(foreign.refused, 403);
  for (const garbage of ["{", '{"type":"open"}', Buffer.from([0xc1]), Buffer.alloc(200_000, 0x91)]) {
    const vandal = await new NetPeer(server.http("/door")).connect();
    vandal.webSocket.send(garbage);
    await until("the end of it", () => vandal.closed);
    assert.equal(vandal.closed?.code, 4000);
  }
  assert.equal(await server.metric("sluice_wire_errors_total", 'code="WIRE_SLUICE_MESSAGE"'), 4);
  const answer = await witness.write("door/ball", { type: "set", name: "x", value: 1 });
  assert.equal(answer.status, "success");
});

test("durable objects outlive the server, and clients go on where they stood", async () => {
  using own = new WorkFolder();
  const sets = { set: [`data.dir=${own.path}`] };
  const first = await startServer(sets);
  const before = await new NetPeer(first.http("/kept")).connect();
  await before.ask({ type: "open", name: "score", durability: "each" });
  assert.equal((await before.write("kept/score", { type: "set", name: "points", value: 3 })).status, "success");
  await first[Symbol.asyncDispose]();
  await until("the cut", () => before.closed);
  await using second = await startServer(sets);
  await using after = await new NetPeer(second.http("/kept")).connect();
  await after.ask({ type: "open", name: "score", durability: "each" });
  await after.sees("kept/score", "points", 3);
  await after.ask({ type: "close", object: "kept/score" });
  const refused = await after.ask({ type: "open", name: "score", durability: "temporary" });
  assert.equal(refused.code, "mismatch");
});

test("[SLV32] clients of two nodes share one object; those of a node that drains are told the other, and go on there", async () => {
  using own = new WorkFolder();
  await using a = await ClusterServer.start(own, { id: "a", cluster: ["port: 0"] });
  await using b = await ClusterServer.start(own, { id: "b", cluster: ["port: 0", `seeds: ${a.address}`] });
  await allLinked([a, b]);
  await using stays = await new NetPeer(a.http("/room")).connect();
  const moves = await new NetPeer(b.http("/room"), { encoding: "msgpack" }).connect();
  await Promise.all([stays.open("ball"), moves.open("ball")]);
  await moves.write("room/ball", { type: "set", name: "x", value: 1 });
  await stays.write("room/ball", { type: "set", name: "y", value: 2 });
  await Promise.all([stays.sees("room/ball", "x", 1), moves.sees("room/ball", "y", 2)]);
  assert.equal((await fetch(a.http("/api/v1/nodes/b/drain"), { method: "POST" })).status, 202);
  const move = await until("a move", () => moves.heard.find((one) => one.type === "move"));
  assert.equal(move.url, `ws://127.0.0.1:${a.port("http")}/room`);
  const from = moves.positions.get("room/ball");
  await stays.write("room/ball", { type: "set", name: "x", value: 3 });
  await using moved = await new NetPeer(move.url).connect();
  moved.positions.set("room/ball", from ?? "");
  assert.equal((await moved.open("ball", from)).recovered, true);
  await moves[Symbol.asyncDispose]();
  await moved.sees("room/ball", "x", 3);
  assert.equal((await b.child.exited).code, 0);
  assert.equal((await moved.write("room/ball", { type: "set", name: "x", value: 4 })).status, "success");
  await stays.sees("room/ball", "x", 4);
});

/** An RTMP client that has opened `table/ball`. */
async function usePeer(options: PeerOptions): Promise<RtmpPeer> {
  const peer = await connectPeer(options);
  tellObject(peer, { type: "use" });
  await peer.heard("use-success", (event) =>
    event.type === "shared-object" && event.message.events.some(({ type }) => type === "use-success")
      ? true
      : undefined,
  );
  return peer;
}

function tellObject(peer: RtmpPeer, event: SharedObjectEvent): void {
  const head = { encoding: "amf0", name: "table/ball", version: 0, isPersistent: false } as const;
  peer.engine.sendSharedObject({ ...head, events: [event] });
  peer.flush();
}

/** The last value of each property that an RTMP client heard of, once one of them has this value. */
function changesUntil(peer: RtmpPeer, name: string, value: AmfValue): Promise<ReadonlyMap<string, AmfValue>> {
  return peer.heard(`${name} = ${JSON.stringify(value)}`, (_, at) => {
    const messages = peer.events
      .slice(0, at + 1)
      .flatMap((event) => (event.type === "shared-object" ? [event.message] : []));
    const events = messages.flatMap(({ events: all }) => all);
    const heard = new Map(events.flatMap((event) => (event.type === "change" ? event.properties : [])));
    return heard.get(name) === value ? heard : undefined;
  });
}

/** Connected, with the object open, and nothing read from then on. */
async function openMute(port: number, path: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  const say = (message: object): void => {
    const payload = Buffer.from(JSON.stringify(message));
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  };
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sluice.v1\r\n\r\n",
  );
  let heard = "";
  socket.on("data", (bytes: Buffer) => (heard += bytes.toString("latin1")));
  say({ type: "connect", id: 1, agent: "mute" });
  say({ type: "open", id: 2, name: "ball" });
  await until("its snapshot", () => (heard.includes('"snapshot"') ? true : undefined));
  socket.removeAllListeners("data");
  socket.pause();
  return socket;
}
