/** Wire forms byte by byte, and what a viewer's filter lets through. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { selectTrack, stripModEx, wrapTrack } from "@sluice/formats/flv/rewrite";
import type { Frame, PublishedUnit, Timestamp, PublicationId } from "@sluice/media/frame";
import type { WireForm } from "@sluice/media/wire-form";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { flvForm, wsFlvForm } from "@sluice/server/http/flv-form";
import { rtmpForm } from "@sluice/server/rtmp/rtmp-form";
import { filterBody, filterId, OPEN_FILTER, type ViewerFilter } from "@sluice/server/streams/viewer-filter";
import { framed } from "@sluice/server/sessions/web-socket-form";
import { unitsOfMedia } from "@sluice/server/sessions/published-unit";

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** One frame in a form; the count announced must be the count written. */
function encode(form: WireForm, kind: Frame["kind"], dts: number, body: Uint8Array): string | undefined {
  const target = new Uint8Array(form.byteCount(kind, dts as Timestamp, body.length) + 8).fill(0xee);
  form.encodeInto(target, 4, kind, dts as Timestamp, body);
  assert.equal(hex(target.subarray(0, 4)), "eeeeeeee");
  assert.equal(hex(target.subarray(-4)), "eeeeeeee");
  return hex(target.subarray(4, -4));
}

const BODY = bytesOf("17 01 00 00 00 aa bb cc");

test("[FRM1] RTMP: long headers with absolute times; chunks of the announced size; all bits of time in the extended field", () => {
  const form = rtmpForm({ messageStreamId: 1 as MessageStreamId, chunkSize: 5, filter: OPEN_FILTER });
  const video = encode(form, "video", 0x010203, BODY) ?? "";
  const csid = video.slice(0, 2);
  assert.equal(
    video,
    `${csid}010203000008090100000017010000 00${hex(Uint8Array.of(0xc0 | Number.parseInt(csid, 16)))}aabbcc`.replace(
      " ",
      "",
    ),
  );
  const late = encode(form, "audio", 0xffff_fff0, Uint8Array.of(0xaf, 1, 2)) ?? "";
  assert.equal(late.slice(2), "ffffff0000030801000000fffffff0af0102");
  assert.notEqual(late.slice(0, 2), csid, "each kind has a chunk stream of its own");
  assert.equal(form.opening({ hasAudio: true, hasVideo: true }), undefined);
});

test("[FRM2] FLV: a header that says which kinds there are, tags with their size behind them", () => {
  const form = flvForm(OPEN_FILTER);
  assert.equal(hex(form.opening({ hasAudio: false, hasVideo: true })), "464c5601010000000900000000");
  assert.equal(
    encode(form, "video", 0x0a010203, BODY),
    "090000080102030a000000170100 0000aabbcc00000013".replaceAll(" ", ""),
  );
  assert.equal(encode(form, "data", 1, Uint8Array.of(2)), "120000010000010000000002 0000000c".replaceAll(" ", ""));
});

test("[FRM3] WebSocket: one final binary frame a media frame, with lengths of 7, 16 and 64 bits", () => {
  const form = wsFlvForm(OPEN_FILTER);
  assert.equal(encode(form, "video", 0, BODY)?.slice(0, 6), "821709");
  assert.equal(encode(form, "video", 0, new Uint8Array(110))?.slice(0, 6), "827d09", "125 bytes in all");
  assert.equal(encode(form, "video", 0, new Uint8Array(111))?.slice(0, 10), "827e007e09", "126 bytes");
  assert.equal(encode(form, "video", 0, new Uint8Array(0xffff - 15))?.slice(0, 10), "827effff09");
  assert.equal(encode(form, "video", 0, new Uint8Array(0x10000 - 15))?.slice(0, 22), "827f000000000001000009");
  assert.equal(hex(form.opening({ hasAudio: true, hasVideo: false }))?.slice(0, 10), "820d464c56");
  const rtmp = framed(rtmpForm({ messageStreamId: 1 as MessageStreamId, chunkSize: 4096, filter: OPEN_FILTER }));
  assert.equal(encode(rtmp, "video", 0, BODY)?.slice(0, 4), "8214");
});

