/** The bytes of version 1 of the engine's channels, and what becomes of all others. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { WireError } from "@sluice/bytes/wire-error";
import {
  decodeAnswer,
  decodeCall,
  type EngineAnswer,
  type EngineCall,
  encodeAnswer,
  encodeCall,
} from "@sluice/cluster/engine/call-frames";
import {
  decodeFeedFrame,
  decodeFeedRequest,
  encodeFeedFrame,
  encodeFeedRequest,
  type FeedFrame,
  type FeedRequest,
} from "@sluice/cluster/engine/feed-frames";
import { fuzz } from "@sluice/testkit/fuzz";
import { hex, toHex } from "@sluice/testkit/hex";

const EPOCH = { generation: 3, number: 2 ** 33 + 5 };
const REQUEST = { client: "c1", sequence: 7 };
const VALUE = Uint8Array.of(0xaa, 0xbb);

const CALLS: Readonly<Record<string, EngineCall>> = {
  get: { type: "get", key: "ä/k" },
  "cas of nothing": { type: "cas", request: REQUEST, key: "k", expected: "absent", lease: undefined, value: VALUE },
  "cas under a lease": { type: "cas", request: REQUEST, key: "k", expected: EPOCH, lease: EPOCH, value: VALUE },
  remove: { type: "remove", request: REQUEST, key: "k", expected: EPOCH },
  grant: { type: "grant", ttl: 3000 as Millis },
  renew: { type: "renew", token: EPOCH, patience: 1000 as Millis },
  release: { type: "release", token: EPOCH },
  publish: { type: "publish", subject: "s", message: VALUE },
  append: { type: "append", request: REQUEST, log: "l", expectedLast: 9, value: VALUE },
  read: { type: "read", log: "l", from: 1 },
};

const ANSWERS: Readonly<Record<string, EngineAnswer>> = {
  none: { type: "none" },
  entry: { type: "entry", revision: EPOCH, value: VALUE },
  written: { type: "written", revision: EPOCH },
  "conflict with nothing": { type: "conflict-none" },
  "conflict with an entry": { type: "conflict-entry", revision: EPOCH, value: VALUE },
  "lease lost": { type: "lease-lost" },
  token: { type: "token", token: EPOCH },
  renewed: { type: "renewed" },
  gone: { type: "gone" },
  done: { type: "done" },
  appended: { type: "appended", sequence: 10 },
  "conflict of a log": { type: "log-conflict", sequence: 9 },
  records: {
    type: "records",
    records: [
      { sequence: 1, value: VALUE },
      { sequence: 2, value: new Uint8Array(0) },
    ],
  },
  unavailable: { type: "unavailable", isUnknown: true, reason: "no leader" },
};

const FRAMES: Readonly<Record<string, FeedFrame>> = {
  about: {
    type: "about",
    capabilities: {
      engine: "gcache",
      serverVersion: "",
      isDurable: true,
      survivesPowerLoss: false,
      survivesNodeLoss: true,
      enforcesLeases: true,
      hasLogs: true,
      maxValueBytes: 524288,
      maxKeyBytes: 1024,
    },
  },
  reset: { type: "reset" },
  put: { type: "put", entry: { key: "k", value: VALUE, revision: EPOCH } },
  deleted: { type: "deleted", key: "k", revision: EPOCH },
  current: { type: "current" },
  message: { type: "message", subject: 5, message: VALUE },
  synced: { type: "synced", number: 6 },
};

const REQUESTS: Readonly<Record<string, FeedRequest>> = {
  listen: { type: "listen", number: 5, subject: "s" },
  unlisten: { type: "unlisten", number: 5 },
  sync: { type: "sync", number: 6 },
};

interface Coding<T> {
  readonly values: Readonly<Record<string, T>>;
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T | undefined;
}

const CODINGS: Readonly<Record<string, Coding<never>>> = {
  call: { values: CALLS, encode: encodeCall, decode: decodeCall } as unknown as Coding<never>,
  answer: { values: ANSWERS, encode: encodeAnswer, decode: decodeAnswer } as unknown as Coding<never>,
  feed: { values: FRAMES, encode: encodeFeedFrame, decode: decodeFeedFrame } as unknown as Coding<never>,
  "feed request": {
    values: REQUESTS,
    encode: encodeFeedRequest,
    decode: decodeFeedRequest,
  } as unknown as Coding<never>,
};

/** Lines of `name: hexadecimal`, comments behind `#`. */
const GOLDEN = new Map(
  readFileSync(new URL("../../../fixtures/cluster/engine-version-1.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(": ") as [string, string]),
);

const NAMES = Object.entries(CODINGS).flatMap(([kind, { values }]) =>
  Object.keys(values).map((name) => `${kind}, ${name}`),
);

test("[CLU1] every call, answer and frame of version 1 has its golden bytes, and no others have", () => {
  assert.deepEqual([...GOLDEN.keys()], NAMES);
});

for (const [kind, { values, encode, decode }] of Object.entries(CODINGS)) {
  for (const [name, value] of Object.entries(values)) {
    test(`[CLU1] ${kind}, ${name}: bytes of version 1`, () => {
      const bytes = GOLDEN.get(`${kind}, ${name}`) ?? "";
      assert.equal(toHex(encode(value)), toHex(hex(bytes)));
      assert.deepEqual(decode(hex(bytes)), value);
    });
  }
}

test("[CLU2] frames of unknown types are passed over from 0x80 on, and end the link below; unknown calls and answers are refused", () => {
  for (const decode of [decodeFeedFrame, decodeFeedRequest]) {
    assert.equal(decode(Uint8Array.of(0x80, 1, 2)), undefined);
    assert.throws(() => decode(Uint8Array.of(0x7f)), WireError);
  }
  assert.throws(() => decodeCall(Uint8Array.of(99)), WireError);
  assert.throws(() => decodeAnswer(Uint8Array.of(99)), WireError);
  const beyond = "05" + "00200000 00000000".replace(" ", "") + "0000000000000001";
  assert.throws(() => decodeCall(hex(`${beyond}00000001`)), WireError, "a number beyond 2^53");
});

test("[CLU2] capabilities with fields of a later version are read, and without what every version has refused", () => {
  const of = (capabilities: object): Uint8Array =>
    Buffer.concat([Uint8Array.of(1), Buffer.from(JSON.stringify(capabilities))]);
  const known = (FRAMES["about"] as Extract<FeedFrame, { type: "about" }>).capabilities;
  assert.deepEqual(decodeFeedFrame(of({ ...known, later: [1] })), FRAMES["about"]);
  assert.throws(() => decodeFeedFrame(of({ ...known, maxValueBytes: -1 })), WireError);
  assert.throws(() => decodeFeedFrame(Uint8Array.of(1, 0x7b)), WireError);
});

const SEEDS = [...GOLDEN.values()].map(hex);

fuzz(
  "[CLU2] decoders of the engine's channels",
  (bytes) => {
    for (const decode of [decodeCall, decodeAnswer, decodeFeedFrame, decodeFeedRequest]) refused(() => decode(bytes));
  },
  { seeds: SEEDS, allowed: [] },
);

function refused(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}
