/** Member messages: their bytes, and what bytes are refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import type { MemberMessage } from "@sluice/cache/replica/member-message";
import { decodeMemberMessage, encodeMemberMessage } from "@sluice/cache/replica/member-message-codec";
import { decodeRecord, decodeSnapshotMeta, encodeRecord, encodeSnapshotMeta } from "@sluice/cache/replica/record-codec";
import { DEFAULT_REPLICA_LIMITS } from "@sluice/cache/replica/limits";
import { fuzz } from "@sluice/testkit/fuzz";
import { golden, type GoldenRow, goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import { MESSAGES, META, META_BYTES, RECORD, RECORD_BYTES } from "./replica-golden.ts";

const rows = MESSAGES as readonly GoldenRow<MemberMessage>[];
golden("member message", rows, { decode: decodeMemberMessage, encode: encodeMemberMessage });
fuzz("member message", (bytes) => decodeMemberMessage(bytes), {
  seeds: goldenSeeds(rows),
  allowed: [WireError, LimitError],
});

test("[REP60] a record on disk has the same bytes as in a message", () => {
  assert.deepEqual(encodeRecord(RECORD), hex(RECORD_BYTES));
  assert.deepEqual(decodeRecord(hex(RECORD_BYTES), DEFAULT_REPLICA_LIMITS), RECORD);
  assert.throws(() => decodeRecord(hex(`${RECORD_BYTES} 00`), DEFAULT_REPLICA_LIMITS), {
    code: "WIRE_CACHE_MEMBER_MESSAGE",
  });
});

test("a snapshot's head comes back as it was", () => {
  assert.deepEqual(encodeSnapshotMeta(META), hex(META_BYTES));
  assert.deepEqual(decodeSnapshotMeta(hex(META_BYTES), DEFAULT_REPLICA_LIMITS), META);
});

test("[REP61] every cut of a message is refused", () => {
  for (const { bytes } of rows)
    for (let length = 0; length < hex(bytes).length; length++)
      assert.throws(() => decodeMemberMessage(hex(bytes).slice(0, length)), WireError);
});

const refused = [
  { says: "an unknown type", bytes: "09 0000000000000001", error: { code: "WIRE_CACHE_MEMBER_MESSAGE" } },
  { says: "a term beyond 2^53", bytes: "07 0020000000000000", error: { code: "WIRE_CACHE_MEMBER_MESSAGE" } },
  { says: "bytes after the end", bytes: "07 0000000000000001 00", error: { code: "WIRE_CACHE_MEMBER_MESSAGE" } },
  {
    says: "a stage that there is not",
    bytes: "02 0000000000000001 02 00 00",
    error: { message: "Cannot read member message: stage is 2" },
  },
];
for (const { says, bytes, error } of refused)
  test(`[REP61] refuses ${says}`, () => assert.throws(() => decodeMemberMessage(hex(bytes)), error));

test("[REP61] refuses more than the limits allow", () => {
  const limits = { ...DEFAULT_REPLICA_LIMITS, operationBytes: 1, messageBytes: 200 };
  const append = rows.find((row) => row.value.type === "append" && row.value.records.length > 0);
  assert.ok(append);
  const bytes = hex(append.bytes);
  assert.throws(() => decodeMemberMessage(bytes, limits), { code: "LIMIT_CACHE_MEMBER_MESSAGE" });
  assert.throws(() => decodeMemberMessage(new Uint8Array(201), limits), {
    message: /message bytes of 201, limit is 200/,
  });
});

test("[REP61] refuses records out of order, and of a term that is not yet", () => {
  const append = rows.find((row) => row.value.type === "append" && row.value.records.length > 0)?.value;
  assert.ok(append?.type === "append");
  const [record] = append.records;
  assert.ok(record);
  for (const wrong of [
    { ...record, index: 99 },
    { ...record, term: append.term + 1 },
    { ...record, term: 0 },
  ])
    assert.throws(() => decodeMemberMessage(encodeMemberMessage({ ...append, records: [wrong as never] })), WireError);
});
