/** Shared-object messages: bodies by golden rows and by what they refuse, and their way through both engines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AmfValue, AmfDictionary, AmfVector, amfObject, EcmaArray } from "@sluice/amf/value";
import { LimitError, ShortReadError, WireError } from "@sluice/bytes/wire-error";
import { RtmpDialogueError, RtmpLimitError, RtmpMessageError, RtmpOrderError } from "@sluice/rtmp/errors";
import { DEFAULT_RTMP_LIMITS, type RtmpLimits } from "@sluice/rtmp/limits";
import {
  decodeSharedObject,
  encodeSharedObject,
  type SharedObjectEvent,
  type SharedObjectMessage,
} from "@sluice/rtmp/shared-object-message";
import { fuzz } from "@sluice/testkit/fuzz";
import { golden, goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import fc from "fast-check";
import { Conversation, createClient, createServer, join, limitsWith } from "./ports.ts";
import { CONNECT, message, openServer, plainHandshake, readMessages } from "./raw-peer.ts";
import { type Row, SHARED_OBJECT_GOLDEN, SHARED_OBJECT_LENIENT } from "./shared-object-golden.ts";

const decode = (bytes: Uint8Array, encoding: "amf0" | "amf3" = "amf0"): SharedObjectMessage =>
  decodeSharedObject(bytes, encoding, DEFAULT_RTMP_LIMITS);

const of = (rows: readonly Row[], encoding: "amf0" | "amf3"): Row[] =>
  rows.filter(({ value }) => value.encoding === encoding);

for (const encoding of ["amf0", "amf3"] as const) {
  const read = (bytes: Uint8Array): SharedObjectMessage => decode(bytes, encoding);
  const rows = of(SHARED_OBJECT_GOLDEN, encoding);
  const lenient = of(SHARED_OBJECT_LENIENT, encoding);
  golden(`shared object, ${encoding}`, rows, { decode: read, encode: encodeSharedObject });
  golden(`shared object, ${encoding}, leniently`, lenient, { decode: read });
  fuzz(`[RLM3] shared object, ${encoding}`, read, {
    seeds: goldenSeeds([...rows, ...lenient]),
    allowed: [WireError, LimitError],
  });
  fuzz(`[SOB421] shared object, ${encoding}, read, written, read`, (bytes) => settle(bytes, encoding), {
    seeds: goldenSeeds(rows),
    allowed: [WireError, LimitError],
  });
}

/** What could be read can be written; from then on nothing changes any more. */
function settle(bytes: Uint8Array, encoding: "amf0" | "amf3"): void {
  const once = decode(encodeSharedObject(decode(bytes, encoding)), encoding);
  assert.deepEqual(decode(encodeSharedObject(once), encoding), once);
}

test("[SOB426] a body that is cut anywhere is refused", () => {
  for (const { says, bytes, value } of SHARED_OBJECT_GOLDEN) {
    const whole = hex(bytes);
    const boundaries = new Set(eventEnds(whole, value.encoding));
    for (let length = 0; length < whole.length; length++)
      if (!boundaries.has(length))
        assert.throws(
          () => decode(whole.subarray(0, length), value.encoding),
          ShortReadError,
          `${says} cut at ${length}`,
        );
  }
});

/** Where a message could end: behind its head and behind each event. */
function eventEnds(bytes: Uint8Array, encoding: "amf0" | "amf3"): number[] {
  const view = Buffer.from(bytes);
  const start = encoding === "amf3" ? 1 : 0;
  let at = start + 2 + view.readUInt16BE(start) + 12;
  const ends = [at];
  while (at < view.length) {
    at += 5 + view.readUInt32BE(at + 1);
    ends.push(at);
  }
  return ends;
}

