/** The test pattern's AAC, as ffmpeg decodes it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AUDIO_SPECIFIC_CONFIG, BeepTrack, beepSample, SAMPLE_RATE } from "@sluice/pattern/beep-track";
import { decode, probe } from "./test-pattern-ffmpeg.ts";

const FRAME_SAMPLES = 1_024;
const FULL_SCALE = 32_768;
/** The first frame comes out of a decoder half faded in, as nothing came before it. */
const SETTLED = FRAME_SAMPLES;

/** ADTS: a frame with the header that lets it stand in a file of its own. ISO/IEC 14496-3 §1.A.2.2 */
function toAdts(frame: Uint8Array): Uint8Array {
  const length = frame.length + 7;
  const head = [0xff, 0xf1, 0x4c, 0x80 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc];
  return Uint8Array.from([...head, ...frame]);
}

function makeTrack(offset: number, frameCount: number): Uint8Array {
  const track = new BeepTrack(offset);
  return Buffer.concat(Array.from({ length: frameCount }, (_, i) => toAdts(track.frame(i))));
}

/** Left and right of each sample. */
function decodeSamples(adts: Uint8Array): Float32Array {
  const bytes = decode("aac", adts, ["-f", "f32le"]);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

for (const offset of [0, 24_000, 47_999]) {
  test(`[TP8] [TP9] beeps ${offset} samples after a full second decode as meant, with silence between`, () => {
    const frameCount = 200;
    const samples = decodeSamples(makeTrack(offset, frameCount));
    assert.equal(samples.length, frameCount * FRAME_SAMPLES * 2);
    let [error, power, differing, loudSilence] = [0, 0, 0, 0];
    for (let i = SETTLED; i < frameCount * FRAME_SAMPLES; i++) {
      const meant = beepSample(offset + i, SAMPLE_RATE) / FULL_SCALE;
      const [left, right] = [samples[2 * i] as number, samples[2 * i + 1] as number];
      error += (left - meant) ** 2;
      power += meant ** 2;
      if (left !== right) differing++;
      // Clear of the window of any frame that holds a part of a beep.
      const inSecond = (offset + i) % SAMPLE_RATE;
      if (inSecond > 0.12 * SAMPLE_RATE + 2048 && inSecond < SAMPLE_RATE - 2048 && left !== 0) loudSilence++;
    }
    assert.ok(10 * Math.log10(power / error) > 40, `${10 * Math.log10(power / error)} dB`);
    assert.deepEqual({ differing, loudSilence }, { differing: 0, loudSilence: 0 });
  });
}

test("[TP8] ffprobe reads AAC-LC, 48 kHz, stereo", () => {
  const { codec_name, profile, sample_rate, channels } = probe("aac", makeTrack(0, 20), "audio");
  assert.deepEqual({ codec_name, profile, sample_rate, channels }, AAC_TOLD);
  assert.equal(Buffer.from(AUDIO_SPECIFIC_CONFIG).toString("hex"), "1190");
});

const AAC_TOLD = { codec_name: "aac", profile: "LC", sample_rate: "48000", channels: 2 };

test("[TP8] frames repeat after eight seconds, where frame borders meet full seconds again", () => {
  const track = new BeepTrack(123);
  assert.equal(track.frame(1), track.frame(376));
  assert.equal((375 * FRAME_SAMPLES) % SAMPLE_RATE, 0);
});
