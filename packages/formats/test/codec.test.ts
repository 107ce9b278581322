/** Codec records of real encoders, parameter sets built by hand, and fuzz. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ShortReadError, WireError } from "@sluice/bytes/wire-error";
import { parseAacConfig } from "@sluice/formats/codec/aac";
import { findAv1SequenceHeader, parseAv1SequenceHeader } from "@sluice/formats/codec/av1";
import { parseAvcConfig, parseAvcSps } from "@sluice/formats/codec/avc";
import { BitReader } from "@sluice/formats/codec/bit-reader";
import { describeDecoderConfig } from "@sluice/formats/codec/decoder-config";
import { hevcCodecString, parseHevcConfig, parseHevcSps } from "@sluice/formats/codec/hevc";
import { removeEmulationPrevention, splitNalUnits } from "@sluice/formats/codec/nal-unit";
import { parseOpusHead } from "@sluice/formats/codec/opus";
import { fuzz } from "@sluice/testkit/fuzz";
import { goldenSeeds } from "@sluice/testkit/golden";
import { hex, toHex } from "@sluice/testkit/hex";
import { CONFIG_GOLDEN } from "./codec-golden.ts";

for (const { rule, says, codec, bytes, value } of CONFIG_GOLDEN) {
  test(`[${rule}] ${codec}: ${says}`, () => {
    const { kind, ...description } = describeDecoderConfig(codec, hex(bytes));
    assert.deepEqual(description, value);
    assert.equal(kind, "width" in value ? "video" : "audio");
  });
}

test("[COD1] the AVC record gives its parameter sets", () => {
  const config = parseAvcConfig(
    hex("0164000cffe1001a6764000cacd941419ea23011000003000100000300320f14299601000668ebe3cb22c0fdf8f800"),
  );
  assert.deepEqual([config.profile, config.compatibility, config.level, config.nalLengthBytes], [100, 0, 12, 4]);
  assert.deepEqual(config.pps.map(toHex), ["68 eb e3 cb 22 c0"]);
  assert.equal(config.sps.length, 1);
});

/** Fields: scaling lists (one full, one default, one cut off), picture order type 1, fields, cropping. Built bit by bit. */
test("[COD1] scaling lists, picture order of type 1, and cropping in fields", () => {
  assert.deepEqual(parseAvcSps(hex("6764001eadffffc2214905d4391a640507ba7480")), { width: 314, height: 476 });
});

test("[COD1] a parameter set may end anywhere", () => {
  const sps = hex("6764000cacd941419ea23011000003000100000300320f142996");
  for (let end = 0; end < 12; end++) assert.throws(() => parseAvcSps(sps.subarray(0, end)), ShortReadError);
});

test("[COD2] profile space, high tier and all constraints show in the codec string", () => {
  const record = hex("01 63 80000001 b00000000001 78 000000000000 1900 0f 00");
  const config = parseHevcConfig(record);
  assert.equal(hevcCodecString(config), "hvc1.A3.80000001.H120.B0.0.0.0.0.1");
  assert.deepEqual(describeDecoderConfig("hvc1", record), {
    kind: "video",
    codecString: "hvc1.A3.80000001.H120.B0.0.0.0.0.1",
    width: 0,
    height: 0,
    fps: 25,
  });
});

test("[COD2] sub-layers are skipped", () => {
  // Three sub-layers: the first announces profile and level, the second level only. 640 x 360, no cropping.
  const head = "42 01";
  const general = `${bitsOf(0x05, 8)}${"0".repeat(96)}`; // set id 0, three layers, nesting; profile, tier, level
  const layers = `1101${"0".repeat(12)}${"0".repeat(88 + 8 + 8)}`;
  const picture = `1010${ue(640)}${ue(360)}0`;
  const unit = Uint8Array.of(...hex(head), ...packed(`${general}${layers}${picture}`));
  assert.deepEqual(parseHevcSps(escaped(unit)), { width: 640, height: 360 });
});

function bitsOf(value: number, count: number): string {
  return value.toString(2).padStart(count, "0");
}

function ue(value: number): string {
  const bits = (value + 1).toString(2);
  return "0".repeat(bits.length - 1) + bits;
}

