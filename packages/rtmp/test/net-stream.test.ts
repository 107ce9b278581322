/** Publish, play and what happens on a message stream. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { amfObject } from "@sluice/amf/value";
import { RtmpLimitError } from "@sluice/rtmp/errors";
import { readPlayRange } from "@sluice/rtmp/play-request";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import { splitStreamName } from "@sluice/rtmp/stream-name";
import { limitsWith, takeAll } from "./ports.ts";
import { command, describe, message, openServer, readSteadyMessages, sid, takeSent } from "./raw-peer.ts";

const PUBLISH = command(1, "publish", 3, null, "cam?token=x", "live");
const types = (events: readonly RtmpServerEvent[]): string[] => events.map((event) => event.type);
/** Code of a status, name of anything else. */
const codes = (sent: readonly unknown[][]): unknown[] =>
  sent.map(([, name, , , status]) => (name === "onStatus" ? (status as { code: string }).code : name));

test("[NST1] a publish is told whole, and hears Publish.Start only after it was accepted", () => {
  const { server } = openServer();
  server.receive(PUBLISH);
  assert.deepEqual(takeAll(server), [
    {
      type: "publish",
      messageStreamId: 1,
      streamName: "cam?token=x",
      query: "token=x",
      prefix: undefined,
      publishType: "live",
    },
  ]);
  assert.deepEqual(takeSent(server), []);
  server.acceptPublish(sid(1));
  server.acceptPublish(sid(1));
  assert.deepEqual(readSteadyMessages(server.nextOutput() as Uint8Array).map(describe), [
    [0, "type 4", "000000000001"],
    [
      1,
      "onStatus",
      0,
      null,
      amfObject({
        level: "status",
        code: "NetStream.Publish.Start",
        description: "Started publishing",
        details: "cam?token=x",
      }),
    ],
  ]);
});

test("[NST1] publish types; anything else is live", () => {
  const told = ["record", "append", "live", "appendWithGap", undefined].map((type) => {
    const [event] = openServer().say(command(1, "publish", 3, null, "cam", type)).events;
    return event?.type === "publish" ? event.publishType : undefined;
  });
  assert.deepEqual(told, ["record", "append", "live", "live", "live"]);
});

test("[NST2] a refused publish hears its code, its media is dropped, and it may try again", () => {
  const { server } = openServer();
  server.receive(PUBLISH);
  takeAll(server);
  server.rejectPublish(sid(1), { code: "NetStream.Publish.BadName", description: "Taken" });
  const [refusal] = readSteadyMessages(server.nextOutput() as Uint8Array).map(describe);
  assert.deepEqual(
    refusal?.[4],
    amfObject({
      level: "error",
      code: "NetStream.Publish.BadName",
      description: "Taken",
      details: "cam?token=x",
    }),
  );
  server.receive(message(9, new Uint8Array(3), { stream: 1 }));
  assert.deepEqual(takeAll(server), []);
  server.receive(PUBLISH);
  assert.deepEqual(types(takeAll(server)), ["publish"]);
});

test("[NST2] a refused play hears its code, and may try again", () => {
  const { server } = openServer();
  server.receive(command(1, "play", 0, null, "none"));
  takeAll(server);
  server.rejectPlay(sid(1), { code: "NetStream.Play.StreamNotFound", description: "Not here" });
  server.acceptPlay(sid(1), { reset: true });
  assert.deepEqual(codes(readSteadyMessages(server.nextOutput() as Uint8Array).map(describe)), [
    "NetStream.Play.StreamNotFound",
  ]);
  server.receive(command(1, "play", 0, null, "other"));
  assert.deepEqual(types(takeAll(server)), ["play"]);
});

const FC = command(0, "FCUnpublish", 7, null, "cam?token=x");
const CLOSE = command(1, "closeStream", 0, null);
const DELETE = command(0, "deleteStream", 8, null, 1);
const ENDINGS = [
  { says: "FCUnpublish, deleteStream", bytes: [FC, DELETE], by: "FCUnpublish" },
  { says: "deleteStream, FCUnpublish", bytes: [DELETE, FC], by: "deleteStream" },
  { says: "closeStream, deleteStream", bytes: [CLOSE, DELETE], by: "closeStream" },
  { says: "all three, the other way round", bytes: [DELETE, CLOSE, FC], by: "deleteStream" },
  { says: "publish(false)", bytes: [command(1, "publish", 0, null, false)], by: "closeStream" },
  { says: "FCUnpublish by another name", bytes: [command(0, "FCUnpublish", 7, null, "else")], by: "FCUnpublish" },
] as const;

