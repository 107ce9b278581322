/** Bodies made plainer for lesser clients: by example, and for any multitrack body that can be built. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import { parseAudioBody } from "@sluice/formats/flv/audio-body";
import { type MediaKind, selectTrack, stripModEx, toLegacy, wrapTrack } from "@sluice/formats/flv/rewrite";
import { parseVideoBody } from "@sluice/formats/flv/video-body";
import { fuzz } from "@sluice/testkit/fuzz";
import { goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import fc from "fast-check";
import { AUDIO_GOLDEN, VIDEO_GOLDEN } from "./body-golden.ts";

const NANO = "02 000064";

for (const { says, kind, bytes, plain } of [
  { says: "video", kind: "video", bytes: `97 ${NANO} 01 68766331 000000 aa`, plain: "91 68766331 000000 aa" },
  { says: "two in a row", kind: "video", bytes: `a7 00 ff 17 ${NANO} 03 61763031 aa`, plain: "a3 61763031 aa" },
  { says: "before multitrack", kind: "video", bytes: `97 ${NANO} 06 00 61763031 01 aa`, plain: "96 00 61763031 01 aa" },
  { says: "audio", kind: "audio", bytes: `97 ${NANO} 01 4f707573 aa`, plain: "91 4f707573 aa" },
] as const) {
  test(`[TRK4] ModEx is stripped: ${says}`, () => {
    assert.deepEqual(stripModEx(hex(bytes), kind), hex(plain));
    assert.deepEqual(stripModEx(hex(bytes), kind, { allocator: new SlabAllocator() }), hex(plain));
  });
}

for (const { says, kind, bytes } of [
  { says: "nothing to strip", kind: "video", bytes: "91 68766331 000000 aa" },
  { says: "legacy AAC whose flags look like ModEx", kind: "audio", bytes: "a7 01 aa" },
  { says: "legacy video", kind: "video", bytes: "27 01 000000 aa" },
  { says: "a chain that is cut short", kind: "video", bytes: "97 ff 00" },
  { says: "empty", kind: "audio", bytes: "" },
] as const) {
  test(`[TRK8] the same body comes back from stripping: ${says}`, () => {
    const body = hex(bytes);
    assert.equal(stripModEx(body, kind), body);
  });
}

for (const { says, kind, bytes, trackId, plain } of [
  {
    says: "of one",
    kind: "video",
    bytes: "96 01 68766331 02 000003 aabb",
    trackId: 2,
    plain: "91 68766331 000003 aabb",
  },
  {
    says: "first of one codec",
    kind: "video",
    bytes: "a6 11 61766331 00 000004 000001aa 01 000005 ffffffbbcc",
    trackId: 0,
    plain: "a1 61766331 000001 aa",
  },
  {
    says: "second of one codec",
    kind: "video",
    bytes: "a6 11 61766331 00 000004 000001aa 01 000005 ffffffbbcc",
    trackId: 1,
    plain: "a1 61766331 ffffff bbcc",
  },
  {
    says: "second of many codecs",
    kind: "video",
    bytes: "96 21 61766331 00 000004 000001aa 61763031 07 000002 bbcc",
    trackId: 7,
    plain: "91 61763031 bbcc",
  },
  {
    says: "behind ModEx, which stays",
    kind: "video",
    bytes: `97 ${NANO} 06 00 68766331 01 99`,
    trackId: 1,
    plain: `97 ${NANO} 00 68766331 99`,
  },
  {
    says: "audio",
    kind: "audio",
    bytes: "95 11 6d703461 00 000001 aa 01 000002 bbcc",
    trackId: 1,
    plain: "91 6d703461 bbcc",
  },
] as const) {
  test(`[TRK5] a track becomes a plain body: ${says}`, () => {
    assert.deepEqual(selectTrack(hex(bytes), kind, trackId), hex(plain));
    assert.equal(selectTrack(hex(bytes), kind, 200), undefined);
  });
}

test("[TRK5] a plain body belongs to track 0", () => {
  for (const bytes of ["17 01 000000 aa", "91 68766331 000000 aa", "d1 01", ""]) {
    const body = hex(bytes);
    assert.equal(selectTrack(body, "video", 0), body);
    assert.equal(selectTrack(body, "video", 1), undefined);
  }
});

test("[TRK6] a plain body is wrapped as one track", () => {
  assert.deepEqual(wrapTrack(hex("90 68766331 0102"), "video", 3), hex("96 00 68766331 03 0102"));
  assert.deepEqual(wrapTrack(hex("90 4f707573 4f70"), "audio", 3), hex("95 00 4f707573 03 4f70"));
  for (const bytes of ["17 00 000000 01", "d1 01", "96 00 68766331 03 0102", "99", "90 6876", ""]) {
    assert.equal(wrapTrack(hex(bytes), "video", 3), undefined, bytes);
  }
});

for (const { says, kind, bytes, legacy } of [
  { says: "AVC sequence start", kind: "video", bytes: "90 61766331 0164", legacy: "17 00 000000 0164" },
  { says: "AVC frame", kind: "video", bytes: "a1 61766331 ffffff 41", legacy: "27 01 ffffff 41" },
  { says: "AVC frame without composition time", kind: "video", bytes: "93 61766331 65", legacy: "17 01 000000 65" },
  { says: "AVC end of sequence", kind: "video", bytes: "92 61766331", legacy: "17 02 000000" },
  { says: "AVC with ModEx", kind: "video", bytes: `97 ${NANO} 03 61766331 65`, legacy: "17 01 000000 65" },
  { says: "AAC sequence start", kind: "audio", bytes: "90 6d703461 1210", legacy: "af 00 1210" },
  { says: "AAC frame", kind: "audio", bytes: "91 6d703461 21", legacy: "af 01 21" },
  { says: "MP3 frame", kind: "audio", bytes: "91 2e6d7033 fffb", legacy: "2f fffb" },
  { says: "HEVC, which has none", kind: "video", bytes: "91 68766331 000000 aa", legacy: undefined },
  { says: "metadata, which has none", kind: "video", bytes: "94 61766331 02", legacy: undefined },
  { says: "Opus, which has none", kind: "audio", bytes: "91 4f707573 aa", legacy: undefined },
  { says: "end of AAC, which has none", kind: "audio", bytes: "92 6d703461", legacy: undefined },
  {
    says: "multitrack, of which one track must be chosen first",
    kind: "video",
    bytes: "96 01 61766331 00 000000 65",
    legacy: undefined,
  },
] as const) {
  test(`[TRK7] legacy form: ${says}`, () => {
    assert.deepEqual(toLegacy(hex(bytes), kind), legacy === undefined ? undefined : hex(legacy));
  });
}

test("[TRK8] a legacy body comes back as it is", () => {
  const body = hex("17 01 000000 65");
  assert.equal(toLegacy(body, "video"), body);
  const silence = hex("");
  assert.equal(toLegacy(silence, "audio"), silence);
});

test("[TRK6] wrapped, then selected, a body is what it was", () => {
  const rows = [
    ...VIDEO_GOLDEN.map((row) => ({ kind: "video" as MediaKind, bytes: hex(row.bytes) })),
    ...AUDIO_GOLDEN.map((row) => ({ kind: "audio" as MediaKind, bytes: hex(row.bytes) })),
  ];
  let wrappedCount = 0;
  for (const { kind, bytes } of rows) {
    const wrapped = wrapTrack(bytes, kind, 9);
    if (wrapped === undefined) continue;
    wrappedCount++;
    assert.deepEqual(selectTrack(wrapped, kind, 9), bytes);
  }
  assert.ok(wrappedCount > 15);
});

const codec = fc.constantFrom("avc1", "hvc1", "av01", "vp09", "zzzz");
const anyTrack = fc.record({
  codec,
  data: fc.uint8Array({ maxLength: 20 }),
  time: fc.integer({ min: -0x800000, max: 0x7fffff }),
});

test("[TRK1] every track of any body that can be built is found and selected", () => {
  fc.assert(
    fc.property(fc.array(anyTrack, { minLength: 1, maxLength: 8 }), fc.constantFrom(0, 1, 3), (tracks, packetType) => {
      const bodies = tracks.map((one) => plainBody(packetType, one));
      const body = Uint8Array.of(0x96, 0x20 | packetType, ...tracks.flatMap((_, id) => trackOf(bodies[id], id + 3)));
      const parsed = parseVideoBody(body);
      assert.equal(parsed.malformed, false);
      assert.deepEqual(
        parsed.tracks.map((one) => one.codec),
        tracks.map((one) => one.codec),
      );
      for (const [id, plain] of bodies.entries()) assert.deepEqual(selectTrack(body, "video", id + 3), plain);
    }),
  );
});

function plainBody(packetType: number, one: { codec: string; data: Uint8Array; time: number }): Uint8Array {
  const hasTime = packetType === 1 && (one.codec === "avc1" || one.codec === "hvc1");
  const time = hasTime ? [one.time >> 16, one.time >> 8, one.time] : [];
  return Uint8Array.of(0x90 | packetType, ...encodeUtf8(one.codec), ...time, ...one.data);
}

/** FourCC, track id, 24-bit size, and what a plain body has behind its FourCC. */
function trackOf(plain: Uint8Array | undefined, trackId: number): number[] {
  const rest = [...(plain ?? [])].slice(5);
  return [...[...(plain ?? [])].slice(1, 5), trackId, 0, 0, rest.length, ...rest];
}

function rewriteAll(body: Uint8Array, kind: MediaKind): void {
  const parse = kind === "video" ? parseVideoBody : parseAudioBody;
  const before = parse(body);
  const stripped = parse(stripModEx(body, kind));
  assert.deepEqual([stripped.packet, stripped.codec], [before.packet, before.codec]);
  for (const { trackId } of before.tracks) {
    const plain = selectTrack(body, kind, trackId);
    assert.ok(plain);
    assert.equal(parse(plain).packet, before.packet);
  }
  const wrapped = wrapTrack(body, kind, 1);
  if (wrapped !== undefined) assert.deepEqual(selectTrack(wrapped, kind, 1), body);
  toLegacy(body, kind);
}

fuzz("[FMT1] video rewrites", (bytes) => rewriteAll(bytes, "video"), { seeds: goldenSeeds(VIDEO_GOLDEN), allowed: [] });
fuzz("[FMT1] audio rewrites", (bytes) => rewriteAll(bytes, "audio"), { seeds: goldenSeeds(AUDIO_GOLDEN), allowed: [] });
