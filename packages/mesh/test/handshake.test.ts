/** Who is at the other end: proofs, what is refused, and that neither a replay nor a reflection passes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { LinkFrameError, LinkRefusedError, type Refusal } from "@sluice/mesh/errors";
import { encodeFrame, FRAME_TYPE, FrameReader, LINK_CHANNEL, type LinkFrame } from "@sluice/mesh/frame";
import { AcceptHandshake, DialHandshake, type HandshakeOptions } from "@sluice/mesh/handshake";
import { encodeHello, type Incarnation, NONCE_BYTES } from "@sluice/mesh/hello";
import { DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { eventsOf, handshakeOptions, identity, linkPair, type PairOptions } from "./link-fixture.ts";

const secret = (text: string): Uint8Array => Buffer.from(text);

/** Why the two do not link, as each side tells it. */
function refusals(options: PairOptions): { readonly a: Refusal | undefined; readonly b: Refusal | undefined } {
  const pair = linkPair(options);
  pair.pump();
  const reasonOf = (error: Error | undefined): Refusal | undefined =>
    error instanceof LinkRefusedError ? error.context.reason : undefined;
  return {
    a: reasonOf(eventsOf(pair.events.a, "ended")[0]?.error),
    b: reasonOf(eventsOf(pair.events.b, "ended")[0]?.error),
  };
}

const both = (reason: Refusal) => ({ a: reason, b: reason });

test("[MSH10] two nodes with one secret know each other afterwards, also where bytes come one at a time", () => {
  for (const pieceBytes of [1, 7, 1_000]) {
    const pair = linkPair({ pieceBytes });
    pair.pump();
    assert.equal(pair.a.peer?.id, "b");
    assert.equal(pair.b.peer?.id, "a");
    assert.equal(pair.b.peer?.facts.get("roles"), "origin,edge");
  }
});

test("[MSH10] another secret, or another TLS connection, is refused on both sides", () => {
  assert.deepEqual(
    refusals({ a: { secrets: [secret("one")] }, b: { secrets: [secret("two")] } }),
    both("wrong-secret"),
  );
  assert.deepEqual(refusals({ a: { binding: secret("x") }, b: { binding: secret("y") } }), both("wrong-secret"));
  assert.deepEqual(refusals({ a: { secrets: [] } }), both("wrong-secret"));
});

test("[MSH10] a recorded dialogue that is played again proves nothing", () => {
  const recorded: LinkFrame[] = [];
  const dial = new DialHandshake("b", handshakeOptions("a"));
  const accept = new AcceptHandshake(handshakeOptions("b"));
  const hello = frameOf(dial.hello());
  const welcome = frameOf(accept.receive(hello).send);
  recorded.push(hello, frameOf(dial.receive(welcome).send));
  const again = new AcceptHandshake(handshakeOptions("b"));
  again.receive(recorded[0] as LinkFrame);
  assert.equal(again.receive(recorded[1] as LinkFrame).refused?.context.reason, "wrong-secret");
});

test("[MSH10] a challenge that is reflected proves nothing", () => {
  const victim = new AcceptHandshake(handshakeOptions("b"));
  const stranger = new DialHandshake("b", handshakeOptions("a", { secrets: [secret("unknown")] }));
  const welcome = frameOf(victim.receive(frameOf(stranger.hello())).send);
  const proofs = welcome.payload.slice(-33); // u8 count, 32 bytes
  const reflected = { type: FRAME_TYPE.proof, channel: LINK_CHANNEL, payload: proofs };
  assert.equal(victim.receive(reflected).refused?.context.reason, "wrong-secret");
});

test("[MSH11] a secret is changed by accept, switch, drop, and at each step all link with all", () => {
  const [old, fresh] = [secret("the old one"), secret("the new one")];
  const steps: readonly (readonly Uint8Array[])[] = [[old], [old, fresh], [fresh, old], [fresh]];
  for (let i = 0; i + 1 < steps.length; i++) {
    for (const [one, other] of [
      [steps[i], steps[i + 1]],
      [steps[i + 1], steps[i]],
    ]) {
      const pair = linkPair({ a: { secrets: one as Uint8Array[] }, b: { secrets: other as Uint8Array[] } });
      pair.pump();
      assert.equal(pair.a.peer?.id, "b", `step ${i}`);
    }
  }
});

test("[MSH12] who is not meant is refused, and both sides can tell why", () => {
  assert.deepEqual(refusals({ to: "c" }), both("wrong-target"));
  assert.deepEqual(refusals({ a: { own: identity("a", { purpose: "cache" }) } }), both("other-purpose"));
  assert.deepEqual(refusals({ b: { judge: () => "wrong-cluster" } }), both("wrong-cluster"));
  assert.deepEqual(refusals({ a: { judge: () => "refused" } }), both("refused"));
  const twin = { own: identity("a", { incarnation: 8 as Incarnation }) };
  assert.deepEqual(refusals({ to: "", b: twin }), both("own-id"));
  assert.deepEqual(refusals({ to: "", b: { own: identity("a") } }), both("self"));
});

test("[MSH12] a peer of other versions only is told so", () => {
  const accept = new AcceptHandshake(handshakeOptions("b"));
  const nonce = new Uint8Array(NONCE_BYTES);
  const hello = encodeHello({ oldest: 200, newest: 201, nonce, to: "b", from: identity("a") });
  const step = accept.receive({ type: FRAME_TYPE.hello, channel: LINK_CHANNEL, payload: hello });
  assert.equal(step.refused?.context.reason, "version");
});

test("[MSH13] a handshake that stands still ends", () => {
  const pair = linkPair();
  for (let now = 0; now <= DEFAULT_LINK_TIMINGS.handshake + 1_000; now += 500) pair.b.tick(now as Millis);
  pair.pump();
  assert.match(String(eventsOf(pair.events.b, "ended")[0]?.error), /no handshake within/);
});

test("who speaks another protocol is told apart from a node", () => {
  for (const text of [
    "GET / HTTP/1.1\r\n\r\n",
    "*1\r\n$4\r\nPING\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  ]) {
    const pair = linkPair();
    pair.b.receive(Buffer.from(text, "latin1"), 0 as Millis);
    pair.pump();
    assert.ok(eventsOf(pair.events.b, "ended")[0]?.error instanceof LinkFrameError, text);
  }
});

test("an acceptance before the proof, or a proof before the hello, ends the handshake", () => {
  const options: HandshakeOptions = handshakeOptions("b");
  const accept = new AcceptHandshake(options);
  assert.throws(
    () => accept.receive({ type: FRAME_TYPE.proof, channel: LINK_CHANNEL, payload: new Uint8Array(33) }),
    LinkFrameError,
  );
  const dial = new DialHandshake("a", options);
  assert.throws(
    () => dial.receive({ type: FRAME_TYPE.accepted, channel: LINK_CHANNEL, payload: new Uint8Array(0) }),
    LinkFrameError,
  );
});

function frameOf(bytes: Uint8Array | undefined): LinkFrame {
  assert.ok(bytes !== undefined);
  const reader = new FrameReader(64 * 1024);
  reader.offer(bytes);
  const frame = reader.take();
  assert.ok(frame !== undefined && encodeFrame(frame.type, frame.channel, frame.payload).length === bytes.length);
  return frame;
}