for (const { says, bytes, by } of ENDINGS) {
  test(`[NST3] a publish ends once: ${says}`, () => {
    const { say } = openServer();
    say(command(0, "createStream", 2, null), PUBLISH);
    const { events, sent } = say(...bytes);
    assert.deepEqual(events, [
      { type: "stream-closed", messageStreamId: 1, by, was: "publish", streamName: "cam?token=x" },
    ]);
    assert.equal(codes(sent).filter((code) => code === "NetStream.Unpublish.Success").length, 1);
    assert.deepEqual(types(say(PUBLISH).events), ["publish"]);
    assert.deepEqual(types(say(CLOSE, command(1, "play", 0, null, "cam")).events), ["stream-closed", "play"]);
  });
}

test("[NST3] a verdict that comes after the end changes nothing", () => {
  const { server } = openServer();
  server.receive(PUBLISH);
  server.receive(CLOSE);
  assert.deepEqual(types(takeAll(server)), ["publish", "stream-closed"]);
  server.acceptPublish(sid(1));
  assert.deepEqual(takeSent(server), []);
});

test("[NST4] a publish on a message stream that was never created", () => {
  const { say } = openServer();
  const { events, sent } = say(
    command(0, "releaseStream", 2, null, "cam"),
    command(0, "FCPublish", 3, null, "cam"),
    PUBLISH,
  );
  assert.deepEqual(types(events), ["publish"]);
  assert.equal(codes(sent).at(-1), "NetStream.Publish.Start");
  assert.deepEqual(say(command(0, "createStream", 4, null)).sent, [[0, "_result", 4, null, 2]]);
});

test("[RLM1] messageStreams that were never created count too", () => {
  const { say } = openServer({ limits: limitsWith({ messageStreams: 2 }) });
  say(PUBLISH, command(2, "play", 0, null, "a"));
  assert.throws(
    () => say(command(3, "play", 0, null, "b")),
    (error) => error instanceof RtmpLimitError && error.context.limit === "messageStreams",
  );
});

const RANGES = [
  { args: [], range: { start: "any", duration: "all", reset: true } },
  { args: [-2], range: { start: "any", duration: "all", reset: true } },
  { args: [-2000, -1000, true], range: { start: "any", duration: "all", reset: true } },
  { args: [-1, -1, false], range: { start: "live", duration: "all", reset: false } },
  { args: [-1000, -1000], range: { start: "live", duration: "all", reset: true } },
  { args: [0, 0], range: { start: 0, duration: 0, reset: true } },
  { args: [2500, 1000, 0], range: { start: 2500, duration: 1000, reset: false } },
  { args: [0, 10, 1], range: { start: 0, duration: 10, reset: true } },
  { args: [-5, null, 2], range: { start: "any", duration: "all", reset: false } },
  { args: [Number.NaN, Number.NaN, "yes"], range: { start: "any", duration: "all", reset: true } },
] as const;

for (const { args, range } of RANGES) {
  test(`[NST5] play(name, ${args.join(", ")})`, () => {
    assert.deepEqual(readPlayRange(args), range);
    const [event] = openServer().say(command(1, "play", 0, null, "cam", ...args)).events;
    assert.partialDeepStrictEqual(event, { type: "play", messageStreamId: 1, streamName: "cam", ...range });
  });
}

test("[NST6] prefixes are taken off, queries stay and are told", () => {
  assert.deepEqual(splitStreamName("mp4:a/b.mp4?x=1"), { streamName: "a/b.mp4?x=1", query: "x=1", prefix: "mp4" });
  assert.deepEqual(splitStreamName("flv:a"), { streamName: "a", query: "", prefix: "flv" });
  assert.deepEqual(splitStreamName("mp3:a"), { streamName: "a", query: "", prefix: "mp3" });
  assert.deepEqual(splitStreamName("id3:a"), { streamName: "id3:a", query: "", prefix: undefined });
});

