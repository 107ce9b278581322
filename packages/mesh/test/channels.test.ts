/** Channels of one link: order, cutting, credit, priority, the bound on bytes under way, and how they end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { CONTROL_MESSAGE_BYTES, INITIAL_CREDIT } from "@sluice/mesh/channel";
import { ChannelStateError, LinkFrameError } from "@sluice/mesh/errors";
import { encodeFrame, FRAME_HEADER_BYTES, FRAME_TYPE, FrameReader, type ChannelId } from "@sluice/mesh/frame";
import { DEFAULT_LINK_LIMITS } from "@sluice/mesh/limits";
import { FlightWindow } from "@sluice/mesh/flight-window";
import fc from "fast-check";
import { eventsOf, linkPair, move } from "./link-fixture.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

test("[MSH20] messages of any size arrive whole and in order on each channel, in pieces of any size", () => {
  const anySize = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 70_000 }));
  const sends = fc.array(fc.record({ channel: fc.nat(3), size: anySize }), { maxLength: 30 });
  fc.assert(
    fc.property(sends, fc.integer({ min: 1, max: 20_000 }), (messages, pieceBytes) => {
      const pair = linkPair({ pieceBytes });
      pair.pump();
      const channels = (["control", "state", "media", "bulk"] as const).map((kind) =>
        pair.a.openChannel(kind, { class: kind }),
      );
      const sent = channels.map((): number[][] => []);
      messages.forEach(({ channel, size }, i) => {
        const message = filled(Math.min(size, channel === 0 ? CONTROL_MESSAGE_BYTES : size), i);
        assert.equal(channels[channel]?.send(message), "queued");
        sent[channel]?.push([message.length, i]);
      });
      pair.pump();
      const arrived = channels.map(({ service }) =>
        eventsOf(pair.events.b, "message")
          .filter(({ channel }) => channel.service === service)
          .map(({ message }) => [message.length, message[0]]),
      );
      const expected = sent.map((list) => list.map(([size, i]) => [size, size === 0 ? undefined : i]));
      assert.deepEqual(arrived, expected);
    }),
    { numRuns: 40 },
  );
});

test("[MSH20] both sides open channels, and a greeting comes with the opening", () => {
  const pair = linkPair();
  pair.pump();
  const up = pair.a.openChannel("stream live/cam", { class: "media", greeting: filled(3, 9) });
  const down = pair.b.openChannel("calls", { class: "state" });
  up.send(filled(2, 1));
  down.send(filled(2, 2));
  pair.pump();
  const [opened] = eventsOf(pair.events.b, "opened");
  assert.equal(opened?.channel.service, "stream live/cam");
  assert.deepEqual(opened?.greeting, filled(3, 9));
  opened?.channel.send(filled(1, 3));
  pair.pump();
  assert.deepEqual(
    eventsOf(pair.events.a, "message").map(({ channel, message }) => [channel.service, message[0]]),
    [
      ["calls", 2],
      ["stream live/cam", 3],
    ],
  );
});

test("[MSH21] a control message overtakes what waits of a large one, frame by frame", () => {
  const pair = linkPair();
  pair.pump();
  const bulk = pair.a.openChannel("snapshot", { class: "bulk" });
  const control = pair.a.openChannel("votes", { class: "control" });
  bulk.send(filled(16 * MIB, 1));
  const first = pair.a.nextOutput(0 as Millis) as Uint8Array;
  assert.ok(first.length < 2 * DEFAULT_LINK_LIMITS.sentFrameBytes);
  pair.b.receive(first, 0 as Millis);
  control.send(filled(10, 2));
  pair.pump();
  const messages = eventsOf(pair.events.b, "message").map(({ channel }) => channel.service);
  assert.deepEqual(messages, ["votes", "snapshot"]);
});

test("[MSH22] a receiver that releases nothing is sent its window and no more, and goes on after a release", () => {
  const creditBytes = 256 * KIB;
  const pair = linkPair({ limits: { creditBytes } });
  pair.pump();
  const reader = pair.b.openChannel("frames", { class: "media", credit: "manual" });
  pair.pump();
  const [opened] = eventsOf(pair.events.a, "opened");
  for (let i = 0; i < 100; i++) opened?.channel.send(filled(10 * KIB, i));
  pair.pump();
  const held = eventsOf(pair.events.b, "message").length;
  assert.ok(held * 10 * KIB <= creditBytes + INITIAL_CREDIT, `${held} messages`);
  assert.ok(held < 100);
  reader.release(held * 10 * KIB);
  pair.pump();
  assert.ok(eventsOf(pair.events.b, "message").length > held);
});

test("[MSH22] a message larger than the window arrives", () => {
  const pair = linkPair({ limits: { creditBytes: 128 * KIB } });
  pair.pump();
  pair.b.openChannel("frames", { class: "bulk", credit: "manual" });
  pair.pump();
  eventsOf(pair.events.a, "opened")[0]?.channel.send(filled(3 * MIB, 5));
  pair.pump();
  assert.equal(eventsOf(pair.events.b, "message")[0]?.message.length, 3 * MIB);
});

test("[MSH22] a peer that sends beyond its credit loses the link", () => {
  const pair = linkPair();
  pair.pump();
  pair.b.openChannel("frames", { class: "media", credit: "manual" });
  pair.pump();
  const payload = filled(60 * KIB, 1);
  for (let i = 0; i < 100; i++) pair.b.receive(encodeFrame(FRAME_TYPE.end, 2 as ChannelId, payload), 0 as Millis);
  pair.pump();
  assert.match(String(eventsOf(pair.events.b, "ended")[0]?.error), /over the credit/);
});

test("[MSH23, MSH373] a full queue takes nothing and says when it has room", () => {
  const pair = linkPair({ limits: { queuedBytes: 100 * KIB } });
  pair.pump();
  const channel = pair.a.openChannel("frames", { class: "media" });
  assert.equal(channel.send(filled(90 * KIB, 1)), "queued");
  assert.equal(channel.send(filled(20 * KIB, 2)), "full");
  assert.equal(channel.queuedBytes, 90 * KIB);
  assert.deepEqual([...pair.a.counts.drops.media], [["full", 1]]);
  assert.equal(pair.a.counts.drops.state.size, 0);
  pair.pump();
  assert.equal(eventsOf(pair.events.a, "drained").length, 1);
  assert.equal(channel.send(filled(20 * KIB, 3)), "queued");
  pair.pump();
  assert.deepEqual(
    eventsOf(pair.events.b, "message").map(({ message }) => message[0]),
    [1, 3],
  );
});

test("[MSH23] a sender that holds back earlier is told once, when no more waits than it named", () => {
  const pair = linkPair();
  pair.pump();
  const channel = pair.a.openChannel("changes", { class: "state" });
  for (let number = 1; number <= 3; number++) channel.send(filled(10 * KIB, number));
  channel.tellDrained(10 * KIB);
  const waiting: number[] = [];
  for (let bytes = pair.a.nextOutput(0 as Millis); bytes !== undefined; bytes = pair.a.nextOutput(0 as Millis)) {
    for (let event = pair.a.nextEvent(); event !== undefined; event = pair.a.nextEvent()) {
      if (event.type === "drained") waiting.push(channel.queuedBytes);
    }
  }
  assert.equal(waiting.length, 1);
  assert.ok((waiting[0] as number) <= 10 * KIB);
});

test("[MSH24] bulk moves on while state always has more to say", () => {
  const pair = linkPair();
  pair.pump();
  const state = pair.a.openChannel("changes", { class: "state" });
  const bulk = pair.a.openChannel("snapshot", { class: "bulk" });
  bulk.send(filled(40 * KIB, 1));
  for (let i = 0; i < 1_000 && eventsOf(pair.events.b, "message").every((m) => m.channel.service === "changes"); i++) {
    while (state.queuedBytes < 64 * KIB) state.send(filled(16 * KIB, 2));
    const bytes = pair.a.nextOutput(0 as Millis);
    if (bytes !== undefined) pair.b.receive(bytes, 0 as Millis);
    move(pair.b, pair.a, 0);
    for (let event = pair.b.nextEvent(); event !== undefined; event = pair.b.nextEvent()) pair.events.b.push(event);
  }
  assert.ok(eventsOf(pair.events.b, "message").some(({ channel }) => channel.service === "snapshot"));
});

test("[MSH25] no more is under way than the window, but for control", () => {
  const pair = linkPair();
  pair.pump();
  const bulk = pair.a.openChannel("snapshot", { class: "bulk" });
  const control = pair.a.openChannel("votes", { class: "control" });
  bulk.send(filled(1, 0));
  control.send(filled(1, 0));
  pair.pump(); // both channels have their credit then
  bulk.send(filled(16 * MIB, 1));
  let underWay = 0;
  for (let bytes = pair.a.nextOutput(0 as Millis); bytes; bytes = pair.a.nextOutput(0 as Millis))
    underWay += bytes.length;
  assert.ok(underWay <= DEFAULT_LINK_LIMITS.windowMin + 2 * DEFAULT_LINK_LIMITS.sentFrameBytes, `${underWay} bytes`);
  control.send(filled(100, 2));
  assert.equal(pair.a.nextOutput(0 as Millis)?.length, 100 + FRAME_HEADER_BYTES);
});

test("[MSH25] the window grows on a path that keeps its delay, and shrinks when a queue stands on it", () => {
  const window = new FlightWindow({ windowMin: 64 * KIB, windowMax: 4 * MIB });
  let now = 0;
  let total = 0;
  const round = (rtt: number): void => {
    const start = now;
    while (window.hasRoom()) window.sent(16 * KIB, start as Millis);
    total += window.inFlight;
    now += rtt;
    assert.ok(window.acknowledged(total % 2 ** 32, "at once", now as Millis));
  };
  for (let i = 0; i < 10; i++) round(20);
  assert.equal(window.size, 4 * MIB);
  for (let i = 0; i < 20; i++) round(200);
  assert.ok(window.size < 512 * KIB, `${window.size}`);
});

test("[MSH26] closing sends what was queued, and both sides hear it once", () => {
  const pair = linkPair();
  pair.pump();
  const channel = pair.a.openChannel("frames", { class: "media" });
  channel.send(filled(200 * KIB, 1));
  channel.close("failed", "the publisher went away");
  assert.equal(channel.send(filled(1, 2)), "closed");
  pair.pump();
  assert.equal(eventsOf(pair.events.b, "message").length, 1);
  const closed = eventsOf(pair.events.b, "closed");
  assert.deepEqual(
    closed.map(({ code, reason }) => [code, reason]),
    [["failed", "the publisher went away"]],
  );
  assert.deepEqual([...pair.a.channels, ...pair.b.channels], []);
});

test("[MSH26] what was under way to a closed channel is passed over", () => {
  const pair = linkPair();
  pair.pump();
  const channel = pair.a.openChannel("frames", { class: "media" });
  pair.pump();
  channel.send(filled(10, 1));
  eventsOf(pair.events.b, "opened")[0]?.channel.close("refused", "no such stream");
  const late = pair.a.nextOutput(0 as Millis) as Uint8Array;
  move(pair.b, pair.a, 0);
  pair.b.receive(late, 0 as Millis);
  pair.pump();
  assert.equal(pair.b.hasEnded, false);
  assert.equal(eventsOf(pair.events.a, "closed")[0]?.code, "refused");
});

test("[MSH26] the end of a link closes its channels as lost, before its own end is told", () => {
  const pair = linkPair();
  pair.pump();
  pair.a.openChannel("frames", { class: "media" });
  pair.pump();
  pair.b.end(new Error("cut"));
  pair.pump();
  assert.deepEqual(
    pair.events.b.slice(-2).map((event) => (event.type === "closed" ? event.code : event.type)),
    ["lost", "ended"],
  );
  assert.throws(() => pair.b.openChannel("more", { class: "state" }), ChannelStateError);
});

test("[MSH27] a channel too many is refused on that channel", () => {
  const pair = linkPair({ limits: { channels: 2 } });
  pair.pump();
  pair.a.openChannel("1", { class: "state" });
  pair.a.openChannel("2", { class: "state" });
  assert.throws(() => pair.a.openChannel("3", { class: "state" }), ChannelStateError);
  pair.pump();
  const open = encodeFrame(FRAME_TYPE.open, 5 as ChannelId, Uint8Array.of(1, 1, 0x33));
  pair.b.receive(open, 0 as Millis);
  assert.equal(pair.b.hasEnded, false);
  const reader = new FrameReader(64 * KIB);
  for (let bytes = pair.b.nextOutput(0 as Millis); bytes; bytes = pair.b.nextOutput(0 as Millis)) reader.offer(bytes);
  const types: number[] = [];
  for (let frame = reader.take(); frame !== undefined; frame = reader.take()) {
    if (frame.channel === 5) types.push(frame.type, frame.payload[0] as number);
  }
  assert.deepEqual(types, [FRAME_TYPE.close, 1]);
});

test("[MSH28] frames out of place end the link", () => {
  const bad: readonly (readonly [string, Uint8Array])[] = [
    ["an acknowledgement of nothing", encodeFrame(FRAME_TYPE.acknowledge, 0 as ChannelId, Uint8Array.of(0, 1, 0, 0))],
    ["a part on a channel never opened", encodeFrame(FRAME_TYPE.part, 3 as ChannelId, Uint8Array.of(1))],
    ["a part on the link's own channel", encodeFrame(FRAME_TYPE.part, 0 as ChannelId, Uint8Array.of(1))],
    ["a channel of the other side's numbers", encodeFrame(FRAME_TYPE.open, 2 as ChannelId, Uint8Array.of(1, 0))],
    ["a channel of an unknown class", encodeFrame(FRAME_TYPE.open, 1 as ChannelId, Uint8Array.of(9, 0))],
    ["another hello", encodeFrame(FRAME_TYPE.hello, 0 as ChannelId, Uint8Array.of(1))],
  ];
  for (const [says, frame] of bad) {
    const pair = linkPair();
    pair.pump();
    pair.b.receive(frame, 0 as Millis);
    pair.pump();
    assert.ok(eventsOf(pair.events.b, "ended")[0]?.error instanceof LinkFrameError, says);
  }
  const twice = linkPair();
  twice.pump();
  const open = encodeFrame(FRAME_TYPE.open, 1 as ChannelId, Uint8Array.of(1, 0));
  twice.b.receive(open, 0 as Millis);
  twice.b.receive(open.slice(), 0 as Millis);
  assert.ok(twice.b.hasEnded);
});

test("a message over the limit of its class is the sender's own mistake", () => {
  const pair = linkPair();
  pair.pump();
  const control = pair.a.openChannel("votes", { class: "control" });
  assert.throws(() => control.send(filled(CONTROL_MESSAGE_BYTES + 1, 0)), ChannelStateError);
});
