/** What the log says of sessions: one line for each that closed, and one for each refusal, whatever the protocol. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLAIM_LIMITS } from "@sluice/base/claimed-text";
import { until } from "@sluice/testkit/until";
import { LogRecorder, openPublisher, openServer, RtmpPeer, sendGop, talk } from "./sessions-fixture.ts";

const get = (name: string, headers = ""): string =>
  `GET /live/${name} HTTP/1.1\r\nHost: a\r\nUser-Agent: web/1\r\n${headers}\r\n`;

test("[LOG180] a session that closes is one line: key, role, protocol, address, agent, bytes, duration, reason", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer([], recorder.log);
  const publisher = await openPublisher(server.rtmpPort, "cam", { flashVer: "enc/1" });
  sendGop(publisher);
  const web = talk(server.httpPort, get("cam.flv?token=hidden"));
  await until("the viewer", async () => (await server.metric("viewers")) === 1);
  publisher.tell("closeStream"); // what most encoders say before they go: their line has the key all the same
  await web;
  publisher.socket.end();
  const lines = await recorder.heard("Session closed", 2);
  for (const { session, durationMs, bytesIn, bytesOut } of lines) {
    assert.equal(typeof session, "string");
    for (const number of [durationMs, bytesIn, bytesOut]) assert.ok(typeof number === "number" && number > 0);
  }
  assert.deepEqual(
    lines
      .toSorted((one, other) => (String(one["role"]) < String(other["role"]) ? -1 : 1))
      .map(({ key, role, protocol, address, agent, reason }) => [key, role, protocol, address, agent, reason]),
    [
      ["live/cam", "player", "http-flv", "127.0.0.1", "web/1", "stream-ended"],
      ["live/cam", "publisher", "rtmp", "127.0.0.1", "enc/1", "peer-closed"],
    ],
  );
  assert.ok(!JSON.stringify(recorder.lines).includes("hidden"));
});

test("[LOG180] what a peer broke and what an operator said stands in the line", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer([], recorder.log);
  await using bad = await openPublisher(server.rtmpPort, "bad");
  bad.socket.write(Buffer.from("02000000000004010000000000000000", "hex")); // SetChunkSize 0
  const [line] = await recorder.heard("Session closed");
  assert.equal(line?.["reason"], "wire-error");
  assert.match(String(line?.["detail"]), /chunk/i);
  assert.deepEqual([line?.["role"], line?.["key"]], ["publisher", "live/bad"]);
});

test("[LOG181] a refusal is one line with the key, the reason and the words, over RTMP and HTTP", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer(
    [
      "applications.shut.auth.publish=signed",
      "applications.shut.auth.play=signed",
      "auth.signed.secret=0123456789abcdef",
    ],
    recorder.log,
  );
  await using holder = await openPublisher(server.rtmpPort, "cam");
  sendGop(holder);
  await using second = new RtmpPeer(server.rtmpPort, { flashVer: "enc/2" }).publish("cam?token=hidden");
  await second.status("NetStream.Publish.BadName");
  await using shut = new RtmpPeer(server.rtmpPort, { app: "shut" }).publish("cam").play("cam");
  await shut.status("NetStream.Publish.Denied");
  await shut.status("NetStream.Play.Failed");
  await using nameless = new RtmpPeer(server.rtmpPort).publish(`${"x/".repeat(300)}?token=hidden`);
  await nameless.status("NetStream.Publish.BadName");
  await talk(server.httpPort, get("none.flv?token=hidden"));
  await talk(server.httpPort, get(`${"y/".repeat(300)}.flv?token=hidden`));
  await talk(server.httpPort, `GET /shut/cam.flv HTTP/1.1\r\nHost: a\r\n\r\n`);
  const shown = (msg: string): unknown[] =>
    recorder.of(msg).map(({ key, reason, protocol, address }) => [String(key).slice(0, 12), reason, protocol, address]);
  assert.deepEqual(shown("Publish refused"), [
    ["live/cam", "taken", "rtmp", "127.0.0.1"],
    ["shut/cam", "guard", "rtmp", "127.0.0.1"],
    ["live/x/x/x/x", "name", "rtmp", "127.0.0.1"],
  ]);
  assert.deepEqual(shown("Play refused"), [
    ["shut/cam", "guard", "rtmp", "127.0.0.1"],
    ["live/none", "not-found", "http-flv", "127.0.0.1"],
    ["live/y/y/y/y", "name", "http-flv", "127.0.0.1"],
    ["shut/cam", "guard", "http-flv", "127.0.0.1"],
  ]);
  const text = JSON.stringify(recorder.lines);
  assert.ok(!text.includes("hidden"));
  assert.ok(recorder.lines.every(({ fields: { key = "" } }) => typeof key === "string" && key.length <= 255));
});

test("[LOG181] a page, an address and a connection over the limit that are refused have a line too", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer(
    ["http.cors.origins=https://ours.example", "limits.connectionsPerAddress=1", "limits.exempt="],
    recorder.log,
  );
  const upgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  await talk(server.httpPort, get("cam.flv", `${upgrade}Origin: https://other.example\r\n`));
  const [page] = recorder.of("Play refused");
  assert.deepEqual([page?.["key"], page?.["reason"], page?.["protocol"]], ["live/cam.flv", "origin", "ws-flv"]);
  await using _first = await openPublisher(server.rtmpPort, "cam");
  await using second = new RtmpPeer(server.rtmpPort);
  await second.closed;
  assert.deepEqual(recorder.of("Connection refused"), [{ address: "127.0.0.1", reason: "too-many-from-address" }]);
});

test("[VIE212] a refusal's line keeps no more of a peer's words about itself than a row does", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer([], recorder.log);
  const long = "😀".repeat(2_000);
  await using nameless = new RtmpPeer(server.rtmpPort, { flashVer: long }).publish(`a/${long}`);
  await nameless.status("NetStream.Publish.BadName");
  const words = `User-Agent: ${"u".repeat(6_000)}\r\n`;
  await talk(server.httpPort, `GET /live/${"n".repeat(3_000)}.flv HTTP/1.1\r\nHost: a\r\n${words}\r\n`);
  const lines = [...recorder.of("Publish refused"), ...recorder.of("Play refused")];
  const { agentCharacters, askedCharacters } = CLAIM_LIMITS;
  assert.equal(lines.length, 2);
  for (const { agent, key } of lines) {
    assert.ok(typeof agent === "string" && agent.length === agentCharacters && agent.isWellFormed());
    assert.ok(typeof key === "string" && key.length >= askedCharacters - 1 && key.length <= askedCharacters);
    assert.ok(key.isWellFormed());
  }
});
