/** Operations and answers as bytes: golden rows, and whatever else arrives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "@sluice/bytes/wire-error";
import type { Millis } from "@sluice/base/brand";
import { decodeAnswer, encodeAnswer } from "@sluice/cache/state/answer-codec";
import { crc32 } from "@sluice/cache/state/crc32";
import { latin1Bytes } from "@sluice/cache/state/integer-text";
import type { CacheName, EntryVersion, LeaseId, OperationAnswer } from "@sluice/cache/state/operation";
import { decodeOperation, encodeOperation, type Request } from "@sluice/cache/state/operation-codec";
import { fuzz } from "@sluice/testkit/fuzz";
import { type GoldenRow, golden, goldenSeeds } from "@sluice/testkit/golden";
import { CACHE, increment, LogFeeder, remove, set } from "./support/log-feeder.ts";

const OPERATIONS: readonly GoldenRow<Request>[] = [
  {
    says: "plain set",
    bytes: "01 01 30 00 0001 61 00000002 7631",
    value: { operation: set("a", "v1"), requestId: undefined },
  },
  {
    says: "set with everything, and a request id",
    bytes: "81 02 6331 401c000000000000 01 30 3e 408f400000000000 4014000000000000 4008000000000000 0001 61 00000000",
    value: {
      operation: set("a", "", {
        expiry: 1_000 as Millis,
        when: 5 as EntryVersion,
        lease: 3 as LeaseId,
        answerWith: "previous",
      }),
      requestId: { client: "c1", sequence: 7 },
    },
  },
  {
    says: "delete",
    bytes: "02 01 30 00 00000002 0001 61 0001 62",
    value: { operation: remove("a", "b"), requestId: undefined },
  },
  {
    says: "look at facts",
    bytes: "1a 01 30 01 00000002 0001 61 0001 62",
    value: {
      operation: { type: "look", cache: CACHE, wants: "facts", keys: [latin1Bytes("a"), latin1Bytes("b")] },
      requestId: undefined,
    },
  },
  {
    says: "transaction",
    bytes:
      "1b 00000001 01 30 0001 77 4014000000000000 408f400000000000" +
      " 00000004 04 01 30 0001 6e 0000000000000001 1a 01 30 00 00000001 0001 6e 13" +
      " 10 00000000 00000001 01 01 30 00 0001 61 00000000",
    value: {
      operation: {
        type: "transaction",
        watched: [{ cache: CACHE, key: latin1Bytes("w"), version: 5 as EntryVersion, expiresAt: 1_000 as Millis }],
        parts: [
          increment("n"),
          { type: "look", cache: CACHE, wants: "value", keys: [latin1Bytes("n")] },
          { type: "flush-all" },
          { type: "batch", conditions: [], operations: [set("a", "")] },
        ],
      },
      requestId: undefined,
    },
  },
  {
    says: "expire, only later",
    bytes: "03 01 30 0b 408f400000000000 0001 61",
    value: {
      operation: {
        type: "expire",
        cache: CACHE,
        key: latin1Bytes("a"),
        expiry: 1_000 as Millis,
        when: "later",
        answerWith: "count",
      },
      requestId: undefined,
    },
  },
  {
    says: "increment by a negative number",
    bytes: "04 01 30 0001 6e fffffffffffffffe",
    value: { operation: increment("n", -2n), requestId: undefined },
  },
  {
    says: "increment by the lowest number",
    bytes: "04 01 30 0001 6e 8000000000000000",
    value: { operation: increment("n", -(2n ** 63n)), requestId: undefined },
  },
  {
    says: "increment by a fraction",
    bytes: "05 01 30 0001 6e 03 302e35",
    value: {
      operation: { type: "increment-float", cache: CACHE, key: latin1Bytes("n"), by: "0.5" },
      requestId: undefined,
    },
  },
  {
    says: "flush of a named cache",
    bytes: "07 04 68657978",
    value: { operation: { type: "flush", cache: "heyx" as CacheName }, requestId: undefined },
  },
  {
    says: "batch",
    bytes: "10 00000001 01 30 01 0001 61 00000001 01 01 30 00 0001 61 00000001 31",
    value: {
      operation: {
        type: "batch",
        conditions: [{ cache: CACHE, key: latin1Bytes("a"), when: "absent" }],
        operations: [set("a", "1")],
      },
      requestId: undefined,
    },
  },
  {
    says: "leases that ran out",
    bytes: "19 00000001 4008000000000000",
    value: { operation: { type: "leases-expire", leases: [3 as LeaseId] }, requestId: undefined },
  },
  { says: "flush of all", bytes: "13", value: { operation: { type: "flush-all" }, requestId: undefined } },
];

golden("cache operation", OPERATIONS, {
  decode: decodeOperation,
  encode: ({ operation, requestId }) => encodeOperation(operation, requestId),
});

const ANSWERS: readonly GoldenRow<OperationAnswer>[] = [
  { says: "written", bytes: "01 4014000000000000", value: { type: "written", version: 5 as EntryVersion } },
  {
    says: "written where nothing stood",
    bytes: "41 4014000000000000",
    value: { type: "written", version: 5 as EntryVersion, previous: undefined },
  },
  {
    says: "kept, with what stands",
    bytes: "c2 4014000000000000 00000001 61",
    value: { type: "kept", version: 5 as EntryVersion, previous: latin1Bytes("a") },
  },
  { says: "count", bytes: "03 4000000000000000", value: { type: "count", count: 2 } },
  { says: "no value", bytes: "04", value: { type: "value", value: undefined } },
  {
    says: "what a transaction saw",
    bytes: "0a 00000003 00 01 4000000000000000 0000000000000000 02 3ff0000000000000 408f400000000000 00000001 61",
    value: {
      type: "seen",
      entries: [
        undefined,
        { valueBytes: 2, expiresAt: 0, value: undefined },
        { valueBytes: 1, expiresAt: 1_000, value: latin1Bytes("a") },
      ],
    },
  },
  { says: "number", bytes: "05 02 3432", value: { type: "number", text: "42" } },
  {
    says: "batch",
    bytes: "07 4014000000000000 00000002 08 09 01",
    value: {
      type: "batch",
      version: 5 as EntryVersion,
      answers: [{ type: "done" }, { type: "refused", reason: "not-a-float" }],
    },
  },
];

golden("cache answer", ANSWERS, { decode: decodeAnswer, encode: encodeAnswer });

test("a batch within a batch is refused", () => {
  const inner = encodeAnswer({
    type: "batch",
    version: 1 as EntryVersion,
    answers: [{ type: "batch", version: 1 as EntryVersion, answers: [] }],
  });
  assert.throws(() => decodeAnswer(inner), WireError);
});

test("the checksum is the one of IEEE 802.3", () => {
  assert.equal(crc32(latin1Bytes("123456789")), 0xcbf43926);
});

fuzz("cache operation", decodeOperation, { seeds: goldenSeeds(OPERATIONS), allowed: [WireError] });
fuzz("cache answer", decodeAnswer, { seeds: goldenSeeds(ANSWERS), allowed: [WireError] });
fuzz("cache state", (bytes) => new LogFeeder().feedBytes(bytes), { seeds: goldenSeeds(OPERATIONS), allowed: [] });
