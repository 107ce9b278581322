/** What one FLV or RTMP video body is, whether its header is legacy or enhanced (E1–E4, E7–E9). */
import { i24At, openEnhancedHeader, readCodecPart, type Track } from "./enhanced-header.ts";
import { LEGACY_VIDEO_CODECS } from "./four-cc.ts";

export type VideoPacket =
  | "sequence-start"
  | "coded-frames"
  | "sequence-end"
  /** AMF pairs such as colorInfo, from `dataOffset` on (E4). */
  | "metadata"
  /** AV1 set-up bytes in the form of an MPEG-2 TS descriptor. */
  | "mpeg2ts-sequence-start"
  /** One byte for the player, no picture (E3). */
  | "command"
  /** Empty, of the future, or malformed: relay it as it is (E9). */
  | "unknown";

export type VideoFrameType = "keyframe" | "inter" | "disposable" | "generated" | "command" | "unknown";

/** One shape for both header forms; fields that do not apply hold their neutral value. */
export interface VideoBody {
  readonly packet: VideoPacket;
  readonly frameType: VideoFrameType;
  /** True only for coded frames that can be decoded without earlier ones. Sequence headers are not keyframes. */
  readonly isKeyframe: boolean;
  /** FourCC such as "avc1" for both forms; "h263", "vp6f", … for codecs that only legacy headers know; "" unknown. */
  readonly codec: string;
  /** Signed milliseconds from dts to pts (K28); 0 when absent; the first track's in multitrack bodies. */
  readonly compositionTime: number;
  /** Where the codec's own bytes begin; the body's length when there are none. */
  readonly dataOffset: number;
  readonly isEnhanced: boolean;
  /** 0 to 999 999, from ModEx (E8). */
  readonly nanosecondOffset: number;
  readonly isMultitrack: boolean;
  /** Empty unless multitrack; in the order of the body. */
  readonly tracks: readonly Track[];
  /** The body ends inside its own header. */
  readonly malformed: boolean;
}

/** Frame type bits. FLV 10.1 §E.4.3.1 */
const FRAME_TYPES: readonly VideoFrameType[] = ["unknown", "keyframe", "inter", "disposable", "generated", "command"];
const NO_TRACKS: readonly Track[] = [];

const AVC = 7;
const LEGACY_HEVC = 12;
const METADATA = 4;

const LEGACY_PACKETS: readonly VideoPacket[] = ["sequence-start", "coded-frames", "sequence-end"];
/** By packet type; 6 (multitrack) and 7 (ModEx) never remain after their heads were read. */
const ENHANCED_PACKETS: readonly VideoPacket[] = [
  "sequence-start",
  "coded-frames",
  "sequence-end",
  "coded-frames",
  "metadata",
  "mpeg2ts-sequence-start",
];

export const VIDEO_FORM = {
  multitrackType: 6,
  isKnown(packetType: number): boolean {
    return packetType < ENHANCED_PACKETS.length;
  },
  hasCompositionTime(packetType: number, codec: string): boolean {
    return packetType === 1 && (codec === "avc1" || codec === "hvc1" || codec === "vvc1");
  },
} as const;

/** Never throws: what cannot be read is `unknown`, and `malformed` when it was cut short. `body` is not kept. */
export function parseVideoBody(body: Uint8Array): VideoBody {
  const head = body[0];
  if (head === undefined) return bare("unknown", "unknown", "", 0, false);
  return (head & 0x80) === 0 ? parseLegacy(body, head) : parseEnhanced(body, head);
}

/** AVC layout: packet type, then a composition time, then data. Codec id 12 borrows it for HEVC. */
function parseLegacy(body: Uint8Array, head: number): VideoBody {
  const frameType = FRAME_TYPES[head >> 4] ?? "unknown";
  const codecId = head & 0x0f;
  const codec = LEGACY_VIDEO_CODECS[codecId] ?? "";
  if (frameType === "command") return bare("command", frameType, codec, Math.min(1, body.length), body.length < 2);
  if (codec === "") return bare("unknown", frameType, codec, 1, false);
  if (codecId !== AVC && codecId !== LEGACY_HEVC) return bare("coded-frames", frameType, codec, 1, false);
  const packet = LEGACY_PACKETS[body[1] ?? -1];
  if (packet === undefined) return bare("unknown", frameType, codec, body.length, body.length < 2);
  if (packet === "sequence-end") return bare(packet, frameType, codec, body.length, false);
  if (body.length < 5) return bare("unknown", frameType, codec, body.length, true);
  const compositionTime = packet === "coded-frames" ? i24At(body, 2) : 0;
  return { ...bare(packet, frameType, codec, 5, false), compositionTime };
}

function bare(
  packet: VideoPacket,
  frameType: VideoFrameType,
  codec: string,
  dataOffset: number,
  malformed: boolean,
): VideoBody {
  return {
    packet,
    frameType,
    isKeyframe: packet === "coded-frames" && frameType === "keyframe",
    codec,
    compositionTime: 0,
    dataOffset,
    isEnhanced: false,
    nanosecondOffset: 0,
    isMultitrack: false,
    tracks: NO_TRACKS,
    malformed,
  };
}

function parseEnhanced(body: Uint8Array, head: number): VideoBody {
  const frameType = FRAME_TYPES[(head >> 4) & 0x07] ?? "unknown";
  const header = openEnhancedHeader(body);
  const isCommand = frameType === "command" && header.packetType !== METADATA && !header.malformed;
  if (isCommand) header.malformed = header.dataOffset >= body.length;
  else readCodecPart(body, header, VIDEO_FORM);
  const packet = isCommand ? "command" : (ENHANCED_PACKETS[header.packetType] ?? "unknown");
  return {
    packet,
    frameType,
    isKeyframe: packet === "coded-frames" && frameType === "keyframe",
    codec: header.codec,
    compositionTime: header.compositionTime,
    dataOffset: header.dataOffset,
    isEnhanced: true,
    nanosecondOffset: header.nanosecondOffset,
    isMultitrack: header.isMultitrack,
    tracks: header.tracks,
    malformed: header.malformed,
  };
}
