/** Our client against our server, in memory: whole dialogues, and clocks that pass their breaks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { RtmpOrderError } from "@sluice/rtmp/errors";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { encodeMediaMessageInto, mediaMessageByteCount } from "@sluice/rtmp/media-message";
import { Conversation, createClient, takeAll } from "./ports.ts";

const CONNECT = { app: "live", tcUrl: "rtmp://h/live" };

test("[NST1] [NST3] publish, send, close", () => {
  const conversation = new Conversation();
  const { client } = conversation;
  client.start(CONNECT);
  client.publish("cam");
  conversation.run();
  assert.deepEqual(conversation.statusCodes, ["NetStream.Publish.Start"]);
  client.sendMedia("data", 0, encodeAmf0Values(["@setDataFrame", "onMetaData", { width: 320 }]));
  client.sendMedia("video", 0, new Uint8Array([0x17, 0, 0, 0, 0, 1]));
  client.sendMedia("video", 40, new Uint8Array(200_000).fill(3));
  client.sendMedia("audio", 41, new Uint8Array(0));
  conversation.run();
  const media = conversation.told("media").map(({ kind, timestamp, payload }) => [kind, timestamp, payload.length]);
  const metadata = encodeAmf0Values(["onMetaData", { width: 320 }]).length;
  assert.deepEqual(media, [
    ["data", 0, metadata],
    ["video", 0, 6],
    ["video", 40, 200_000],
    ["audio", 41, 0],
  ]);
  client.close();
  client.close();
  conversation.run();
  assert.deepEqual(
    conversation.told("stream-closed").map(({ by }) => by),
    ["FCUnpublish"],
  );
  assert.equal(conversation.statusCodes.at(-1), "NetStream.Unpublish.Success");
});

test("[NST7] play, and media from fan-out bytes", () => {
  const conversation = new Conversation();
  const { client } = conversation;
  client.start(CONNECT);
  client.play("cam", { start: -1000, bufferLength: 400 });
  conversation.run();
  assert.deepEqual(conversation.statusCodes, ["NetStream.Play.Reset", "NetStream.Play.Start", "NetStream.Data.Start"]);
  assert.equal(conversation.told("play")[0]?.start, "live");
  assert.equal(conversation.told("buffer-length")[0]?.milliseconds, 400);
  const body = new Uint8Array(130_000).fill(9);
  const bytes = new Uint8Array(mediaMessageByteCount(body.length, 0x1000000, 60_000));
  const messageStreamId = 1 as MessageStreamId;
  encodeMediaMessageInto(bytes, 0, { kind: "video", timestamp: 0x1000000, messageStreamId, body, chunkSize: 60_000 });
  client.receive(bytes);
  assert.deepEqual(takeAll(client), [
    { type: "media", kind: "video", messageStreamId: 1, timestamp: 0x1000000, payload: body },
  ]);
});

test("[NST10] publish and play on one connection", () => {
  const conversation = new Conversation();
  conversation.client.start(CONNECT);
  conversation.client.publish("a");
  conversation.client.play("b");
  conversation.run();
  const created = conversation.clientEvents.filter((event) => event.type === "stream-created");
  assert.deepEqual(created, [
    { type: "stream-created", messageStreamId: 1, intent: "publish" },
    { type: "stream-created", messageStreamId: 2, intent: "play" },
  ]);
  assert.deepEqual(
    conversation.told("publish").map(({ messageStreamId }) => messageStreamId),
    [1],
  );
  assert.deepEqual(
    conversation.told("play").map(({ messageStreamId }) => messageStreamId),
    [2],
  );
});

test("[NCN8] a client that asks for one stream too many is told so", () => {
  const conversation = new Conversation();
  conversation.client.start(CONNECT);
  for (let i = 0; i < 33; i++) conversation.client.play(`s${i}`);
  conversation.run();
  assert.equal(conversation.clientEvents.filter((event) => event.type === "stream-refused").length, 1);
});

for (const { says, start } of [
  { says: "16,777,215 ms", start: 16_777_000 },
  { says: "31 bits", start: 2 ** 31 - 300 },
  { says: "32 bits", start: 2 ** 32 - 5_000 },
]) {
  test(`[CHK8] [CHK14] a publisher's clock passes ${says} unharmed`, () => {
    const conversation = new Conversation({ client: { chunkSize: 128 } });
    conversation.client.start(CONNECT);
    conversation.client.publish("cam");
    conversation.run();
    const times = Array.from({ length: 300 }, (_, i) => (start + i * 40) % 2 ** 32);
    for (const time of times) {
      conversation.client.sendMedia("video", time, new Uint8Array(300).fill(time));
      conversation.client.sendMedia("audio", time, new Uint8Array(20).fill(time));
      conversation.run();
    }
    const video = conversation.told("media").filter((event) => event.kind === "video");
    assert.deepEqual(
      video.map((event) => event.timestamp),
      times,
    );
    assert.ok(
      video.every(
        (event) => event.payload.length === 300 && event.payload.every((byte) => byte === event.timestamp % 256),
      ),
    );
  });
}

test("[CTL1] both sides acknowledge what they receive", () => {
  const conversation = new Conversation({ server: { windowAckSize: 10_000 } });
  conversation.client.start(CONNECT);
  conversation.client.publish("cam");
  conversation.run();
  for (let i = 0; i < 30; i++) {
    conversation.client.sendMedia("video", i, new Uint8Array(100_000));
    conversation.run();
  }
  assert.ok(conversation.client.acknowledgedBytes > 1_000_000);
  assert.ok(conversation.clientEvents.some((event) => event.type === "acknowledgement"));
  for (let i = 0; i < 400; i++) conversation.server.sendData(1 as MessageStreamId, i, new Uint8Array(100));
  conversation.run();
  assert.ok(conversation.server.acknowledgedBytes > 10_000);
});

test("media before a stream was created, and a second start, are our own mistakes", () => {
  const client = createClient();
  assert.throws(() => client.sendMedia("audio", 0, new Uint8Array(1)), RtmpOrderError);
  client.start(CONNECT);
  assert.throws(() => client.start(CONNECT), RtmpOrderError);
});
