/** Writes FLV audio and video bodies in the legacy form, which every player knows: AVC, AAC and MP3. FLV 10.1 §E.4.2, §E.4.3 */
import { LEGACY_AUDIO_CODECS, LEGACY_VIDEO_CODECS } from "./four-cc.ts";

/** `sequence-start`: the data is the decoder configuration record. */
export type LegacyPacket = "sequence-start" | "coded-frames";

const PACKET_TYPES = { "sequence-start": 0, "coded-frames": 1 } as const satisfies Record<LegacyPacket, number>;
const KEYFRAME = 1;
const INTER_FRAME = 2;
const AVC = LEGACY_VIDEO_CODECS.indexOf("avc1");
const AAC = LEGACY_AUDIO_CODECS.indexOf("mp4a");
/** 44.1 kHz, 16 bit, stereo: what AAC must say, and what players ignore in favour of the stream. */
const SOUND = 0x0f;

/** @param data  a configuration record, or NAL units with their lengths before them; copied, as by `encodeAacBody` */
export function encodeAvcBody(
  packet: LegacyPacket,
  data: Uint8Array,
  frame: { readonly isKeyframe: boolean; readonly compositionTime: number } = { isKeyframe: true, compositionTime: 0 },
): Uint8Array<ArrayBuffer> {
  const frameType = frame.isKeyframe ? KEYFRAME : INTER_FRAME;
  return joined(avcHead(frameType, PACKET_TYPES[packet], frame.compositionTime), data);
}

/** @param data  an AudioSpecificConfig, or one raw data block */
export function encodeAacBody(packet: LegacyPacket, data: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined(aacHead(PACKET_TYPES[packet]), data);
}

/**
 * | offset | field            | form | meaning                                          |
 * | ------ | ---------------- | ---- | ------------------------------------------------ |
 * | 0      | frame type       | u4   | 1 keyframe, 2 inter frame, …                     |
 * | 0      | codec id         | u4   | 7                                                |
 * | 1      | packet type      | u8   | 0 configuration record, 1 NAL units, 2 end       |
 * | 2      | composition time | i24  | ms from decoding to presentation                 |
 */
export function avcHead(frameType: number, packetType: number, compositionTime: number): readonly number[] {
  const time = compositionTime;
  return [(frameType << 4) | AVC, packetType, (time >> 16) & 0xff, (time >> 8) & 0xff, time & 0xff];
}

/** @param packetType  0 AudioSpecificConfig, 1 raw data block */
export function aacHead(packetType: number): readonly number[] {
  return [(AAC << 4) | SOUND, packetType];
}

export function mp3Head(): readonly number[] {
  return [(LEGACY_AUDIO_CODECS.indexOf(".mp3") << 4) | SOUND];
}

function joined(head: readonly number[], data: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(head.length + data.length);
  body.set(head);
  body.set(data, head.length);
  return body;
}
