/** The test pattern's H.264: bits, NAL units, parameter sets, and pictures as ffmpeg decodes them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AvcEncoder } from "@sluice/pattern/avc-encoder";
import { encodeNalUnit, NAL_UNIT_TYPES } from "@sluice/pattern/avc-nal-unit";
import { type AvcFormat, encodePps, encodeSps } from "@sluice/pattern/avc-parameter-sets";
import { BitWriter } from "@sluice/pattern/bit-writer";
import { writeResidualBlock } from "@sluice/pattern/cavlc";
import { CHROMA_DC, LUMA_DC } from "@sluice/pattern/cavlc-tables";
import { bt709, CellPicture } from "@sluice/pattern/cell-picture";
import fc from "fast-check";
import { countWrongSamples, decodePictures, probe } from "./test-pattern-ffmpeg.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** H.264 Table 9-2 and 9-3. */
const EXP_GOLOMB = [
  { unsigned: 0, signed: 0, bits: "1" },
  { unsigned: 1, signed: 1, bits: "010" },
  { unsigned: 2, signed: -1, bits: "011" },
  { unsigned: 3, signed: 2, bits: "00100" },
  { unsigned: 6, signed: -3, bits: "00111" },
  { unsigned: 3599, signed: 1800, bits: `${"0".repeat(11)}${(3600).toString(2)}` },
] as const;

for (const { unsigned, signed, bits } of EXP_GOLOMB) {
  test(`[TP1] exp-golomb of ${unsigned} and ${signed} is ${bits}`, () => {
    assert.equal(hex(new BitWriter(1).ue(unsigned).align().finish()), hex(packed(bits)));
    assert.equal(hex(new BitWriter(1).se(signed).align().finish()), hex(packed(bits)));
  });
}

function packed(bits: string): Uint8Array {
  return Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, "0"), 2));
}

test("[TP1] any run of fields comes out as their bits in turn", () => {
  const field = fc
    .integer({ min: 1, max: 24 })
    .chain((length) => fc.tuple(fc.nat(2 ** length - 1), fc.constant(length)));
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const w = new BitWriter(1);
      for (const [value, length] of fields) w.put(value, length);
      const bits = fields.map(([value, length]) => value.toString(2).padStart(length, "0")).join("");
      assert.equal(hex(w.align().finish()), hex(packed(bits)));
    }),
  );
});

const RESIDUAL_BLOCKS = [
  { says: "nothing", codes: LUMA_DC, levels: [0, 0, 0, 0, 0], bits: "1" },
  { says: "no chroma", codes: CHROMA_DC, levels: [0, 0, 0, 0], bits: "01" },
  { says: "one trailing one", codes: LUMA_DC, levels: [-1, 0, 0, 0, 0], bits: "01 1 1" },
  { says: "one level of 2: its code starts at 2", codes: LUMA_DC, levels: [2, 0, 0, 0, 0], bits: "000101 1 1" },
  { says: "a one after four zeros", codes: LUMA_DC, levels: [0, 0, 0, 0, 1], bits: "01 0 0010" },
  { says: "zeros between", codes: LUMA_DC, levels: [3, 0, -1, 0, 1], bits: "0000101 0 1 001 110 01 0" },
  {
    says: "an escaped level",
    codes: CHROMA_DC,
    levels: [100, 0, 0, 0],
    bits: `000111 ${"0".repeat(15)}1 000010100110 1`,
  },
  { says: "a full chroma block", codes: CHROMA_DC, levels: [4, 1, -1, 1], bits: "0000000 0 1 0 0000001" },
] as const;

for (const { says, codes, levels, bits } of RESIDUAL_BLOCKS) {
  test(`[TP1] residual block of ${says}`, () => {
    const w = new BitWriter();
    writeResidualBlock(w, codes, levels);
    assert.equal(hex(w.align().finish()), hex(packed(bits.replaceAll(" ", ""))));
  });
}

const NAL_UNITS = [
  { says: "header only", rbsp: "", unit: "67" },
  { says: "a start code", rbsp: "000001", unit: "6700000301" },
  { says: "a run of zeros", rbsp: "0000000000", unit: "6700000300000300" },
  { says: "what needs no breaking up", rbsp: "00000400010002", unit: "6700000400010002" },
  { says: "an emulation byte itself", rbsp: "000003", unit: "6700000303" },
] as const;

for (const { says, rbsp, unit } of NAL_UNITS) {
  test(`[TP2] NAL unit of ${says}`, () => {
    const bytes = Uint8Array.from(Buffer.from(rbsp, "hex"));
    assert.equal(hex(encodeNalUnit(NAL_UNIT_TYPES.sequenceParameterSet, bytes)), unit);
  });
}

test("[TP5] parameter sets of 1280×720 at 30 are these bytes", () => {
  assert.equal(hex(encodeSps({ width: 1280, height: 720, fps: 30 })), SPS_720P30);
  assert.equal(hex(encodePps()), PPS);
});

/** Checked by ffprobe below; kept so that a change of what is said is seen. */
const SPS_720P30 = "6742c01f95a014016ec05a808080a0000003002000000791fd40";
const PPS = "68ce02b1b2";