const HEAD = "0001 61 00000001 00000000 00000000";
for (const { says, bytes, encoding = "amf0", error = RtmpMessageError } of [
  { says: "a value that runs into the next event", bytes: `${HEAD} 04 00000004 0001 78 02 0001 61` },
  { says: "a name that runs into the next event", bytes: `${HEAD} 09 00000003 0005 6162636465` },
  { says: "a status whose level runs into the next event", bytes: `${HEAD} 07 00000003 0001 61 0001 62` },
  { says: "a property without a value at the end", bytes: `${HEAD} 04 00000003 0001 78`, error: ShortReadError },
  { says: "a send-message of no name", bytes: `${HEAD} 06 00000000`, error: ShortReadError },
  { says: "a send-message whose name is a number", bytes: `${HEAD} 06 00000009 00 4029000000000000` },
  { says: "an event of four gigabytes", bytes: `${HEAD} 04 ffffffff 0001 78 05`, error: ShortReadError },
  { says: "a reference to an object of no event", bytes: `${HEAD} 04 00000006 0001 78 07 0000`, error: WireError },
  { says: "a marker of no type", bytes: `${HEAD} 04 00000004 0001 78 0e`, error: WireError },
  { says: "an unknown encoding in type 16", bytes: `01 ${HEAD}`, encoding: "amf3" as const },
  { says: "type 16 of no bytes", bytes: "", encoding: "amf3" as const, error: ShortReadError },
]) {
  test(`[SOB426] ${says} is refused`, () => {
    assert.throws(() => decode(hex(bytes), encoding), error);
  });
}

for (const { limit, value, bytes } of [
  { limit: "sharedObjectBytes", value: 14, bytes: HEAD },
  { limit: "sharedObjectEvents", value: 2, bytes: `${HEAD} 01 00000000 0c 00000000 02 00000000` },
  { limit: "nameCharacters", value: 0, bytes: HEAD },
] as const satisfies readonly { limit: keyof RtmpLimits; value: number; bytes: string }[]) {
  test(`[SOB430] [RLM1] ${limit}`, () => {
    assert.throws(
      () => decodeSharedObject(hex(bytes), "amf0", limitsWith({ [limit]: value })),
      (error) => error instanceof RtmpLimitError && error.context.limit === limit && error.context.maximum === value,
    );
  });
}

test("[SOB430] a name that its 16-bit length cannot count is refused when written", () => {
  const names = ["k".repeat(0x1_0000)];
  const written = (events: readonly SharedObjectEvent[]) => () =>
    encodeSharedObject({ encoding: "amf0", name: "a", version: 0, isPersistent: false, events });
  assert.throws(written([{ type: "remove", names }]), { code: "LIMIT_AMF_KEY_BYTES" });
});

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const values: fc.Arbitrary<AmfValue> = fc.oneof(
  fc.constantFrom<AmfValue>(undefined, null, true, false, -0, Number.NaN),
  fc.double(),
  text,
  fc.integer({ min: -8.64e15, max: 8.64e15 }).map((millis) => new Date(millis)),
  fc.uint8Array(),
  fc.array(fc.integer()),
  fc.array(fc.double()).map((items) => new AmfVector("double", items)),
  fc.tuple(text, text).map((pair) => new AmfDictionary([pair])),
  fc.array(text).map((list) => amfObject({ list })),
  text.map((value) => new EcmaArray(amfObject({ named: value }))),
);
const properties = fc.array(fc.tuple(text, values), { maxLength: 5 });
const names = fc.array(text, { maxLength: 5 });
const events: fc.Arbitrary<SharedObjectEvent> = fc.oneof(
  fc.record({ type: fc.constantFrom("use", "release", "clear", "use-success", "request-clear") }),
  fc.record({ type: fc.constantFrom("request-change", "change", "change-echo"), properties }),
  fc.record({ type: fc.constantFrom("success", "remove", "request-remove"), names }),
  fc.record({ type: fc.constant("send-message"), name: text, args: fc.array(values, { maxLength: 5 }) }),
  fc.record({ type: fc.constant("status"), code: text, level: text }),
);
const messages: fc.Arbitrary<SharedObjectMessage> = fc.record({
  encoding: fc.constantFrom("amf0", "amf3"),
  name: text,
  version: fc.integer({ min: 0, max: 0xffffffff }),
  isPersistent: fc.boolean(),
  events: fc.array(events, { maxLength: 8 }),
});

