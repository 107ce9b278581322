/** Data, aggregates, shared objects: what a publisher sends beside frames. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { decodeAggregate, encodeAggregate } from "@sluice/rtmp/aggregate-message";
import { DEFAULT_RTMP_LIMITS } from "@sluice/rtmp/limits";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import { fuzz } from "@sluice/testkit/fuzz";
import { golden, goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import { AGGREGATE } from "./control-golden.ts";
import { join, limitsWith } from "./ports.ts";
import { command, message, type Opened, openServer } from "./raw-peer.ts";

const limits = DEFAULT_RTMP_LIMITS;

golden("aggregate", AGGREGATE as readonly { rule: string; says: string; bytes: string; value: readonly Part[] }[], {
  decode: (bytes) =>
    decodeAggregate(bytes, 0x01000010, limits).map((part) => ({ ...part, payload: text(part.payload) })),
  encode: (parts) => encodeAggregate(parts.map((part) => ({ ...part, payload: hex(part.payload) }))),
});
fuzz("[RLM3] aggregate", (bytes) => decodeAggregate(bytes, 0, limits), {
  seeds: goldenSeeds(AGGREGATE),
  allowed: [WireError, LimitError],
  seconds: 0.2,
});

interface Part {
  readonly typeId: number;
  readonly timestamp: number;
  readonly payload: string;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function openPublisher(): Opened {
  const opened = openServer();
  opened.say(command(0, "createStream", 2, null), command(1, "publish", 3, null, "cam", "live"));
  return opened;
}

/** Kind, stream, time, body and purpose of media events. */
function media(events: readonly RtmpServerEvent[]): unknown[] {
  return events.map((event) => {
    assert.equal(event.type, "media");
    if (event.type !== "media") return undefined;
    const { kind, messageStreamId, timestamp, payload } = event;
    return [kind, messageStreamId, timestamp, text(payload), ...(event.kind === "data" ? [event.data] : [])];
  });
}

test("[MSG1] @setDataFrame and @clearDataFrame are taken off, the rest passes byte for byte", () => {
  const rest = hex("02 000a 6f6e4d65746144617461 08 00000063 0001 61 00 4093480000000000");
  const { events } = openPublisher().say(
    message(18, join(encodeAmf0Values(["@setDataFrame"]), rest), { stream: 1, time: 5 }),
    message(18, encodeAmf0Values(["@clearDataFrame", "onMetaData"]), { stream: 1 }),
    message(18, encodeAmf0Values(["onTextData", 1]), { stream: 1 }),
    message(18, new Uint8Array(0), { stream: 1 }),
  );
  assert.deepEqual(media(events), [
    ["data", 1, 5, text(rest), "set-data-frame"],
    ["data", 1, 0, text(encodeAmf0Values(["onMetaData"])), "clear-data-frame"],
    ["data", 1, 0, text(encodeAmf0Values(["onTextData", 1])), "message"],
    ["data", 1, 0, "", "message"],
  ]);
});

test("[MSG120] they are found behind plain values that some cameras send first, which go with them", () => {
  const rest = encodeAmf0Values(["onMetaData", { width: 1 }]);
  const { events } = openPublisher().say(
    message(18, join(encodeAmf0Values([0, 0, "@setDataFrame"]), rest, hex("000009")), { stream: 1 }),
    message(18, encodeAmf0Values([null, "@clearDataFrame", "onMetaData"]), { stream: 1 }),
    message(18, encodeAmf0Values([1, "onTextData"]), { stream: 1 }),
    message(18, hex("09 02"), { stream: 1 }),
  );
  assert.deepEqual(media(events), [
    ["data", 1, 0, text(join(rest, hex("000009"))), "set-data-frame"],
    ["data", 1, 0, text(encodeAmf0Values(["onMetaData"])), "clear-data-frame"],
    ["data", 1, 0, text(encodeAmf0Values([1, "onTextData"])), "message"],
    ["data", 1, 0, text(hex("09 02")), "message"],
  ]);
});

test("[MSG2] data on message stream 0 belongs to the one that publishes", () => {
  const { events } = openPublisher().say(message(18, encodeAmf0Values(["onCuePoint"]), { stream: 0, time: 9 }));
  assert.deepEqual(media(events), [["data", 1, 9, text(encodeAmf0Values(["onCuePoint"])), "message"]]);
});

test("[MSG2] with two that publish it belongs to none", () => {
  const opened = openPublisher();
  opened.say(command(2, "publish", 4, null, "other"));
  assert.deepEqual(opened.say(message(18, encodeAmf0Values(["onCuePoint"]))).events, []);
});

test("[MSG3] parts stand relative to the aggregate's time, also over 2³²", () => {
  const body = hex(
    "08 000002 000010 01 050000 af01 deadbeef  09 000001 000024 01 000000 17  0000000c 12 000000 000030 01 000000",
  );
  const { events } = openPublisher().say(message(22, body, { stream: 1, time: 0xfffffff8 }));
  assert.deepEqual(media(events), [
    ["audio", 1, 0xfffffff8, "af01"],
    ["video", 1, 0x0c, "17"],
    ["data", 1, 0x18, "", "message"],
  ]);
});

test("[MSG3] a part that runs past the end ends the session", () => {
  assert.throws(() => openPublisher().say(message(22, hex("08 000009 000010 01 000000 af"), { stream: 1 })), WireError);
});

test("[RLM1] aggregateMessages", () => {
  const body = join(...Array.from({ length: 3 }, () => hex("08 000000 000000 00 000000 0000000b")));
  assert.throws(() => decodeAggregate(body, 0, limitsWith({ aggregateMessages: 2 })), LimitError);
});

test("[CHK12] [MSG4] media of no bytes is told; media where nothing was published is not", () => {
  const opened = openPublisher();
  assert.deepEqual(media(opened.say(message(8, new Uint8Array(0), { stream: 1, time: 3 })).events), [
    ["audio", 1, 3, ""],
  ]);
  assert.deepEqual(opened.say(message(9, hex("17"), { stream: 2 })).events, []);
});

test("[MSG4] media before the verdict on a publish is told", () => {
  const { server } = openServer();
  server.receive(join(command(1, "publish", 2, null, "cam"), message(9, hex("17"), { stream: 1 })));
  assert.equal(server.nextEvent()?.type, "publish");
  assert.equal(server.nextEvent()?.type, "media");
});

test("[MSG5] shared-object messages are told with their type's encoding", () => {
  const head = "0001 61 00000002 00000002 00000000";
  const { events } = openServer().say(message(19, hex(head), { time: 7 }), message(16, hex(`00 ${head}`)));
  const told = { name: "a", version: 2, isPersistent: true, events: [] };
  assert.deepEqual(events, [
    { type: "shared-object", message: { encoding: "amf0", ...told } },
    { type: "shared-object", message: { encoding: "amf3", ...told } },
  ]);
});

test("[MSG6] data of type 15 is read behind its zero byte", () => {
  const body = encodeAmf0Values(["@setDataFrame", "onMetaData", { width: 1 }]);
  const { events } = openPublisher().say(message(15, join(hex("00"), body), { stream: 1 }));
  const rest = encodeAmf0Values(["onMetaData", { width: 1 }]);
  assert.deepEqual(media(events), [["data", 1, 0, text(rest), "set-data-frame"]]);
});