/** Cells at random, changed here and there from picture to picture, as Annex B bytes and as what was meant. */
function makeStream(
  format: AvcFormat,
  pictureCount: number,
  seed: number,
): { bytes: Uint8Array; pictures: CellPicture[] } {
  const columns = Math.ceil(format.width / 16) * 2;
  const rows = Math.ceil(format.height / 16) * 2;
  const random = randomBelow(seed);
  const picture = new CellPicture(columns, rows);
  const encoder = new AvcEncoder(columns, rows);
  const units: Uint8Array[] = [encodeSps(format), encodePps()];
  const pictures: CellPicture[] = [];
  for (let i = 0; i < pictureCount; i++) {
    const isKeyframe = i % 5 === 0;
    for (let cell = 0; cell < picture.cells.length; cell++) {
      if (isKeyframe || random(5) === 0) picture.cells[cell] = anyColour(random);
    }
    units.push(isKeyframe ? encoder.encodeIdr(picture) : encoder.encodePredicted(picture));
    const painted = new CellPicture(columns, rows);
    painted.copyFrom(picture);
    pictures.push(painted);
  }
  return { bytes: Buffer.concat(units.flatMap((unit) => [Uint8Array.of(0, 0, 0, 1), unit])), pictures };
}

/** Full extremes, close neighbours and everything between. */
function anyColour(random: (below: number) => number): number {
  const samples = [[0, 255], [127, 128, 129], Array.from({ length: 256 }, (_, i) => i)][random(3)] as number[];
  const pick = (): number => samples[random(samples.length)] as number;
  return (pick() << 16) | (pick() << 8) | pick();
}

function randomBelow(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const FORMATS = [
  { width: 192, height: 112, fps: 25 },
  { width: 200, height: 104, fps: 30 },
  { width: 16, height: 16, fps: 50 },
] as const;

for (const format of FORMATS) {
  test(`[TP3] [TP6] ${format.width}×${format.height} decodes to exactly what was painted`, () => {
    const { bytes, pictures } = makeStream(format, 30, format.width);
    const samples = decodePictures("h264", bytes);
    const pictureBytes = (format.width * format.height * 3) / 2;
    assert.equal(samples.length, pictures.length * pictureBytes);
    pictures.forEach((painted, i) => {
      const decoded = samples.subarray(i * pictureBytes, (i + 1) * pictureBytes);
      assert.equal(countWrongSamples(decoded, painted, format), 0, `picture ${i}`);
    });
  });
}

test("[TP4] an unchanged picture takes a few bytes", () => {
  const picture = new CellPicture(160, 90);
  picture.fill(0, 0, 160, 90, bt709(0.5, 0.5, 0.5));
  const encoder = new AvcEncoder(160, 90);
  encoder.encodeIdr(picture);
  const unit = encoder.encodePredicted(picture);
  assert.ok(unit.length <= 8, `${unit.length} bytes`);
});

const LEVELS = [
  { width: 640, height: 360, fps: 25, level: 30 },
  { width: 1280, height: 720, fps: 30, level: 31 },
  { width: 1280, height: 720, fps: 60, level: 32 },
  { width: 1920, height: 1080, fps: 30, level: 40 },
  { width: 1920, height: 1080, fps: 60, level: 42 },
] as const;

for (const { level, ...format } of LEVELS) {
  test(`[TP5] [TP6] ffprobe reads ${format.width}×${format.height} at ${format.fps} as level ${level}`, () => {
    const { bytes } = makeStream(format, 1, 1);
    const { width, height, fps } = format;
    const told = probe("h264", bytes, "video");
    const expected = {
      profile: "Constrained Baseline",
      level,
      width,
      height,
      pix_fmt: "yuv420p",
      has_b_frames: 0,
      refs: 1,
      sample_aspect_ratio: "1:1",
      color_range: "tv",
      color_space: "bt709",
      color_transfer: "bt709",
      color_primaries: "bt709",
      r_frame_rate: `${fps}/1`,
    };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, told[key]])), expected);
  });
}

test("[TP5] a rate beyond every level is refused", () => {
  assert.throws(() => encodeSps({ width: 4096, height: 2304, fps: 240 }), RangeError);
});

/** BT.709 8-bit limited-range values of the usual colour bars. */
const COLOURS = [
  { says: "black", rgb: [0, 0, 0], yCbCr: [16, 128, 128] },
  { says: "white", rgb: [1, 1, 1], yCbCr: [235, 128, 128] },
  { says: "red", rgb: [1, 0, 0], yCbCr: [63, 102, 240] },
  { says: "yellow at 75 %", rgb: [0.75, 0.75, 0], yCbCr: [168, 44, 136] },
  { says: "blue at 75 %", rgb: [0, 0, 0.75], yCbCr: [28, 212, 120] },
] as const;

for (const { says, rgb, yCbCr } of COLOURS) {
  test(`[TP5] ${says} in BT.709 is ${yCbCr.join(" ")}`, () => {
    const colour = bt709(rgb[0], rgb[1], rgb[2]);
    assert.deepEqual([colour >>> 16, (colour >>> 8) & 0xff, colour & 0xff], yCbCr);
  });
}