test("[SOB421] [SOB422] messages there and back, in both encodings", () => {
  fc.assert(
    fc.property(messages, (one) => {
      const plain = { ...one, events: one.events.map((event) => ({ ...event })) };
      assert.deepEqual(decode(encodeSharedObject(one), one.encoding), plain);
    }),
    { numRuns: 500 },
  );
});

const say = (name: string, ...list: readonly SharedObjectEvent[]): SharedObjectMessage => ({
  encoding: "amf0",
  name,
  version: 1,
  isPersistent: false,
  events: list,
});

test("[SOB428] both engines send and receive, several objects on one connection, in both encodings", () => {
  const conversation = new Conversation();
  const { client, server } = conversation;
  client.start({ app: "live", tcUrl: "rtmp://h/live" });
  conversation.run();
  const long = "x".repeat(70_000); // more than one chunk
  const asked = [
    say("ball", { type: "use" }),
    { ...say("scores", { type: "use" }), isPersistent: true },
    { ...say("ball", { type: "request-change", properties: [["p", [1, "a"]]] }), encoding: "amf3" as const },
    say("scores", { type: "send-message", name: "hello", args: [long] }),
  ];
  for (const one of asked) client.sendSharedObject(one);
  conversation.run();
  assert.deepEqual(
    conversation.told("shared-object").map((event) => event.message),
    asked,
  );
  const answered = [
    say("ball", { type: "use-success" }, { type: "clear" }, { type: "change", properties: [["p", [1, "a"]]] }),
    { ...say("scores", { type: "status", code: "SharedObject.BadPersistence", level: "error" }), isPersistent: true },
    { ...say("ball", { type: "change", properties: [["q", new Date(1000)]] }), encoding: "amf3" as const },
  ];
  for (const one of answered) server.sendSharedObject(one);
  const [last] = answered.slice(-1) as [SharedObjectMessage];
  server.sendSharedObject({ encoding: last.encoding, body: encodeSharedObject(last) });
  conversation.run();
  assert.deepEqual(
    conversation.clientEvents.flatMap((event) => (event.type === "shared-object" ? [event.message] : [])),
    [...answered, last],
  );
});

test("[SOB428] they are sent on message stream 0 and chunk stream 3", () => {
  const { server } = openServer();
  for (const encoding of ["amf0", "amf3"] as const) server.sendSharedObject({ ...say("a"), encoding });
  const out = server.nextOutput() ?? new Uint8Array(0);
  assert.equal((out[0] as number) & 0x3f, 3);
  assert.deepEqual(
    readMessages(out).map(({ typeId, messageStreamId, timestamp }) => [typeId, messageStreamId, timestamp]),
    [
      [19, 0, 0],
      [16, 0, 0],
    ],
  );
});

test("[SOB429] before the answer to connect there are none: the server ends the session, the client's owner hears it", () => {
  const server = createServer();
  const early = message(19, encodeSharedObject(say("a", { type: "use" })));
  assert.throws(() => server.receive(join(plainHandshake(), early)), RtmpDialogueError);
  assert.throws(() => createClient().sendSharedObject(say("a")), RtmpOrderError);
});

test("[SOB429] what comes while connect is judged is told behind the verdict", () => {
  const server = createServer();
  server.receive(join(plainHandshake(), CONNECT, message(19, encodeSharedObject(say("a", { type: "use" })))));
  assert.equal(server.nextEvent()?.type, "handshake-done");
  assert.equal(server.nextEvent()?.type, "connect");
  assert.equal(server.nextEvent(), undefined);
  server.acceptConnect();
  assert.deepEqual(server.nextEvent(), { type: "shared-object", message: say("a", { type: "use" }) });
});

test("[SOB426] a broken body ends the session that sent it", () => {
  for (const type of [19, 16]) {
    const { server } = openServer();
    assert.throws(() => server.receive(message(type, hex("0001 61 0000"))), WireError);
  }
});
