/** What one FLV or RTMP audio body is, whether its header is legacy or enhanced (E5–E9). */
import { openEnhancedHeader, readCodecPart, type Track } from "./enhanced-header.ts";
import { LEGACY_AUDIO_CODECS } from "./four-cc.ts";

export type AudioPacket =
  | "sequence-start"
  | "coded-frames"
  | "sequence-end"
  /** Order of channels, from `dataOffset` on (E5). */
  | "multichannel-config"
  /** A body of no bytes (E6): relayed like any other. */
  | "silence"
  /** Of the future, or malformed: relay it as it is (E9). */
  | "unknown";

/** One shape for both header forms; fields that do not apply hold their neutral value. */
export interface AudioBody {
  readonly packet: AudioPacket;
  /** FourCC such as "mp4a" or "Opus" for both forms; "spex", "alaw", … for legacy-only codecs; "" unknown. */
  readonly codec: string;
  /** Where the codec's own bytes begin; the body's length when there are none. */
  readonly dataOffset: number;
  readonly isEnhanced: boolean;
  /** Hz as the legacy header claims, 0 in enhanced ones. For AAC always 44100: ask its decoder config instead. */
  readonly sampleRate: number;
  /** 1 or 2 as the legacy header claims, 0 in enhanced ones. For AAC always 2: ask its decoder config instead. */
  readonly channels: number;
  /** 0 to 999 999, from ModEx (E8). */
  readonly nanosecondOffset: number;
  readonly isMultitrack: boolean;
  /** Empty unless multitrack; in the order of the body. */
  readonly tracks: readonly Track[];
  /** The body ends inside its own header. */
  readonly malformed: boolean;
}

export const ENHANCED_SOUND_FORMAT = 9;
const AAC = 10;
/** Sound formats that fix their own rate: Nellymoser 16 kHz and 8 kHz, G.711 twice, Speex, MP3 at 8 kHz. */
const FIXED_RATES: Readonly<Record<number, number>> = {
  4: 16_000,
  5: 8_000,
  7: 8_000,
  8: 8_000,
  11: 16_000,
  14: 8_000,
};
const RATES: readonly number[] = [5_512, 11_025, 22_050, 44_100];
const NO_TRACKS: readonly Track[] = [];

const ENHANCED_PACKETS: readonly (AudioPacket | undefined)[] = [
  "sequence-start",
  "coded-frames",
  "sequence-end",
  undefined,
  "multichannel-config",
];

export const AUDIO_FORM = {
  multitrackType: 5,
  isKnown(packetType: number): boolean {
    return ENHANCED_PACKETS[packetType] !== undefined;
  },
  hasCompositionTime(): boolean {
    return false;
  },
} as const;

/** Never throws: what cannot be read is `unknown`, and `malformed` when it was cut short. `body` is not kept. */
export function parseAudioBody(body: Uint8Array): AudioBody {
  const head = body[0];
  if (head === undefined) return bare("silence", "", 0, 0);
  return head >> 4 === ENHANCED_SOUND_FORMAT ? parseEnhanced(body) : parseLegacy(body, head);
}

/** High nibble sound format, then rate (2 bits), sample size (1), stereo (1). FLV 10.1 §E.4.2.1 */
function parseLegacy(body: Uint8Array, head: number): AudioBody {
  const format = head >> 4;
  const codec = LEGACY_AUDIO_CODECS[format] ?? "";
  if (codec === "") return bare("unknown", codec, 1, head);
  if (format !== AAC) return bare("coded-frames", codec, 1, head);
  const packetType = body[1];
  if (packetType === undefined) return { ...bare("unknown", codec, 1, head), malformed: true };
  if (packetType > 1) return bare("unknown", codec, 2, head);
  return bare(packetType === 0 ? "sequence-start" : "coded-frames", codec, 2, head);
}

function bare(packet: AudioPacket, codec: string, dataOffset: number, head: number): AudioBody {
  return {
    packet,
    codec,
    dataOffset,
    isEnhanced: false,
    sampleRate: packet === "silence" ? 0 : (FIXED_RATES[head >> 4] ?? RATES[(head >> 2) & 3] ?? 0),
    channels: packet === "silence" ? 0 : (head & 1) + 1,
    nanosecondOffset: 0,
    isMultitrack: false,
    tracks: NO_TRACKS,
    malformed: false,
  };
}

function parseEnhanced(body: Uint8Array): AudioBody {
  const header = openEnhancedHeader(body);
  readCodecPart(body, header, AUDIO_FORM);
  return {
    packet: ENHANCED_PACKETS[header.packetType] ?? "unknown",
    codec: header.codec,
    dataOffset: header.dataOffset,
    isEnhanced: true,
    sampleRate: 0,
    channels: 0,
    nanosecondOffset: header.nanosecondOffset,
    isMultitrack: header.isMultitrack,
    tracks: header.tracks,
    malformed: header.malformed,
  };
}
