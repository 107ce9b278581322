/** Draining: nothing new begins, what runs goes on until it ends or its time is over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { drainSessions } from "@sluice/server/node/drain";
import type { Session } from "@sluice/server/sessions/session";
import { SessionRegistry } from "@sluice/server/sessions/session-registry";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { WebSocket } from "ws";
import { until } from "@sluice/testkit/until";
import { AVC_DELTA, LogRecorder, openPublisher, openServer, RtmpPeer, sendGop, talk } from "./sessions-fixture.ts";

const flvRequest = (name: string): string => `GET /live/${name}.flv HTTP/1.1\r\nHost: a\r\n\r\n`;

test("[SES11] draining asks those that can to reconnect, and serves everybody until they go", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer(["shutdown.timeout=1h"], recorder.log);
  await using publisher = await openPublisher(server.rtmpPort, "cam", { capsEx: 1 });
  sendGop(publisher);
  await using able = new RtmpPeer(server.rtmpPort, { capsEx: 1 }).play("cam");
  await using plain = new RtmpPeer(server.rtmpPort).play("cam");
  await until("frames", () => able.media.length >= 5 && plain.media.length >= 5);
  const web = talk(server.httpPort, flvRequest("cam"));
  await until("three viewers", async () => (await server.metric("viewers")) === 3);
  const stopped = server.stop();
  await until("the request to reconnect", () => able.events.some((event) => event.type === "reconnect-request"));
  assert.deepEqual((await recorder.heard("Draining: nothing new begins, sessions go on"))[0], {
    sessions: 4,
    publishers: 1,
    asked: 2,
    timeoutMs: 3_600_000,
  });
  assert.ok(!plain.events.some((event) => event.type === "reconnect-request"));
  publisher.send("video", 120, AVC_DELTA);
  await until("frames for the one that was asked", () => able.media.some((event) => event.timestamp === 120));
  await until("frames for the one that cannot be asked", () => plain.media.some((event) => event.timestamp === 120));
  publisher.tell("closeStream");
  await Promise.all([plain.closed, able.closed, web]);
  assert.deepEqual(plain.codes.slice(-2), ["NetStream.Play.Stop", "NetConnection.Connect.Closed"]);
  await stopped;
});

test("[SES11] a node that drains takes nothing new over any protocol, says so, and is not ready", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer(["shutdown.timeout=1h"], recorder.log);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await until("frames", () => player.media.length >= 5);
  const stopped = server.stop();
  await recorder.heard("Draining: nothing new begins, sessions go on");
  const ready = await fetch(`http://127.0.0.1:${server.httpPort}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await talk(server.httpPort, flvRequest("cam")), /^HTTP\/1\.1 503 /);
  for (const [path, subprotocols] of [
    ["live/cam.flv", []],
    ["live", ["rtmp"]],
  ] as const) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.httpPort}/${path}`, [...subprotocols]);
    const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
    assert.match(error.message, /503/);
  }
  await using late = new RtmpPeer(server.rtmpPort);
  await late.closed;
  assert.equal(late.events.length, 0, "the RTMP port is closed");
  player.publish("other");
  await player.status("NetStream.Publish.Denied");
  const refusals = [...recorder.of("Play refused"), ...recorder.of("Publish refused")];
  assert.deepEqual(
    refusals.map(({ protocol, key, reason }) => [protocol, key, reason]),
    [
      ["http-flv", "live/cam", "stopping"],
      ["ws-flv", "live/cam", "stopping"],
      ["rtmp-ws", "live", "stopping"],
      ["rtmp", "live/other", "stopping"],
    ],
  );
  const pattern = await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/test-patterns`, { method: "POST" });
  assert.equal(pattern.status, 409);
  publisher.socket.end();
  await stopped;
});

test("[SES180] who waits for a stream, or for a publisher that was lost, is let go at once", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer(["shutdown.timeout=1h", "grace.windowMs=10m"], recorder.log);
  await using waiting = new RtmpPeer(server.rtmpPort).play("never");
  await using idle = new RtmpPeer(server.rtmpPort);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await until("frames", () => player.media.length >= 5);
  await until("both viewers", async () => (await server.metric("viewers")) === 2);
  const stopped = server.stop();
  await Promise.all([waiting.closed, idle.closed]);
  assert.equal(player.isClosed, false);
  publisher.socket.destroy();
  await player.closed;
  await stopped;
  assert.deepEqual(recorder.of("Stream lost its publisher; viewers are kept"), []);
  assert.equal(recorder.of("Stream ended").length, 1);
});

test("[SES12] draining ends when its time is over, players first, and says so", async () => {
  const recorder = new LogRecorder();
  await using server = await openServer(["shutdown.timeout=1s"], recorder.log);
  await using stubborn = await openPublisher(server.rtmpPort, "cam", { capsEx: 1 });
  sendGop(stubborn);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await until("frames", () => player.media.length >= 5);
  await server.stop();
  await Promise.all([stubborn.closed, player.closed]);
  assert.ok(!player.codes.includes("NetStream.Play.UnpublishNotify"));
  const [over] = recorder.of("Draining: the time is over, ending the sessions that are left");
  assert.deepEqual(over, { sessions: 2, publishers: 1 });
  const closed = recorder.of("Session closed").map(({ role, reason }) => `${role} ${reason}`);
  assert.deepEqual(new Set(closed), new Set(["player server-stopping", "publisher server-stopping"]));
});

test("[SES181] the log says every five seconds who is left and how long, and a shorter time-out holds at once", async () => {
  const clock = new FakeClock();
  const recorder = new LogRecorder();
  using registry = new SessionRegistry(clock, { opened: () => {}, closed: () => {} });
  const stays = {
    id: "1",
    facts: { role: "player" },
    tick() {},
    isServed: () => true,
    askToLeave: () => "cannot",
    end: () => registry.remove(stays, { reason: "server-stopping", detail: "" }),
  } as unknown as Session;
  registry.add(stays);
  let timeout = 60_000 as Millis;
  const streams = { findEntry: () => undefined };
  const drained = drainSessions({ registry, streams, clock, log: recorder.log, timeout: () => timeout });
  await clock.advanceAsync(12_000);
  assert.deepEqual(recorder.of("Draining"), [
    { sessions: 1, publishers: 0, leftMs: 55_000 },
    { sessions: 1, publishers: 0, leftMs: 50_000 },
  ]);
  timeout = 12_500 as Millis;
  await clock.advanceAsync(1_000);
  await drained;
  assert.equal(registry.size, 0);
});