test("[FRM4] forms that give other bytes have other ids, and equal ones the same", () => {
  const ids = [
    flvForm(OPEN_FILTER),
    flvForm({ ...OPEN_FILTER, audio: "muted" }),
    flvForm({ ...OPEN_FILTER, video: "muted" }),
    flvForm({ ...OPEN_FILTER, multitrack: "default-track-only" }),
    flvForm({ ...OPEN_FILTER, modEx: "strip" }),
    flvForm({ ...OPEN_FILTER, fourCcs: "legacy-only" }),
    flvForm({ ...OPEN_FILTER, fourCcs: new Set(["av01"]) }),
    wsFlvForm(OPEN_FILTER),
    ...[1, 2].map((id) => rtmpForm({ messageStreamId: id as MessageStreamId, chunkSize: 4096, filter: OPEN_FILTER })),
  ].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const listed = (...names: readonly string[]): string => filterId({ ...OPEN_FILTER, fourCcs: new Set(names) });
  assert.equal(listed("av01", "hvc1"), listed("hvc1", "av01"));
});

const HVC1_KEY = bytesOf("91 68766331 000000 0102");
const AVC1_KEY = bytesOf("91 61766331 000000 0102");
const OPUS = bytesOf("91 4f707573 0102");

const frameOf = (kind: "audio" | "video", body: Uint8Array): Frame => ({
  ...(unitsOfMedia(kind, 0, body)[0] as PublishedUnit),
  dts: 0 as Timestamp,
  publication: "0000000000000001" as PublicationId,
  sequence: 0,
});

const through = (filter: Partial<ViewerFilter>, frame: Frame): string | undefined =>
  hex(filterBody({ ...OPEN_FILTER, ...filter }, frame));

test("[FRM5] a viewer that listed its FourCCs gets those and the codecs of old; the policy decides for one that listed none", () => {
  const hevc = frameOf("video", HVC1_KEY);
  const avc = frameOf("video", AVC1_KEY);
  const old = frameOf("video", BODY);
  assert.equal(through({}, hevc), hex(HVC1_KEY));
  assert.equal(through({ fourCcs: new Set(["hvc1"]) }, hevc), hex(HVC1_KEY));
  assert.equal(through({ fourCcs: new Set(["av01"]) }, hevc), undefined);
  assert.equal(through({ fourCcs: "legacy-only" }, hevc), undefined);
  assert.equal(through({ fourCcs: "legacy-only" }, avc), "17010000000102");
  assert.equal(through({ fourCcs: new Set(["av01"]) }, avc), "17010000000102", "AVC needs no listing");
  for (const fourCcs of ["*", "legacy-only", new Set<string>()] as const)
    assert.equal(through({ fourCcs }, old), hex(BODY));
  assert.equal(through({ fourCcs: "legacy-only" }, frameOf("audio", OPUS)), undefined);
  assert.equal(through({ fourCcs: new Set(["Opus"]) }, frameOf("audio", OPUS)), hex(OPUS));
});

test("[FRM6] a viewer without multitrack gets the default track alone, as a plain body", () => {
  const other = wrapTrack(HVC1_KEY, "video", 1) as Uint8Array;
  const first = wrapTrack(HVC1_KEY, "video", 0) as Uint8Array;
  assert.equal(through({}, frameOf("video", other)), hex(other));
  assert.equal(through({ multitrack: "default-track-only" }, frameOf("video", other)), undefined);
  assert.equal(through({ multitrack: "default-track-only" }, frameOf("video", first)), hex(HVC1_KEY));
  assert.equal(hex(selectTrack(first, "video", 0)), hex(HVC1_KEY));
});

test("[FRM7] a viewer without ModEx gets the body without it, one with it every byte", () => {
  const modEx = bytesOf("97 02 000001 01 68766331 000000 0102");
  const frame = frameOf("video", modEx);
  assert.equal(frame.hasModEx, true);
  assert.equal(through({}, frame), hex(modEx));
  assert.equal(through({ modEx: "strip" }, frame), hex(HVC1_KEY));
  assert.equal(hex(stripModEx(modEx, "video")), hex(HVC1_KEY));
});

test("[FRM8] a muted kind is left out, the other and data pass", () => {
  const data: Frame = { ...frameOf("audio", OPUS), kind: "data", role: "metadata", codec: "", body: Uint8Array.of(2) };
  assert.equal(through({ video: "muted" }, frameOf("video", BODY)), undefined);
  assert.equal(through({ video: "muted" }, frameOf("audio", OPUS)), hex(OPUS));
  assert.equal(through({ audio: "muted" }, frameOf("audio", OPUS)), undefined);
  assert.equal(through({ audio: "muted", video: "muted", fourCcs: "legacy-only" }, data), "02");
});
