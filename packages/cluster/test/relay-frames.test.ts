/** The bytes of version 1 of the channels of streams, and what becomes of all others. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { WireError } from "@sluice/bytes/wire-error";
import { decodeFrame, encodeFrame, FrameEncoder } from "@sluice/cluster/relay/frame-form";
import { RELAY_LIMITS } from "@sluice/cluster/relay/limits";
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  type StreamAnswer,
  type StreamRequest,
} from "@sluice/cluster/relay/messages";
import type { Frame, Timestamp, PublicationId } from "@sluice/media/frame";
import { fuzz } from "@sluice/testkit/fuzz";
import { hex, toHex } from "@sluice/testkit/hex";

const PUBLICATION = "00ff12345678abcd" as PublicationId;

/** @param at  where the data begins in the body @param end  behind its last byte */
function frame(of: Partial<Frame>, body = "1700000000aabb", at = 5, end = body.length / 2): Frame {
  const bytes = hex(body);
  return {
    kind: "video",
    role: "delta",
    trackId: 0,
    codec: "avc1",
    publication: PUBLICATION,
    sequence: 300,
    dts: 90_000 as Timestamp,
    timestamp: 90_000,
    compositionTime: 0 as Millis,
    body: bytes,
    data: bytes.subarray(at, end),
    isMultitrack: false,
    hasModEx: false,
    ...of,
  };
}

const FRAMES: Readonly<Record<string, Frame>> = {
  "a picture": frame({ role: "key", compositionTime: 80 as Millis }),
  "presented before it is decoded": frame({
    compositionTime: -40 as Millis,
    timestamp: 5,
    dts: 4294967290 as Timestamp,
  }),
  "a clock that was moved": frame({ timestamp: 1_000, dts: 3_601_000 as Timestamp, sequence: 2 ** 40 }),
  "a sound": frame({ kind: "audio", codec: "mp4a" }, "af01cc", 2),
  "one of several tracks": frame(
    { trackId: 255, codec: "hvc1", isMultitrack: true, hasModEx: true },
    "9601aabbcc",
    2,
    4,
  ),
  "a codec of old": frame({ kind: "audio", codec: "nellymoser" }, "62dd", 1),
  "decoder set-up": frame({ role: "config", flaw: "broken" }, "1700000000", 5),
  metadata: frame(
    {
      kind: "data",
      role: "metadata",
      codec: "",
      announces: {
        audio: true,
        video: false,
        width: 1920,
        height: 1080,
        sampleRate: 48_000,
        channels: 2,
        audioFlagAt: 3,
        videoFlagAt: 0,
      },
    },
    "02000a01",
    0,
  ),
  "empty metadata": frame({ kind: "data", role: "metadata", codec: "", flaw: "empty" }, "", 0),
  "a message": frame({ kind: "data", role: "side", codec: "" }, "0200", 0),
};

const ANSWERS: Readonly<Record<string, StreamAnswer>> = {
  source: { type: "source", form: 1, publication: PUBLICATION, path: ["n1", "ä"] },
  waiting: { type: "waiting" },
  unpublished: { type: "unpublished" },
  elsewhere: { type: "elsewhere", nodes: ["n3"] },
};

const REQUESTS: Readonly<Record<string, StreamRequest>> = {
  everything: { form: 1, wanted: 7, key: "live/cam", waiting: ["n2"] },
  "for another": { form: 1, wanted: 135, key: "live/cäm", waiting: ["n2", "n4"] },
};

interface Coding<T> {
  readonly values: Readonly<Record<string, T>>;
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T | undefined;
}

const CODINGS: Readonly<Record<string, Coding<never>>> = {
  frame: { values: FRAMES, encode: encodeFrame, decode: decodeFrame } as unknown as Coding<never>,
  answer: { values: ANSWERS, encode: encodeAnswer, decode: decodeAnswer } as unknown as Coding<never>,
  request: { values: REQUESTS, encode: encodeRequest, decode: decodeRequest } as unknown as Coding<never>,
};

/** Lines of `name: hexadecimal`, comments behind `#`. */
const GOLDEN = new Map(
  readFileSync(new URL("../../../fixtures/cluster/relay-version-1.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(": ") as [string, string]),
);

const NAMES = Object.entries(CODINGS).flatMap(([kind, { values }]) =>
  Object.keys(values).map((name) => `${kind}, ${name}`),
);

test("[RLY30] every frame, answer and request of version 1 has its golden bytes, and no others have", () => {
  assert.deepEqual([...GOLDEN.keys()], NAMES);
});

for (const [kind, { values, encode, decode }] of Object.entries(CODINGS)) {
  for (const [name, value] of Object.entries(values)) {
    test(`[RLY30] ${kind}, ${name}: bytes of version 1`, () => {
      const bytes = GOLDEN.get(`${kind}, ${name}`) ?? "";
      assert.equal(toHex(encode(value)), toHex(hex(bytes)));
      assert.deepEqual(decode(hex(bytes)), value);
    });
  }
}

test("[RLY30] a frame is encoded once for all links that take it", () => {
  const encoder = new FrameEncoder();
  const [one, two] = [frame({}), frame({ sequence: 301 })];
  assert.equal(encoder.encode(one), encoder.encode(one));
  assert.notEqual(encoder.encode(two), encoder.encode(one));
});

test("[RLY31] what no version sends is refused, messages of unknown types from 0x80 on are passed over", () => {
  assert.equal(decodeAnswer(Uint8Array.of(0x80, 1)), undefined);
  const picture = encodeFrame(frame({}));
  const changed = (at: number, to: number): Uint8Array => picture.map((byte, i) => (i === at ? to : byte));
  for (const [decode, bytes] of [
    [decodeAnswer, Uint8Array.of(0x7f)],
    [decodeAnswer, Uint8Array.of(5, RELAY_LIMITS.pathNodes * 2 + 1)],
    [decodeFrame, Uint8Array.of(2)],
    [decodeFrame, changed(1, 3)], // no fourth kind
    [decodeFrame, changed(1, 7 << 2)], // no eighth role
    [decodeFrame, changed(3, 200)], // no codec of this number
    [decodeFrame, picture.subarray(0, 10)],
    [decodeFrame, picture.subarray(0, picture.length - 7)], // its data lies behind its body
    [decodeFrame, hex("01000001" + "00".repeat(8) + "ff".repeat(9))], // a sequence beyond 2^53
    [decodeRequest, Uint8Array.of(1)],
  ] as const)
    assert.throws(() => decode(bytes), WireError, toHex(bytes));
  const outside = { ...FRAMES["metadata"], announces: { ...FRAMES["metadata"]?.announces, audioFlagAt: 4 } } as Frame;
  assert.throws(() => decodeFrame(encodeFrame(outside)), WireError, "a flag outside the body");
});

fuzz(
  "[RLY31] decoders of the channels of streams",
  (bytes) => {
    for (const decode of [decodeFrame, decodeAnswer, decodeRequest]) refused(() => decode(bytes));
  },
  { seeds: [...GOLDEN.values()].map(hex), allowed: [] },
);

function refused(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}
