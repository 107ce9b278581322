/** Shared objects asked of a server that has none: each request has its status, and nothing else comes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SharedObjectEvent, SharedObjectMessage } from "@sluice/rtmp/shared-object-message";
import { until } from "@sluice/testkit/until";
import { AVC_DELTA, openPublisher, openServer, RtmpPeer, sendGop } from "./sessions-fixture.ts";

const ask = (name: string, ...events: readonly SharedObjectEvent[]): SharedObjectMessage => ({
  encoding: "amf0",
  name,
  version: 4,
  isPersistent: false,
  events,
});

const said = (peer: RtmpPeer): SharedObjectMessage[] =>
  peer.events.flatMap((event) => (event.type === "shared-object" ? [event.message] : []));

const refused = (message: SharedObjectMessage, ...codes: readonly string[]): SharedObjectMessage => ({
  ...message,
  version: 0,
  events: codes.map((code) => ({ type: "status", code: `SharedObject.${code}`, level: "error" })),
});

test("[SOB431] use and writes have their status in the encoding asked in, other events none", async () => {
  await using server = await openServer();
  await using peer = new RtmpPeer(server.rtmpPort);
  await until("the connection", () => peer.engine.phase === "connected");
  const use = ask("ball", { type: "use" });
  const persistent = { ...ask("scores", { type: "use" }), encoding: "amf3" as const, isPersistent: true };
  const change: SharedObjectEvent = { type: "request-change", properties: [["x", 1]] };
  const send: SharedObjectEvent = { type: "send-message", name: "hello", args: [] };
  const both = ask("ball", { type: "use" }, change, change, send);
  const others = ask("ball", { type: "release" }, { type: "change", properties: [["x", 1]] }, { type: "use-success" });
  for (const one of [use, persistent, both, others, ask("ball", { type: "request-clear" })])
    peer.engine.sendSharedObject(one);
  const call = peer.engine.call("behind", []);
  peer.flush();
  await until("the answer to the last", () =>
    peer.events.some((event) => event.type === "call-result" && event.transactionId === call),
  );
  assert.deepEqual(said(peer), [
    refused(use, "ObjectCreationFailed"),
    refused(persistent, "ObjectCreationFailed"),
    refused(both, "ObjectCreationFailed", "NoWriteAccess"),
    refused(both, "NoWriteAccess"),
  ]);
});

test("[SOB431] a publisher that asks goes on publishing", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  publisher.engine.sendSharedObject(ask("ball", { type: "use" }));
  publisher.send("video", 200, AVC_DELTA);
  await until("a frame from behind the request", () => player.media.some((event) => event.timestamp === 200));
  await until("the status", () => said(publisher).length === 1);
});

test("[SOB426] a broken body ends the session that sent it, and no other", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  await using broken = new RtmpPeer(server.rtmpPort);
  await until("the connection", () => broken.engine.phase === "connected");
  broken.engine.sendSharedObject({ encoding: "amf3", body: Uint8Array.of(1, 0, 0) });
  broken.flush();
  await broken.closed;
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await until("frames", () => player.media.length >= 5);
});
