/** Heartbeats, silence, and a process that stood still itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { encodeFrame, FRAME_TYPE, LINK_CHANNEL } from "@sluice/mesh/frame";
import { eventsOf, linkPair } from "./link-fixture.ts";

const { heartbeat, silence } = DEFAULT_LINK_TIMINGS;

test("[MSH30] heartbeats keep a quiet link alive and measure its round trip", () => {
  const pair = linkPair();
  pair.pump();
  for (let i = 0; i < 20; i++) {
    pair.now += heartbeat / 2;
    pair.a.tick(pair.now as Millis);
    pair.b.tick(pair.now as Millis);
    pair.pump();
  }
  assert.equal(pair.a.hasEnded || pair.b.hasEnded, false);
  assert.equal(pair.a.rtt, 0);
});

test("[MSH30] a peer that says nothing is given up after the silence, not before", () => {
  const pair = linkPair();
  pair.pump();
  let now = 0;
  for (; now + heartbeat / 2 < silence; now += heartbeat / 2) pair.a.tick(now as Millis);
  assert.equal(pair.a.hasEnded, false);
  pair.a.tick((now + heartbeat) as Millis);
  pair.pump();
  assert.match(String(eventsOf(pair.events.a, "ended")[0]?.error), /nothing heard for/);
});

test("[MSH31] a process that stood still listens first, and gives the peer up only after another silence", () => {
  const pair = linkPair();
  pair.pump();
  let now = 20_000;
  pair.a.tick(now as Millis);
  assert.equal(pair.a.hasEnded, false);
  for (; now < 20_000 + silence - 500; now += 500) pair.a.tick(now as Millis);
  assert.equal(pair.a.hasEnded, false);
  for (; now <= 20_000 + silence; now += 500) pair.a.tick(now as Millis);
  assert.equal(pair.a.hasEnded, true);
});

test("[MSH32] a goodbye ends both sides without an error, after what was sent", () => {
  const pair = linkPair();
  pair.pump();
  const channel = pair.a.openChannel("news", { class: "state" });
  channel.send(Uint8Array.of(1));
  pair.pump();
  pair.a.goodbye("stopping");
  pair.pump();
  assert.deepEqual(
    [eventsOf(pair.events.a, "ended")[0]?.error, eventsOf(pair.events.b, "ended")[0]?.error],
    [undefined, undefined],
  );
  assert.equal(eventsOf(pair.events.b, "ended").length, 1);
});

test("[MSH3] unknown frames are passed over or end the link, as their type says", () => {
  const pair = linkPair();
  pair.pump();
  pair.b.receive(encodeFrame(0x93, LINK_CHANNEL, Uint8Array.of(1, 2)), 0 as Millis);
  assert.equal(pair.b.hasEnded, false);
  assert.equal(pair.b.counts.framesSkipped, 1);
  pair.b.receive(encodeFrame(0x13, LINK_CHANNEL, Uint8Array.of(1, 2)), 0 as Millis);
  pair.pump();
  assert.match(String(eventsOf(pair.events.b, "ended")[0]?.error), /unknown type 19/);
  assert.equal(FRAME_TYPE.goodbye, 0x12);
});
