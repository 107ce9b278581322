/** The bytes of version 1, and what becomes of all others. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { WireError } from "@sluice/bytes/wire-error";
import { LinkFrameError } from "@sluice/mesh/errors";
import { type ChannelId, encodeFrame, FRAME_TYPE, FrameReader, LINK_CHANNEL } from "@sluice/mesh/frame";
import { AcceptHandshake, DialHandshake } from "@sluice/mesh/handshake";
import { decodeHello, encodeHello, type Incarnation } from "@sluice/mesh/hello";
import { fuzz } from "@sluice/testkit/fuzz";
import { hex, toHex } from "@sluice/testkit/hex";
import fc from "fast-check";
import { CRYPTO, eventsOf, handshakeOptions, identity, linkPair } from "./link-fixture.ts";

/** Lines of `name: hexadecimal`, comments behind `#`. */
function readGolden(): ReadonlyMap<string, string> {
  const text = readFileSync(new URL("../../../fixtures/mesh/version-1.txt", import.meta.url), "utf8");
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(": ") as [string, string]),
  );
}

/** What version 1 says in a short dialogue, nonces and clocks fixed. */
function dialogue(): ReadonlyMap<string, string> {
  let nonce = 0;
  const crypto = { ...CRYPTO, randomBytes: (count: number) => new Uint8Array(count).fill(++nonce) };
  const facts = new Map([
    ["roles", "origin"],
    ["address.rtmp", "10.0.0.1:1935"],
  ]);
  const a = {
    own: identity("a", { incarnation: 0x01020304 as Incarnation, facts }),
    crypto,
    secrets: [hex("00112233")],
  };
  const b = { own: identity("b", { incarnation: 5 as Incarnation }), crypto, secrets: [hex("00112233"), hex("44")] };
  const dial = new DialHandshake("b", handshakeOptions("a", a));
  const accept = new AcceptHandshake(handshakeOptions("b", b));
  const take = (bytes: Uint8Array) => {
    const reader = new FrameReader(4_096);
    reader.offer(bytes);
    return reader.take() as NonNullable<ReturnType<FrameReader["take"]>>;
  };
  const hello = dial.hello();
  const welcome = accept.receive(take(hello)).send as Uint8Array;
  const proof = dial.receive(take(welcome)).send as Uint8Array;
  const accepted = accept.receive(take(proof)).send as Uint8Array;
  const frames = new Map([
    ["hello", hello],
    ["welcome", welcome],
    ["proof", proof],
    ["accepted", accepted],
  ]);
  const pair = linkPair();
  pair.pump();
  const channel = pair.a.openChannel("calls", { class: "state", greeting: Uint8Array.of(0xaa) });
  channel.send(Uint8Array.of(1, 2, 3));
  channel.close("refused", "no");
  frames.set("open, message, close", pair.a.nextOutput(0 as Millis) as Uint8Array);
  pair.a.tick(1_000 as Millis);
  frames.set("alive", pair.a.nextOutput(1_000 as Millis) as Uint8Array);
  pair.a.goodbye("stopping");
  frames.set("goodbye", pair.a.nextOutput(1_000 as Millis) as Uint8Array);
  return new Map([...frames].map(([name, bytes]) => [name, toHex(bytes)]));
}

test("[MSH2] version 1 is spoken as its golden bytes say", () => {
  assert.deepEqual(Object.fromEntries(dialogue()), Object.fromEntries(readGolden()));
});

test("[MSH2] a hello comes back as it was, facts of unknown names included", () => {
  const text = fc.string({ maxLength: 40 });
  fc.assert(
    fc.property(
      text.filter((id) => id !== ""),
      text,
      fc.array(fc.tuple(text, text), { maxLength: 10 }),
      (id, to, facts) => {
        const from = identity(id.toWellFormed(), {
          facts: new Map(facts.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()])),
        });
        const hello = { oldest: 1, newest: 3, nonce: new Uint8Array(32).fill(4), to: to.toWellFormed(), from };
        assert.deepEqual(decodeHello(encodeHello(hello)), hello);
      },
    ),
  );
});

test("[MSH1] any split of the bytes gives the same frames", () => {
  const frames = fc.array(fc.tuple(fc.nat(255), fc.nat(2 ** 32 - 1), fc.uint8Array({ maxLength: 300 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 50 }), (list, pieceBytes) => {
      const bytes = Buffer.concat(list.map(([type, id, payload]) => encodeFrame(type, id as ChannelId, payload)));
      const reader = new FrameReader(300);
      const taken: unknown[] = [];
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        reader.offer(Uint8Array.from(bytes.subarray(at, at + pieceBytes)));
        for (let frame = reader.take(); frame !== undefined; frame = reader.take()) {
          taken.push([frame.type, frame.channel, Uint8Array.from(frame.payload)]);
        }
      }
      assert.deepEqual(taken, list);
    }),
  );
});

test("[MSH1] a length over the limit is refused from the header alone", () => {
  const reader = new FrameReader(100);
  reader.offer(hex("000065 22 00000001"));
  assert.throws(() => reader.take(), LinkFrameError);
});

const seeds = [...dialogue().values()].map(hex);

fuzz(
  "[MSH4] a link before and after its handshake",
  (bytes) => {
    const stranger = linkPair();
    stranger.b.receive(bytes.slice(), 0 as Millis);
    const known = linkPair();
    known.pump();
    known.a.openChannel("calls", { class: "state" });
    known.pump();
    known.b.receive(bytes, 0 as Millis);
    for (const pair of [stranger, known]) {
      pair.pump();
      const error = eventsOf(pair.events.b, "ended")[0]?.error;
      if (error !== undefined && !(error instanceof WireError)) throw error;
    }
  },
  { seeds: [...seeds, encodeFrame(FRAME_TYPE.credit, LINK_CHANNEL, hex("00000001"))], allowed: [] },
);

test("[MSH4] a link that was fed garbage has ended with an error of the wire", () => {
  const pair = linkPair();
  pair.b.receive(hex("000001 01 00000000 ff"), 0 as Millis);
  pair.pump();
  assert.ok(eventsOf(pair.events.b, "ended")[0]?.error instanceof WireError);
});
