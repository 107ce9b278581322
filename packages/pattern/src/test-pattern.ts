/** The test pattern: H.264 pictures of a test card and AAC beeps, as encoded frames, without a clock or I/O. */
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { EcmaArray } from "@sluice/amf/value";
import type { Millis } from "@sluice/base/brand";
import { FRAME_SAMPLES } from "./aac-mdct.ts";
import { AvcEncoder } from "./avc-encoder.ts";
import { type AvcFormat, encodeAvcConfigRecord, encodePps, encodeSps } from "./avc-parameter-sets.ts";
import { AUDIO_SPECIFIC_CONFIG, BeepTrack, SAMPLE_RATE } from "./beep-track.ts";
import { CELL_PIXELS, type CellPicture } from "./cell-picture.ts";
import { TestCard } from "./test-card.ts";

export interface TestPatternOptions {
  /** Pixels, multiples of 8; 640 to 1 920, 1 280 unless given. */
  readonly width?: number;
  /** Pixels, multiples of 8; 360 to 1 088, 720 unless given. */
  readonly height?: number;
  /** Whole frames per second, 1 to 60; 30 unless given. */
  readonly fps?: number;
  /** Wall-clock time, since 1970, of timestamp 0. */
  readonly startWall: Millis;
  /** What the shown time of day is ahead of UTC, less than a day either way; 0 unless given. */
  readonly utcOffset?: Millis;
}

export interface TestPatternFrame {
  readonly kind: "audio" | "video";
  /** Decoding and presentation time since the start; grows beyond 32 bits. */
  readonly timestamp: Millis;
  /** An access unit, each NAL unit with its length in 4 bytes before it; or an AAC raw data block. Shared: read only. */
  readonly data: Uint8Array;
  /** False for audio. */
  readonly isKeyframe: boolean;
}

/** Seconds from keyframe to keyframe: the longest wait of a new viewer, against the cost of a whole picture. */
const GOP_SECONDS = 2;
const AVC_CODEC_ID = 7;
const AAC_CODEC_ID = 10;

export class TestPattern {
  readonly #format: AvcFormat;
  readonly #startWall: Millis;
  readonly #card: TestCard;
  readonly #picture: CellPicture;
  readonly #encoder: AvcEncoder;
  readonly #beeps: BeepTrack;
  /** Numbers of the frames that come next. */
  #videoNumber = 0;
  #audioNumber = 0;
  /** The next frame from this number on is a keyframe. */
  #keyframeDue = 0;

  /** @throws {RangeError}  a size or rate outside what the options allow */
  constructor(options: TestPatternOptions) {
    const { width = 1_280, height = 720, fps = 30, startWall, utcOffset = 0 as Millis } = options;
    checkRange("width", width, { min: 640, max: 1_920, step: CELL_PIXELS });
    checkRange("height", height, { min: 360, max: 1_088, step: CELL_PIXELS });
    checkRange("fps", fps, { min: 1, max: 60, step: 1 });
    this.#format = { width, height, fps };
    this.#startWall = startWall;
    this.#card = new TestCard({ ...this.#format, utcOffset });
    this.#picture = this.#card.createPicture();
    this.#encoder = new AvcEncoder(this.#picture.width, this.#picture.height);
    this.#beeps = new BeepTrack(Math.round(((startWall % 1000) * SAMPLE_RATE) / 1000));
  }

  /** What decoders need before every frame: an AVCDecoderConfigurationRecord and an AudioSpecificConfig. */
  decoderConfigs(): { readonly video: Uint8Array; readonly audio: Uint8Array } {
    return { video: encodeAvcConfigRecord(encodeSps(this.#format), encodePps()), audio: AUDIO_SPECIFIC_CONFIG };
  }

  /** The payload of a data message or script tag: "onMetaData" and its ECMA array, in AMF0. */
  metadata(): Uint8Array {
    const { width, height, fps } = this.#format;
    const entries = {
      width,
      height,
      framerate: fps,
      videocodecid: AVC_CODEC_ID,
      audiocodecid: AAC_CODEC_ID,
      audiosamplerate: SAMPLE_RATE,
      audiosamplesize: 16,
      audiochannels: 2,
      stereo: true,
      encoder: "Sluice test pattern",
    };
    return encodeAmf0Values(["onMetaData", new EcmaArray(entries)]);
  }

  /** The next frame in decoding order, audio and video interleaved; there is no end. */
  next(): TestPatternFrame {
    return this.#videoTime() <= this.#audioTime() ? this.#nextVideo() : this.#nextAudio();
  }

  /** Leaves out what lies before `timestamp`; the next picture is a keyframe. Does nothing when already there. */
  skipTo(timestamp: Millis): void {
    if (timestamp <= this.#videoTime()) return;
    this.#videoNumber = Math.ceil((timestamp * this.#format.fps) / 1000);
    this.#audioNumber = Math.max(this.#audioNumber, Math.ceil((timestamp * SAMPLE_RATE) / 1000 / FRAME_SAMPLES));
    this.#keyframeDue = this.#videoNumber;
  }

  #nextVideo(): TestPatternFrame {
    const timestamp = this.#videoTime();
    const frameNumber = this.#videoNumber++;
    const isKeyframe = frameNumber >= this.#keyframeDue;
    if (isKeyframe) this.#keyframeDue = frameNumber + GOP_SECONDS * this.#format.fps;
    this.#card.paint(this.#picture, { wall: (this.#startWall + timestamp) as Millis, frameNumber });
    const nalUnit = isKeyframe ? this.#encoder.encodeIdr(this.#picture) : this.#encoder.encodePredicted(this.#picture);
    return { kind: "video", timestamp, data: lengthPrefixed(nalUnit), isKeyframe };
  }

  #nextAudio(): TestPatternFrame {
    const timestamp = this.#audioTime();
    return { kind: "audio", timestamp, data: this.#beeps.frame(this.#audioNumber++), isKeyframe: false };
  }

  /** Worked out from the number each time, so that rounding never adds up. */
  #videoTime(): Millis {
    return Math.round((this.#videoNumber * 1000) / this.#format.fps) as Millis;
  }

  #audioTime(): Millis {
    return Math.round((this.#audioNumber * FRAME_SAMPLES * 1000) / SAMPLE_RATE) as Millis;
  }
}

function lengthPrefixed(nalUnit: Uint8Array): Uint8Array {
  const data = new Uint8Array(4 + nalUnit.length);
  new DataView(data.buffer).setUint32(0, nalUnit.length);
  data.set(nalUnit, 4);
  return data;
}

function checkRange(name: string, value: number, range: { min: number; max: number; step: number }): void {
  const { min, max, step } = range;
  if (value >= min && value <= max && value % step === 0) return;
  throw new RangeError(`Cannot make test pattern: ${name} ${value} is not a multiple of ${step} from ${min} to ${max}`);
}
