/** Messages about objects and rows of the engine: the bytes of version 1, and any other bytes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { amfObject } from "@sluice/amf/value";
import type { Millis } from "@sluice/base/brand";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { type Change, refusal } from "@sluice/state/change";
import type { Snapshot } from "@sluice/state/object-state";
import { toPlain } from "@sluice/state/plain-data";
import { ORIGIN, type Position } from "@sluice/state/position";
import { decodeMessage, decodeRow } from "@sluice/state/wire/decode";
import { encodeMessage, encodeRow } from "@sluice/state/wire/encode";
import type { ObjectMessage } from "@sluice/state/wire/object-message";
import { fuzz } from "@sluice/testkit/fuzz";
import { hex, toHex } from "@sluice/testkit/hex";

const path = "é/ball";
const epoch = { generation: 3, number: 258 };
const at: Position = { epoch, version: 65_537 };
const id = { client: "n0/1", sequence: 7 };
const x = toPlain(amfObject({ x: 1.5 }), "x", 100);
const args = toPlain([1, "hard"], "kick", 100);
const who = toPlain(amfObject({ user: "ann" }), "who", 100);
const plainChange: Change = {
  from: at,
  to: { epoch, version: 65_538 },
  by: id,
  droppedMessages: 0,
  operations: [
    { type: "set", name: "p", plain: x },
    { type: "remove", name: "q" },
    { type: "message", name: "kick", plain: args },
    { type: "lock", owner: "n0/1", lease: 1_000 as Millis },
    { type: "unlock" },
    { type: "clear" },
  ],
};
const mergedChange: Change = {
  from: ORIGIN,
  to: at,
  droppedMessages: 4,
  operations: [
    { type: "create", durability: { type: "every", interval: 200 as Millis } },
    { type: "set", name: "p", plain: x, version: 9 },
    { type: "lock", owner: "n0/1", lease: 1_000 as Millis, version: 8 },
  ],
};
const snapshot: Snapshot = {
  at,
  durability: { type: "each" },
  lock: { owner: "n0/1", lease: 1_000 as Millis, at },
  messageCount: 12,
  properties: new Map([["p", { plain: x, at }]]),
};
const empty: Snapshot = { at: ORIGIN, durability: undefined, lock: undefined, messageCount: 0, properties: new Map() };

const MESSAGES: Readonly<Record<string, ObjectMessage>> = {
  attach: { type: "attach", path, interest: "clients", position: at, historyFrom: undefined },
  "attach, standby": { type: "attach", path, interest: "standby", position: undefined, historyFrom: at },
  detach: { type: "detach", path },
  connect: { type: "connect", path, id, who, durability: { type: "release" } },
  "connect, as it is": { type: "connect", path, id, who, durability: undefined },
  write: {
    type: "write",
    path,
    id,
    who,
    isRetry: false,
    since: 5,
    wishes: [
      { type: "set", name: "p", plain: x },
      { type: "set", name: "p", plain: x, expected: at },
      { type: "remove", name: "q" },
      { type: "remove", name: "q", expected: ORIGIN },
      { type: "clear" },
      { type: "message", name: "kick", plain: args },
      { type: "lock", lease: 500 as Millis },
      { type: "unlock" },
    ],
  },
  "write, again": { type: "write", path, id, who: undefined, isRetry: true, since: 5, wishes: [] },
  leave: { type: "leave", path, client: "n0/1" },
  ack: { type: "ack", path, epoch, position: at },
  attached: { type: "attached", path, epoch },
  snapshot: { type: "snapshot", path, epoch, snapshot, history: [plainChange] },
  "snapshot, empty": { type: "snapshot", path, epoch, snapshot: empty, history: [] },
  change: { type: "change", path, epoch, change: plainChange },
  "change, merged": { type: "change", path, epoch, change: mergedChange },
  answer: { type: "answer", path, id, outcome: { type: "success", at } },
  "answer, refused": {
    type: "answer",
    path,
    id,
    outcome: refusal("stale", "p", [
      { name: "p", plain: x, at },
      { name: "q", plain: undefined, at: ORIGIN },
    ]),
  },
  gone: { type: "gone", path, epoch },
  dropped: { type: "dropped", path, epoch },
  invite: { type: "invite", path, epoch },
  inquire: { type: "inquire", path, epoch },
  standing: { type: "standing", path, epoch, position: at },
  fetch: { type: "fetch", path, epoch },
  copy: { type: "copy", path, epoch, snapshot, history: [] },
  "hand-over": { type: "hand-over", path, epoch, snapshot, history: [] },
  handed: { type: "handed", path, epoch, isTaken: true },
};

const FILE = new URL("../../../fixtures/state/messages-version-1.txt", import.meta.url);
const GOLDEN = new Map(
  readFileSync(FILE, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(": ") as [string, string]),
);

for (const [name, message] of Object.entries(MESSAGES)) {
  test(`[OBJ80] ${name}`, () => {
    const bytes = GOLDEN.get(name) ?? "";
    assert.equal(toHex(encodeMessage(message)), bytes);
    assert.deepEqual(decodeMessage(hex(bytes)), message);
  });
}

test("[OBJ80] the row of a durable object", () => {
  const bytes = GOLDEN.get("row") ?? "";
  assert.equal(toHex(encodeRow(epoch, snapshot)), bytes);
  assert.deepEqual(decodeRow(hex(bytes)), { epoch, snapshot });
});

for (const [says, bytes] of [
  ["another version", "02 02 00 00"],
  ["an unknown type", "01 7f 00 00"],
  ["bytes behind its end", "01 02 00 00 00"],
  [
    "a change that ends before it begins",
    toHex(encodeMessage({ type: "change", path: "", epoch, change: { ...plainChange, to: at } })),
  ],
  ["an epoch that is no whole number", "01 10 00 00 3f f8 00 00 00 00 00 00 00 00 00 00 00 00 00 00"],
  [
    "more items than bytes",
    `${toHex(encodeMessage({ type: "write", path: "", id, who: undefined, isRetry: false, since: 0, wishes: [] })).slice(0, -11)}ff ff ff ff`,
  ],
] as const) {
  test(`[OBJ81] refused: ${says}`, () => {
    assert.throws(() => decodeMessage(hex(bytes)), WireError);
  });
}

test("[OBJ81] a type from 128 on is passed over", () => {
  assert.equal(decodeMessage(hex("01 80 00 00 01 02 03")), undefined);
});

fuzz("state messages", decodeMessage, {
  seeds: Object.values(MESSAGES).map(encodeMessage),
  allowed: [WireError, LimitError],
});
fuzz("state rows", decodeRow, { seeds: [encodeRow(epoch, snapshot)], allowed: [WireError, LimitError] });
