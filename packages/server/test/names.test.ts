/** Names on a whole server: what one protocol publishes every other one reaches, and what is listed can be asked for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { findStreamKey, type StreamKey, urlPathOf } from "@sluice/media/stream-key";
import { WebSocket } from "ws";
import { LogRecorder, openPublisher, openServer, RtmpPeer, sendGop, talk } from "./sessions-fixture.ts";

interface Rows {
  readonly streams: readonly { readonly key: StreamKey }[];
}

const NAMES = [
  "cam",
  "caf\u00e9",
  "\u65e5\u672c/\u{1f600}",
  "100%",
  "50%25",
  "a%2Fb",
  "what?",
  "?",
  "a&b=c",
  "a b+c",
  "#1",
  "semi;colon:@x",
  "back\\slash",
  "cam.flv",
  "..x",
  '"<b>',
  "x".repeat(700),
  "\u65e5".repeat(900),
];

for (const name of NAMES) {
  test(`[LST150] [MED152] every way to say ${JSON.stringify(name.slice(0, 20))} is one stream`, async () => {
    await using server = await openServer(["play.httpWait=0", "play.wait=0"]);
    const key = findStreamKey(`live/${name}`) as StreamKey;
    const path = urlPathOf(key);
    await using publisher = await openPublisher(server.rtmpPort, path.slice("live/".length));
    sendGop(publisher);
    const { streams } = (await server.get("/api/v1/streams")) as Rows;
    assert.deepEqual(
      streams.map((row) => row.key),
      [key],
    );
    const row = (await server.get(`/api/v1/streams/${path}`)) as { readonly key: string };
    assert.equal(row.key, key, "the API's row");
    const answer = await fetch(`http://127.0.0.1:${server.httpPort}/${path}.flv`);
    assert.equal(answer.status, 200, "HTTP-FLV");
    await answer.body?.cancel();
    await using player = new RtmpPeer(server.rtmpPort, { app: path }).play("");
    await player.status("NetStream.Play.Start");
  });

  test(`[MED151] a test pattern of the key ${JSON.stringify(name.slice(0, 20))} is that key and no other`, async () => {
    await using server = await openServer();
    const url = `http://127.0.0.1:${server.httpPort}/api/v1/test-patterns`;
    const key = `live/${name}`;
    const body = JSON.stringify({ key });
    const started = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
    assert.equal(started.status, 201, await started.text());
    const { streams } = (await server.get("/api/v1/streams")) as Rows;
    assert.deepEqual(
      streams.map((row) => row.key),
      [key],
    );
    const stopped = await fetch(`${url}/${urlPathOf(key as StreamKey)}`, { method: "DELETE" });
    assert.equal(stopped.status, 204);
  });
}

test("[LST150] a path that brings bytes as they are is no HTTP, and escaped bytes that are no UTF-8 are no name", async () => {
  await using server = await openServer(["play.httpWait=0"]);
  await using publisher = await openPublisher(server.rtmpPort, "caf\u00e9");
  sendGop(publisher);
  const ask = (name: string): Promise<string> =>
    talk(server.httpPort, `HEAD /live/${name}.flv HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n`);
  assert.match(await ask("caf%c3%a9"), /^HTTP\/1.1 200 /);
  assert.match(await ask("caf\u00e9"), /^HTTP\/1.1 400 /); // the test's socket writes UTF-8
  assert.match(await ask("caf%e9"), /^HTTP\/1.1 404 /);
});

/** Two names that are no UTF-8, and the text that stands where such bytes were: none is a name. */
const BYTES = [
  [0x63, 0xff],
  [0x63, 0xfe],
  [0x63, 0xef, 0xbf, 0xbd],
  [0x63, 0xc2, 0x9b],
] as const;

for (const bytes of BYTES) {
  test(`[MED150] a publish to a name of the bytes ${Buffer.from(bytes).toString("hex")} is refused`, async () => {
    await using server = await openServer();
    await using peer = new RtmpPeer(server.rtmpPort);
    peer.rewrite = (sent) => replaced(sent, Buffer.from("~".repeat(bytes.length)), Buffer.from(bytes));
    peer.publish("~".repeat(bytes.length));
    await peer.status("NetStream.Publish.BadName");
    assert.deepEqual(((await server.get("/api/v1/streams")) as Rows).streams, []);
  });
}

function replaced(bytes: Uint8Array, from: Buffer, to: Buffer): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + 1)) to.copy(copy, at);
  return copy;
}

const RESERVED = ["api", "console", "metrics", "healthz", "readyz"];

for (const part of RESERVED) {
  test(`[SES321] nobody publishes or plays below ${part}, over RTMP, HTTP or WebSocket`, async () => {
    const recorder = new LogRecorder();
    await using server = await openServer(["play.httpWait=forever"], recorder.log);
    const spelt = `%${part.charCodeAt(0).toString(16)}${part.slice(1)}`;
    for (const app of [part, spelt]) {
      await using publisher = new RtmpPeer(server.rtmpPort, { app }).publish("cam");
      await publisher.status("NetStream.Publish.BadName");
      await using player = new RtmpPeer(server.rtmpPort, { app }).play("cam");
      await player.status("NetStream.Play.StreamNotFound");
    }
    assert.match(
      await talk(server.httpPort, `GET /${part}/cam.flv HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1.1 40[34] /,
      "that path is the admin side's",
    );
    const heard = await talk(
      server.httpPort,
      `GET /${spelt}/cam.flv HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n`,
    );
    assert.match(heard, new RegExp(`^HTTP/1.1 404 [^]*Names that begin with \\\\"${part}\\\\" are reserved`));
    const webSocket = new WebSocket(`ws://127.0.0.1:${server.httpPort}/${spelt}/cam.flv`);
    const [error] = (await once(webSocket, "error")) as [Error];
    assert.match(error.message, /404/);
    const [refused] = recorder.of("Publish refused");
    assert.deepEqual([refused?.["reason"], refused?.["key"]], ["name", `${part}/cam`]);
    assert.match(String(refused?.["detail"]), /are reserved for the server itself/);
  });
}

test("[SES321] below demo the server publishes and everybody plays; names that only resemble are free", async () => {
  await using server = await openServer();
  await using publisher = new RtmpPeer(server.rtmpPort, { app: "demo" }).publish("cam");
  await publisher.status("NetStream.Publish.BadName");
  const start = (key: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.httpPort}/api/v1/test-patterns`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key }),
    });
  const refused = await start("api/v1");
  assert.equal(refused.status, 409);
  assert.match(await refused.text(), /are reserved for the server itself/);
  assert.equal((await start("demo/pattern")).status, 201);
  await using player = new RtmpPeer(server.rtmpPort, { app: "demo" }).play("pattern");
  await player.status("NetStream.Play.Start");
  for (const [app, name] of [
    ["apiary", "cam"],
    ["live", "api"],
    ["API", "cam"],
  ] as const) {
    await using other = await openPublisher(server.rtmpPort, name, { app });
    assert.equal(other.isClosed, false);
  }
});