function packed(bits: string): number[] {
  const padded = bits.padEnd(Math.ceil((bits.length + 1) / 8) * 8, "10000000");
  return Array.from({ length: padded.length / 8 }, (_, i) => Number.parseInt(padded.slice(i * 8, i * 8 + 8), 2));
}

/** Puts emulation prevention in, as an encoder would. */
function escaped(unit: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (const byte of unit) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Uint8Array.from(out);
}

test("[COD3] timing, decoder model and operating points stand before the size", () => {
  const payload = hex("0400000fa40001d4c3a4000000046484000b000004c00198000027553fd67c");
  assert.deepEqual(parseAv1SequenceHeader(payload), { width: 1280, height: 720, fps: 30_000 / 1_001 });
});

test("[COD3] the sequence header is found behind other units, with extensions and without sizes", () => {
  assert.deepEqual(findAv1SequenceHeader(hex("12 00  0e 00 02 aabb")), hex("aabb"));
  assert.deepEqual(findAv1SequenceHeader(hex("08 ccdd")), hex("ccdd"));
  assert.equal(findAv1SequenceHeader(hex("12 00")), undefined);
  assert.throws(() => findAv1SequenceHeader(hex("0a ff ff")), ShortReadError);
});

test("[COD5] SBR and PS are told apart", () => {
  assert.deepEqual(parseAacConfig(hex("131056e598")), {
    objectType: 2,
    sampleRate: 48_000,
    channels: 2,
    hasSbr: true,
    hasPs: false,
  });
  assert.deepEqual(parseAacConfig(hex("eb098800")), {
    objectType: 29,
    sampleRate: 48_000,
    channels: 2,
    hasSbr: true,
    hasPs: true,
  });
});

test("[COD6] Opus tells its pre-skip and its original rate", () => {
  assert.deepEqual(parseOpusHead(hex("4f70757348656164 01 02 3801 44ac0000 0000 00")), {
    channels: 2,
    preSkip: 312,
    inputSampleRate: 44_100,
  });
});

test("[COD8] NAL units by lengths of one, two and four bytes", () => {
  assert.deepEqual(splitNalUnits(hex("00000001 65 00000002 4142"), 4), [hex("65"), hex("4142")]);
  assert.deepEqual(splitNalUnits(hex("0001 65 0000 0002 4142"), 2), [hex("65"), hex("4142")]);
  assert.deepEqual(splitNalUnits(hex("01 65 ff 4142"), 1), [hex("65"), hex("4142")]);
  assert.deepEqual(splitNalUnits(hex("ffffffff"), 4), []);
});

test("[COD1] emulation prevention is taken out wherever it stands", () => {
  for (const [unit, raw] of [
    ["00 00 03 01", "00 00 01"],
    ["00 00 03 00 00 03 00", "00 00 00 00 00"],
    ["67 00 00 03", "67 00 00"],
    ["00 03 00 00 02", "00 03 00 00 02"],
    ["", ""],
  ] as const) {
    assert.equal(toHex(removeEmulationPrevention(hex(unit))), toHex(hex(raw)));
  }
});

test("[COD1] bits, and the codes of Exp-Golomb", () => {
  const bits = new BitReader(
    Uint8Array.from(packed(`${bitsOf(5, 3)}${bitsOf(0xdeadbeef, 32)}${ue(0)}${ue(7)}${ue(1)}${ue(2)}${ue(3)}`)),
  );
  assert.deepEqual([bits.bits(3), bits.bits(32), bits.ue(), bits.ue()], [5, 0xdeadbeef, 0, 7]);
  assert.deepEqual([bits.se(), bits.se(), bits.se()], [1, -1, 2]);
  assert.throws(() => new BitReader(hex("00000000000000")).ue(), ShortReadError);
  assert.throws(() => new BitReader(hex("ff")).bits(9), ShortReadError);
});

const seeds = goldenSeeds(CONFIG_GOLDEN);
const codecs = [...new Set(CONFIG_GOLDEN.map((row) => row.codec))];
fuzz("[COD7] decoder config", (bytes) => codecs.map((codec) => JSON.stringify(describeDecoderConfig(codec, bytes))), {
  seeds,
  allowed: [],
});
fuzz("[FMT1] av1 sequence header", (bytes) => [findAv1SequenceHeader(bytes), parseAv1SequenceHeader(bytes)], {
  seeds,
  allowed: [WireError],
});
