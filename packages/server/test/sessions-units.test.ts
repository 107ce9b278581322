/** What a publisher's message means to a live stream, and when a player's acknowledgements tell that it is behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { unitOfData, unitsOfMedia } from "@sluice/server/sessions/published-unit";

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const ROLES: readonly (readonly [name: string, kind: "audio" | "video", body: string, role: string, codec: string])[] =
  [
    ["AVC set-up", "video", "17 00 000000 0164001f", "config", "avc1"],
    ["AVC key frame", "video", "17 01 000000 65", "key", "avc1"],
    ["AVC frame", "video", "27 01 000000 41", "delta", "avc1"],
    ["AVC end of sequence", "video", "17 02 000000", "side", "avc1"],
    ["AAC set-up", "audio", "af 00 1210", "config", "mp4a"],
    ["AAC frame", "audio", "af 01 21", "delta", "mp4a"],
    ["HEVC set-up", "video", "90 68766331 01", "config", "hvc1"],
    ["HEVC key frame", "video", "93 68766331 01", "key", "hvc1"],
    ["HEVC frame", "video", "a1 68766331 000000 01", "delta", "hvc1"],
    ["HDR metadata", "video", "94 68766331 0200", "metadata", "hvc1"],
    ["Opus set-up", "audio", "90 4f707573 01", "config", "Opus"],
    ["Opus frame", "audio", "91 4f707573 01", "delta", "Opus"],
  ];

for (const [name, kind, body, role, codec] of ROLES) {
  test(`[PUB1] ${name} is ${role} of ${codec}`, () => {
    const [unit, ...others] = unitsOfMedia(kind, 7, bytesOf(body));
    assert.deepEqual([unit?.role, unit?.codec, unit?.trackId, unit?.timestamp, others.length], [role, codec, 0, 7, 0]);
    assert.equal(hex(unit?.body ?? new Uint8Array(0)), body.replaceAll(" ", ""));
  });
}

test("[PUB2] a message that sets up several tracks becomes one set-up for each", () => {
  // multitrack, many tracks of one codec, sequence start: track 0 "aa", track 3 "bbcc"
  const body = bytesOf("96 10 68766331 00 000001 aa 03 000002 bbcc");
  const units = unitsOfMedia("video", 0, body);
  assert.deepEqual(
    units.map(({ role, trackId, isMultitrack, data }) => [role, trackId, isMultitrack, hex(data)]),
    [
      ["config", 0, false, "aa"],
      ["config", 3, true, "bbcc"],
    ],
  );
});

test("[MED300] frames carry their composition time, those of several tracks their own", () => {
  const timesOf = (kind: "audio" | "video", body: string): number[] =>
    unitsOfMedia(kind, 7, bytesOf(body)).map(({ compositionTime }) => compositionTime);
  assert.deepEqual(timesOf("video", "27 01 000050 41"), [80]);
  assert.deepEqual(timesOf("video", "27 01 ffffd8 41"), [-40]);
  assert.deepEqual(timesOf("video", "a1 68766331 000021 01"), [33]);
  assert.deepEqual(timesOf("video", "a3 68766331 01"), [0]);
  assert.deepEqual(timesOf("video", "a6 01 68766331 02 000064 aabb"), [100]);
  assert.deepEqual(timesOf("video", "17 00 000000 0164001f"), [0]);
  assert.deepEqual(timesOf("audio", "af 01 21"), [0]);
  assert.equal(unitOfData(7, encodeAmf0Values(["onCuePoint"])).compositionTime, 0);
});

test("[PUB3] nothing that a publisher sends throws", () => {
  for (const kind of ["audio", "video"] as const) {
    assert.equal(unitsOfMedia(kind, 0, new Uint8Array(0)).length, 1);
    for (let first = 0; first < 256; first++)
      for (const rest of ["", "ff", "0068766331", "1068766331ff", "00ffffffffff"])
        assert.ok(unitsOfMedia(kind, 0, bytesOf(first.toString(16).padStart(2, "0") + rest)).length <= 4);
  }
});

test("[PUB4] metadata announces its kinds, as object and as ECMA array; other data passes by", () => {
  const announced = (value: Parameters<typeof encodeAmf0Values>[0][number]): unknown => {
    const body = encodeAmf0Values(["onMetaData", value]);
    const unit = unitOfData(0, body);
    assert.equal(unit.role, "metadata");
    return unit.announces;
  };
  const nothing = {
    audio: false,
    video: false,
    width: 0,
    height: 0,
    sampleRate: 0,
    channels: 0,
    audioFlagAt: 0,
    videoFlagAt: 0,
  };
  assert.deepEqual(announced({ videocodecid: 7, width: 640 }), { ...nothing, video: true, width: 640 });
  assert.deepEqual(announced({ audiocodecid: "mp4a", hasVideo: false }), { ...nothing, audio: true });
  const sound = { audiosamplerate: 44_100, stereo: true };
  assert.deepEqual(announced(sound), { ...nothing, sampleRate: 44_100, channels: 2 });
  assert.deepEqual(announced({ ...sound, audiochannels: 6 }), { ...nothing, sampleRate: 44_100, channels: 6 });
  const nonsense = { width: Number.NaN, height: -5, audiosamplerate: 1e9, audiochannels: "2", stereo: 1 };
  assert.deepEqual(announced(nonsense), { ...nothing, video: true });
  const ecma = bytesOf(
    "02000a6f6e4d65746144617461 08 00000001 000c 617564696f636f6465636964 00 4024000000000000 000009",
  );
  assert.deepEqual(unitOfData(0, ecma).announces, { ...nothing, audio: true });
  const cue = encodeAmf0Values(["onCuePoint", {}]);
  assert.equal(unitOfData(0, cue).role, "side");
});

const KEY_FRAMES = { times: Array.from({ length: 40_000 }, (_, i) => i), filepositions: [1, 2] };

test("[PUB120] metadata is read as far as it can be, and told to be broken where it breaks off", () => {
  const plain = { videocodecid: 7, width: 640 };
  const whole = encodeAmf0Values(["onMetaData", plain]);
  const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
  const cases: readonly (readonly [what: string, body: Uint8Array, flaw: string | undefined])[] = [
    ["an end marker behind it", join(whole, bytesOf("000009")), undefined],
    ["a stray byte behind it", join(whole, bytesOf("00")), undefined],
    ["numbers before its name", join(encodeAmf0Values([0, 0]), whole), undefined],
    ["a null before its object", encodeAmf0Values(["onMetaData", null, plain]), undefined],
    ["key frames before the rest", encodeAmf0Values(["onMetaData", { keyframes: KEY_FRAMES, ...plain }]), undefined],
    ["an unknown value in it", join(whole.subarray(0, -3), bytesOf("0001 61 ff 00")), "broken"],
    ["its end cut off", encodeAmf0Values(["onMetaData", { ...plain, title: "a long one" }]).subarray(0, -6), "broken"],
  ];
  for (const [what, body, flaw] of cases) {
    const unit = unitOfData(0, body);
    assert.deepEqual(
      [unit.role, unit.announces?.video, unit.announces?.width, unit.flaw],
      ["metadata", true, 640, flaw],
      what,
    );
    assert.ok(hex(unit.body).startsWith(hex(encodeAmf0Values(["onMetaData"]))), what);
  }
  for (const nothing of [[], [null], [{}], ["text"], [[1, 2]]])
    assert.equal(unitOfData(0, encodeAmf0Values(["onMetaData", ...nothing])).flaw, "empty");
  for (const body of [new Uint8Array(0), bytesOf("02 000a 6f6e"), bytesOf("ff"), encodeAmf0Values([{}, "onMetaData"])])
    assert.deepEqual([unitOfData(0, body).role, unitOfData(0, body).body], ["side", body]);
});

test("[PUB120] the places of flags that promise a track are told, in a body without stray values", () => {
  const stray = encodeAmf0Values([0]);
  const body = new Uint8Array(
    Buffer.concat([stray, encodeAmf0Values(["onMetaData", { hasAudio: true, hasVideo: false, audiocodecid: 10 }])]),
  );
  const { announces, body: own } = unitOfData(0, body);
  assert.deepEqual([announces?.audio, announces?.videoFlagAt], [true, 0]);
  assert.equal(hex(own.subarray(0, announces?.audioFlagAt)).slice(-20), "0008686173417564696f01".slice(-20));
  assert.equal(own[announces?.audioFlagAt ?? 0], 1);
});

test("[PUB121] set-up that a decoder could not be set up with is told", () => {
  for (const [kind, body, flaw] of [
    ["video", "17 00 000000", "empty"],
    ["audio", "af 00", "empty"],
    ["video", "90 68766331", "empty"],
    ["video", "17 00 000000 0164001fffe1", "broken"],
    ["video", "17 00 000000 00000000000000", "broken"],
    ["audio", "af 00 0000", "broken"],
    ["audio", "af 00 12", "broken"],
    ["audio", "af 00 1210", undefined],
    ["audio", "90 4f707573 01", undefined],
    ["video", "90 76766331 01", undefined],
  ] as const)
    assert.deepEqual(
      [unitsOfMedia(kind, 0, bytesOf(body))[0]?.role, unitsOfMedia(kind, 0, bytesOf(body))[0]?.flaw],
      ["config", flaw],
      body,
    );
});
