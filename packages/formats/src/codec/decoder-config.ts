/** One question for all codecs: what does this decoder configuration say of the picture or the sound? */
import { WireError } from "@sluice/bytes/wire-error";
import { aacCodecString, parseAacConfig } from "./aac.ts";
import { av1CodecString, findAv1SequenceHeader, parseAv1Config, parseAv1SequenceHeader } from "./av1.ts";
import { avcCodecString, parseAvcConfig, parseAvcSps } from "./avc.ts";
import { parseFlacConfig } from "./flac.ts";
import { hevcCodecString, parseHevcConfig, parseHevcSps } from "./hevc.ts";
import { OPUS_SAMPLE_RATE, parseOpusHead } from "./opus.ts";
import { parseVpConfig, vpCodecString } from "./vp9.ts";

export interface VideoDescription {
  readonly kind: "video";
  /** As browsers take it, such as "avc1.64001f"; "" when unknown. */
  readonly codecString: string;
  /** Pixels; 0 when unknown. */
  readonly width: number;
  readonly height: number;
  /** Pictures per second, when the configuration states it. */
  readonly fps?: number;
}

export interface AudioDescription {
  readonly kind: "audio";
  /** As browsers take it, such as "mp4a.40.2"; "" when unknown. */
  readonly codecString: string;
  /** Hz out of the decoder; 0 when unknown. */
  readonly sampleRate: number;
  readonly channels: number;
}

export type DecoderDescription = VideoDescription | AudioDescription;

/**
 * The best that can be said; never throws. What fails half-way keeps what was found before it.
 *
 * @param codec  FourCC such as "avc1" or "mp4a", as `VideoBody.codec` and `AudioBody.codec` give it
 * @param record  the sequence header's bytes from its `dataOffset` on; may be empty
 */
export function describeDecoderConfig(codec: string, record: Uint8Array): DecoderDescription {
  switch (codec) {
    case "avc1":
      return describe(UNKNOWN_VIDEO, () => describeAvc(record));
    case "hvc1":
      return describe(UNKNOWN_VIDEO, () => describeHevc(record));
    case "av01":
      return describe(UNKNOWN_VIDEO, () => describeAv1(record));
    case "vp09":
    case "vp08":
      return describe(UNKNOWN_VIDEO, () => ({
        ...UNKNOWN_VIDEO,
        codecString: vpCodecString(codec, parseVpConfig(record)),
      }));
    case "mp4a":
      return describe(UNKNOWN_AUDIO, () => describeAac(record));
    case "Opus": {
      const unread = { ...UNKNOWN_AUDIO, codecString: "opus", sampleRate: OPUS_SAMPLE_RATE };
      return describe(unread, () => ({ ...unread, channels: parseOpusHead(record).channels }));
    }
    case "fLaC":
      return describe({ ...UNKNOWN_AUDIO, codecString: "flac" }, () => describeFlac(record));
    case ".mp3":
      return { ...UNKNOWN_AUDIO, codecString: "mp3" };
    case "ac-3":
    case "ec-3":
      return { ...UNKNOWN_AUDIO, codecString: codec };
    default:
      return UNKNOWN_VIDEO;
  }
}

/** Whether a decoder could be set up with it, as far as can be told: of other codecs every record is believed. */
export function isUsableDecoderConfig(codec: string, record: Uint8Array): boolean {
  if (record.length === 0) return false;
  const described = describeDecoderConfig(codec, record);
  switch (codec) {
    case "avc1":
    case "hvc1":
      return described.kind === "video" && described.width > 0;
    case "av01":
      return described.codecString !== "";
    case "mp4a":
      return described.kind === "audio" && described.sampleRate > 0 && described.codecString !== NULL_AAC;
    default:
      return true;
  }
}

/** What a record of zeros says. */
const NULL_AAC = "mp4a.40.0";

const UNKNOWN_VIDEO: VideoDescription = { kind: "video", codecString: "", width: 0, height: 0 };
const UNKNOWN_AUDIO: AudioDescription = { kind: "audio", codecString: "", sampleRate: 0, channels: 0 };

function describe<T extends DecoderDescription>(unread: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return unread;
    throw error;
  }
}

function describeAvc(record: Uint8Array): VideoDescription {
  const config = parseAvcConfig(record);
  const known = { ...UNKNOWN_VIDEO, codecString: avcCodecString(config) };
  const [sps] = config.sps;
  return sps === undefined ? known : describe(known, () => ({ ...known, ...parseAvcSps(sps) }));
}

function describeHevc(record: Uint8Array): VideoDescription {
  const config = parseHevcConfig(record);
  const named = { ...UNKNOWN_VIDEO, codecString: hevcCodecString(config) };
  const known = config.averageFps > 0 ? { ...named, fps: config.averageFps } : named;
  const [sps] = config.sps;
  return sps === undefined ? known : describe(known, () => ({ ...known, ...parseHevcSps(sps) }));
}

function describeAv1(record: Uint8Array): VideoDescription {
  const config = parseAv1Config(record);
  const known = { ...UNKNOWN_VIDEO, codecString: av1CodecString(config) };
  return describe(known, () => {
    const header = findAv1SequenceHeader(config.configObus);
    return header === undefined ? known : { ...known, ...parseAv1SequenceHeader(header) };
  });
}

function describeAac(record: Uint8Array): AudioDescription {
  const config = parseAacConfig(record);
  const { sampleRate, channels } = config;
  return { kind: "audio", codecString: aacCodecString(config), sampleRate, channels };
}

function describeFlac(record: Uint8Array): AudioDescription {
  const { sampleRate, channels } = parseFlacConfig(record);
  return { kind: "audio", codecString: "flac", sampleRate, channels };
}