for (const { reset, isRecorded, expected } of [
  { reset: true, isRecorded: false, expected: ["begin", "Reset", "Start"] },
  { reset: false, isRecorded: false, expected: ["begin", "Start"] },
  { reset: true, isRecorded: true, expected: ["recorded", "begin", "Reset", "Start"] },
]) {
  test(`[NST7] [CTL7] order of an accepted play, reset ${reset}, recorded ${isRecorded}`, () => {
    const { server } = openServer();
    server.receive(command(1, "play", 0, null, "cam"));
    takeAll(server);
    server.acceptPlay(sid(1), { reset, isRecorded });
    const out = readSteadyMessages(server.nextOutput() as Uint8Array).map(describe);
    assert.equal(server.nextOutput(), undefined);
    const brief = out.map(([, name, body, , status]) => {
      if (name === "type 4") return body === "000400000001" ? "recorded" : "begin";
      return name === "onStatus" && status !== undefined
        ? (status as { code: string }).code.replace("NetStream.Play.", "")
        : name;
    });
    assert.deepEqual(brief, [...expected, "|RtmpSampleAccess", "NetStream.Data.Start"]);
    assert.deepEqual(out.at(-2), [1, "|RtmpSampleAccess", true, true]);
  });
}

test("[NST8] pause, seek, receiveAudio, receiveVideo and play2", () => {
  const { events, sent } = openServer().say(
    command(1, "pause", 0, null, true, 1500),
    command(1, "pauseRaw", 0, null, false),
    command(1, "seek", 0, null, 4000),
    command(1, "receiveAudio", 0, null, false),
    command(1, "receiveVideo", 0, null, true),
    command(1, "play2", 0, null, { streamName: "b", transition: "switch" }),
  );
  assert.deepEqual(sent, []);
  assert.deepEqual(events, [
    { type: "pause", messageStreamId: 1, isPaused: true, milliseconds: 1500 },
    { type: "pause", messageStreamId: 1, isPaused: false, milliseconds: 0 },
    { type: "seek", messageStreamId: 1, milliseconds: 4000 },
    { type: "receive-audio", messageStreamId: 1, enabled: false },
    { type: "receive-video", messageStreamId: 1, enabled: true },
    { type: "play2", messageStreamId: 1, parameters: amfObject({ streamName: "b", transition: "switch" }) },
  ]);
});

test("[NST8] the owner's statuses reach the player", () => {
  const { server } = openServer();
  server.sendStatus(sid(1), { level: "status", code: "NetStream.Pause.Notify", description: "Paused", details: "cam" });
  const [status] = readSteadyMessages(server.nextOutput() as Uint8Array).map(describe);
  assert.equal(status?.[0], 1);
  assert.equal((status?.[4] as { code: string }).code, "NetStream.Pause.Notify");
});

test("[NST9] a second play on a stream ends the first", () => {
  const { say } = openServer();
  say(command(1, "play", 0, null, "a"));
  const { events } = say(command(1, "play", 0, null, "b"));
  assert.deepEqual(events[0], { type: "stream-closed", messageStreamId: 1, by: "play", was: "play", streamName: "a" });
  assert.deepEqual(types(events), ["stream-closed", "play"]);
});

test("[NST10] one connection publishes on one stream and plays on another, not both on one", () => {
  const { say } = openServer();
  assert.deepEqual(types(say(PUBLISH, command(2, "play", 0, null, "b")).events), ["publish", "play"]);
  const { events, sent } = say(command(1, "play", 0, null, "c"));
  assert.deepEqual([events, codes(sent)], [[], ["NetStream.Play.Failed"]]);
});

test("[NST11] a publish on a stream in use is refused and the first goes on", () => {
  const { say } = openServer();
  say(PUBLISH);
  const { events, sent } = say(command(1, "publish", 9, null, "b"), message(8, new Uint8Array(2), { stream: 1 }));
  assert.deepEqual(types(events), ["media"]);
  assert.deepEqual(codes(sent), ["NetStream.Publish.BadName"]);
});
