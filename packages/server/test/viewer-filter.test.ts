/** What reaches a viewer of a publisher's body: as it came, rewritten for what the viewer parses, or not at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { Frame, Timestamp, PublicationId } from "@sluice/media/frame";
import { TrackTable } from "@sluice/media/track-table";
import { filterBody, OPEN_FILTER, type ViewerFilter } from "@sluice/server/streams/viewer-filter";
import { unitsOfMedia } from "@sluice/server/sessions/published-unit";
import { hex } from "@sluice/testkit/hex";

type Kind = "audio" | "video";

function framesOf(kind: Kind, bytes: string): readonly Frame[] {
  return unitsOfMedia(kind, 40, hex(bytes)).map((unit, sequence) => ({
    ...unit,
    dts: 40 as Timestamp,
    publication: "0000000000000001" as PublicationId,
    sequence,
  }));
}

const only = (frames: readonly Frame[]): Frame => {
  assert.equal(frames.length, 1);
  return frames[0] as Frame;
};

const filtered = (changed: Partial<ViewerFilter>, kind: Kind, bytes: string): Uint8Array | undefined =>
  filterBody({ ...OPEN_FILTER, ...changed }, only(framesOf(kind, bytes)));

const UNKNOWN: readonly (readonly [says: string, kind: Kind, bytes: string])[] = [
  ["a video packet type of the future", "video", "98 68766331 aa"],
  ["a video FourCC of the future", "video", "91 78797a31 aa"],
  ["a multitrack form of the future", "video", "96 31 61766331 00 65"],
  ["multitrack in multitrack", "video", "96 06 61766331 00 65"],
  ["a legacy video codec of the future", "video", "1f 00 aa"],
  ["an audio packet type of the future", "audio", "98 4f707573 aa"],
  ["an audio FourCC of the future", "audio", "91 78797a31 aa"],
  ["a sound format of the future", "audio", "cf aa"],
];

for (const [says, kind, bytes] of UNKNOWN) {
  test(`[E9] ${says} is relayed as it is`, () => {
    const frame = only(framesOf(kind, bytes));
    assert.deepEqual(frame.body, hex(bytes));
    assert.equal(filterBody(OPEN_FILTER, frame), frame.body);
  });
}

test("[E6] a message of silence passes every viewer but one that is muted", () => {
  const frame = only(framesOf("audio", ""));
  for (const fourCcs of ["*", "legacy-only", new Set(["av01"])] as const)
    assert.equal(filterBody({ ...OPEN_FILTER, fourCcs, multitrack: "default-track-only" }, frame), frame.body);
  assert.equal(filterBody({ ...OPEN_FILTER, audio: "muted" }, frame), undefined);
});

test("[E4] joiners get the last video metadata, behind the set-up, until an empty one clears it", () => {
  const table = new TrackTable();
  const note = (bytes: string): void => {
    for (const frame of framesOf("video", bytes)) table.note(frame, 0 as Millis);
  };
  const heard = (): Uint8Array[] => table.prelude().map(({ body }) => body);
  note("90 68766331 01");
  note("94 68766331 02 0001 61");
  note("94 68766331 02 0001 62");
  assert.deepEqual(heard(), [hex("90 68766331 01"), hex("94 68766331 02 0001 62")]);
  note("94 68766331");
  assert.deepEqual(heard(), [hex("90 68766331 01")]);
});

/** What the viewer said, what was published, and what it is sent; `undefined` is nothing. */
const SENT: readonly (readonly [
  says: string,
  filter: Partial<ViewerFilter>,
  kind: Kind,
  bytes: string,
  sent: string | undefined,
])[] = [
  ["HEVC to one that listed it", { fourCcs: new Set(["hvc1"]) }, "video", "93 68766331 aa", "93 68766331 aa"],
  ["HEVC to one that listed others", { fourCcs: new Set(["av01"]) }, "video", "93 68766331 aa", undefined],
  ["Opus to one that listed others", { fourCcs: new Set(["av01"]) }, "audio", "91 4f707573 aa", undefined],
  [
    "legacy AVC to one that listed others",
    { fourCcs: new Set(["av01"]) },
    "video",
    "27 01 000000 aa",
    "27 01 000000 aa",
  ],
  ["HEVC to one that listed nothing, withheld", { fourCcs: "legacy-only" }, "video", "93 68766331 aa", undefined],
  ["Opus to one that listed nothing, withheld", { fourCcs: "legacy-only" }, "audio", "91 4f707573 aa", undefined],
  ["enhanced AVC in legacy form", { fourCcs: "legacy-only" }, "video", "93 61766331 65", "17 01 000000 65"],
  ["enhanced AAC in legacy form", { fourCcs: "legacy-only" }, "audio", "91 6d703461 21", "af 01 21"],
  [
    "the default track alone",
    { multitrack: "default-track-only" },
    "video",
    "96 01 61766331 00 000000 65",
    "91 61766331 000000 65",
  ],
  ["no other track", { multitrack: "default-track-only" }, "video", "96 01 61766331 01 000000 65", undefined],
  ["every track to one that parses them", {}, "video", "96 01 61766331 01 000000 65", "96 01 61766331 01 000000 65"],
  ["a body without ModEx", { modEx: "strip" }, "video", "97 02 000001 03 61766331 65", "93 61766331 65"],
  ["ModEx to one that parses it", {}, "video", "97 02 000001 03 61766331 65", "97 02 000001 03 61766331 65"],
];

for (const [says, filter, kind, bytes, sent] of SENT) {
  test(`[E12] ${says}`, () => {
    const body = filtered(filter, kind, bytes);
    assert.deepEqual(body && new Uint8Array(body), sent === undefined ? undefined : hex(sent));
  });
}

test("[E7] set-up for several tracks becomes one unit per track, each to be kept by itself", () => {
  const frames = framesOf("video", "96 10 61766331 00 000002 0102 01 000001 03");
  assert.deepEqual(
    frames.map(({ trackId, role, body }) => [trackId, role, Buffer.from(body).toString("hex")]),
    [
      [0, "config", "90617663310102"],
      [1, "config", "9600617663310103"],
    ],
  );
});
