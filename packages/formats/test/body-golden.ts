/** Audio and video bodies and what they are: parsed, rewritten, and seeds of the fuzzer. */
import type { AudioBody } from "@sluice/formats/flv/audio-body";
import type { VideoBody } from "@sluice/formats/flv/video-body";

export interface BodyRow<T> {
  readonly rule: string;
  readonly says: string;
  readonly bytes: string;
  /** The fields that matter to the row. */
  readonly value: Partial<T>;
}

const track = (trackId: number, codec: string, offset: number, length: number, compositionTime = 0) => ({
  trackId,
  codec,
  offset,
  length,
  compositionTime,
});

export const VIDEO_GOLDEN: readonly BodyRow<VideoBody>[] = [
  // Legacy
  {
    rule: "VID1",
    says: "AVC sequence header",
    bytes: "17 00 000000 01640020",
    value: {
      packet: "sequence-start",
      codec: "avc1",
      dataOffset: 5,
      isKeyframe: false,
      frameType: "keyframe",
      isEnhanced: false,
    },
  },
  {
    rule: "VID1",
    says: "AVC keyframe",
    bytes: "17 01 000050 65",
    value: { packet: "coded-frames", isKeyframe: true, compositionTime: 80, dataOffset: 5 },
  },
  {
    rule: "VID1",
    says: "AVC frame shown before it is decoded",
    bytes: "27 01 ffffd8 41",
    value: { packet: "coded-frames", isKeyframe: false, frameType: "inter", compositionTime: -40 },
  },
  {
    rule: "VID1",
    says: "most negative composition time",
    bytes: "27 01 800000 41",
    value: { compositionTime: -8_388_608 },
  },
  {
    rule: "VID1",
    says: "AVC end of sequence",
    bytes: "17 02 000000",
    value: { packet: "sequence-end", codec: "avc1", compositionTime: 0, malformed: false },
  },
  {
    rule: "VID1",
    says: "AVC end of sequence without composition time",
    bytes: "17 02",
    value: { packet: "sequence-end", malformed: false },
  },
  {
    rule: "VID2",
    says: "HEVC by codec id 12",
    bytes: "1c 01 000010 26",
    value: {
      packet: "coded-frames",
      codec: "hvc1",
      isKeyframe: true,
      compositionTime: 16,
      dataOffset: 5,
      isEnhanced: false,
    },
  },
  {
    rule: "VID3",
    says: "H.263",
    bytes: "22 000084",
    value: { packet: "coded-frames", codec: "h263", dataOffset: 1, frameType: "inter" },
  },
  { rule: "VID3", says: "disposable H.263", bytes: "32 000084", value: { frameType: "disposable", isKeyframe: false } },
  { rule: "VID3", says: "VP6", bytes: "14 00", value: { packet: "coded-frames", codec: "vp6f", isKeyframe: true } },
  {
    rule: "VID6",
    says: "legacy command",
    bytes: "57 00",
    value: { packet: "command", frameType: "command", dataOffset: 1, malformed: false },
  },
  { rule: "VID8", says: "empty", bytes: "", value: { packet: "unknown", codec: "", dataOffset: 0, malformed: false } },
  { rule: "VID8", says: "AVC of one byte", bytes: "17", value: { packet: "unknown", malformed: true, dataOffset: 1 } },
  {
    rule: "VID8",
    says: "AVC cut in its composition time",
    bytes: "17 01 0000",
    value: { packet: "unknown", malformed: true },
  },
  {
    rule: "VID8",
    says: "AVC packet type of the future",
    bytes: "17 03 000000",
    value: { packet: "unknown", codec: "avc1", malformed: false },
  },
  {
    rule: "VID8",
    says: "legacy codec of the future",
    bytes: "1f 00",
    value: { packet: "unknown", codec: "", malformed: false },
  },
  // Enhanced
  {
    rule: "VID4",
    says: "HEVC sequence start",
    bytes: "90 68766331 01",
    value: { packet: "sequence-start", codec: "hvc1", dataOffset: 5, isEnhanced: true, isKeyframe: false },
  },
  {
    rule: "VID4",
    says: "AV1 keyframe",
    bytes: "91 61763031 0a",
    value: { packet: "coded-frames", codec: "av01", dataOffset: 5, isKeyframe: true, compositionTime: 0 },
  },
  {
    rule: "VID5",
    says: "HEVC frame with composition time",
    bytes: "a1 68766331 fffff6 02",
    value: { packet: "coded-frames", compositionTime: -10, dataOffset: 8, isKeyframe: false },
  },
  {
    rule: "VID5",
    says: "VVC frame with composition time",
    bytes: "91 76766331 000001 02",
    value: { codec: "vvc1", compositionTime: 1, dataOffset: 8 },
  },
  {
    rule: "VID5",
    says: "VP9 frame has none",
    bytes: "91 76703039 fffff6",
    value: { codec: "vp09", compositionTime: 0, dataOffset: 5 },
  },
  {
    rule: "VID4",
    says: "frames of type 3 leave it out",
    bytes: "a3 61766331 41",
    value: { packet: "coded-frames", codec: "avc1", compositionTime: 0, dataOffset: 5 },
  },
  { rule: "VID4", says: "end of sequence", bytes: "92 68766331", value: { packet: "sequence-end", dataOffset: 5 } },
  {
    rule: "VID4",
    says: "AV1 sequence start of the transport stream kind",
    bytes: "95 61763031 80",
    value: { packet: "mpeg2ts-sequence-start", codec: "av01" },
  },
  {
    rule: "VID6",
    says: "enhanced command",
    bytes: "d1 01",
    value: { packet: "command", codec: "", dataOffset: 1, malformed: false },
  },
  {
    rule: "VID6",
    says: "enhanced command without its byte",
    bytes: "d1",
    value: { packet: "command", malformed: true },
  },
  {
    rule: "VID7",
    says: "metadata",
    bytes: "94 68766331 02",
    value: { packet: "metadata", codec: "hvc1", dataOffset: 5, isKeyframe: false },
  },
  {
    rule: "VID7",
    says: "metadata in a command frame",
    bytes: "d4 68766331 02",
    value: { packet: "metadata", codec: "hvc1", frameType: "command" },
  },
  {
    rule: "VID8",
    says: "enhanced packet type of the future",
    bytes: "99",
    value: { packet: "unknown", isEnhanced: true, malformed: false },
  },
  {
    rule: "VID8",
    says: "FourCC of the future",
    bytes: "91 61763032 00",
    value: { packet: "coded-frames", codec: "av02", malformed: false },
  },
  {
    rule: "VID8",
    says: "cut in its FourCC",
    bytes: "91 617630",
    value: { packet: "unknown", malformed: true, dataOffset: 4 },
  },
  {
    rule: "VID8",
    says: "cut in its composition time",
    bytes: "91 61766331 0000",
    value: { packet: "unknown", malformed: true },
  },
  // ModEx
  {
    rule: "TRK3",
    says: "nanoseconds",
    bytes: "97 02 0f423f 01 68766331 000000 02",
    value: { packet: "coded-frames", codec: "hvc1", nanosecondOffset: 999_999, dataOffset: 13 },
  },
  {
    rule: "TRK3",
    says: "more nanoseconds than there are",
    bytes: "97 02 ffffff 03 68766331 02",
    value: { nanosecondOffset: 999_999, malformed: false },
  },
  {
    rule: "TRK3",
    says: "an extension of the future, then nanoseconds",
    bytes: "97 00 aa 17 02 000005 03 61763031 02",
    value: { nanosecondOffset: 5, codec: "av01", packet: "coded-frames", dataOffset: 13 },
  },
  {
    rule: "TRK3",
    says: "a 16-bit size",
    bytes: `97 ff 00ff ${"00".repeat(256)} 13 61763031 02`,
    value: { packet: "coded-frames", codec: "av01", nanosecondOffset: 0, dataOffset: 265 },
  },
  { rule: "TRK3", says: "cut in its data", bytes: "97 05 0000", value: { packet: "unknown", malformed: true } },
  { rule: "TRK3", says: "cut in its 16-bit size", bytes: "97 ff 00", value: { packet: "unknown", malformed: true } },
  // Multitrack
  {
    rule: "TRK1",
    says: "one track",
    bytes: "96 01 68766331 02 000003 aabb",
    value: {
      packet: "coded-frames",
      isMultitrack: true,
      codec: "hvc1",
      compositionTime: 3,
      dataOffset: 10,
      tracks: [track(2, "hvc1", 10, 2, 3)],
    },
  },
  {
    rule: "TRK1",
    says: "many tracks of one codec",
    bytes: "96 11 61766331 00 000004 000001aa 01 000005 ffffffbbcc",
    value: {
      packet: "coded-frames",
      isKeyframe: true,
      compositionTime: 1,
      tracks: [track(0, "avc1", 13, 1, 1), track(1, "avc1", 21, 2, -1)],
    },
  },
  {
    rule: "TRK1",
    says: "many tracks of many codecs",
    bytes: "96 21 61766331 00 000004 000001aa 61763031 07 000002 bbcc",
    value: { tracks: [track(0, "avc1", 13, 1, 1), track(7, "av01", 22, 2)] },
  },
  {
    rule: "TRK1",
    says: "sequence starts",
    bytes: "96 20 68766331 00 000001 01 61763031 01 000001 81",
    value: { packet: "sequence-start", codec: "hvc1", tracks: [track(0, "hvc1", 10, 1), track(1, "av01", 19, 1)] },
  },
  {
    rule: "TRK3",
    says: "ModEx, then multitrack",
    bytes: "97 02 000007 06 00 68766331 01 99",
    value: { packet: "sequence-start", nanosecondOffset: 7, isMultitrack: true, tracks: [track(1, "hvc1", 12, 1)] },
  },
  {
    rule: "TRK2",
    says: "multitrack in multitrack",
    bytes: "96 06 68766331 00",
    value: { packet: "unknown", malformed: false, tracks: [] },
  },
  {
    rule: "TRK2",
    says: "a form of the future",
    bytes: "96 31 68766331 00",
    value: { packet: "unknown", malformed: false, isMultitrack: true },
  },
  {
    rule: "TRK2",
    says: "a track that ends outside",
    bytes: "96 11 61763031 00 000009 aa",
    value: { packet: "unknown", malformed: true, tracks: [] },
  },
  {
    rule: "TRK2",
    says: "a track too short for its composition time",
    bytes: "96 11 61766331 00 000002 aabb",
    value: { packet: "unknown", malformed: true },
  },
  { rule: "TRK2", says: "no track at all", bytes: "96 11 61766331", value: { packet: "unknown", malformed: true } },
  { rule: "TRK2", says: "cut after its first byte", bytes: "96", value: { packet: "unknown", malformed: true } },
];

export const AUDIO_GOLDEN: readonly BodyRow<AudioBody>[] = [
  {
    rule: "AUD1",
    says: "no bytes",
    bytes: "",
    value: { packet: "silence", codec: "", dataOffset: 0, malformed: false },
  },
  {
    rule: "AUD2",
    says: "AAC sequence header",
    bytes: "af 00 1210",
    value: { packet: "sequence-start", codec: "mp4a", dataOffset: 2, sampleRate: 44_100, channels: 2 },
  },
  {
    rule: "AUD2",
    says: "AAC frame",
    bytes: "af 01 21",
    value: { packet: "coded-frames", codec: "mp4a", dataOffset: 2 },
  },
  {
    rule: "AUD2",
    says: "MP3",
    bytes: "2e fffb",
    value: { packet: "coded-frames", codec: ".mp3", dataOffset: 1, sampleRate: 44_100, channels: 1 },
  },
  { rule: "AUD2", says: "MP3 at 8 kHz", bytes: "e2 ff", value: { codec: ".mp3", sampleRate: 8_000 } },
  { rule: "AUD2", says: "Speex", bytes: "b6 00", value: { codec: "spex", sampleRate: 16_000 } },
  {
    rule: "AUD2",
    says: "G.711 A-law",
    bytes: "72 d5",
    value: { packet: "coded-frames", codec: "alaw", sampleRate: 8_000, channels: 1 },
  },
  { rule: "AUD2", says: "G.711 µ-law", bytes: "82 ff", value: { codec: "ulaw", sampleRate: 8_000 } },
  { rule: "AUD2", says: "Nellymoser at 8 kHz", bytes: "52 00", value: { codec: "nely", sampleRate: 8_000 } },
  { rule: "AUD2", says: "AAC of one byte", bytes: "af", value: { packet: "unknown", codec: "mp4a", malformed: true } },
  {
    rule: "AUD4",
    says: "AAC packet type of the future",
    bytes: "af 02",
    value: { packet: "unknown", malformed: false },
  },
  {
    rule: "AUD4",
    says: "sound format of the future",
    bytes: "c0 00",
    value: { packet: "unknown", codec: "", malformed: false },
  },
  {
    rule: "AUD3",
    says: "Opus sequence start",
    bytes: "90 4f707573 4f70",
    value: { packet: "sequence-start", codec: "Opus", dataOffset: 5, isEnhanced: true },
  },
  {
    rule: "AUD3",
    says: "FLAC frame",
    bytes: "91 664c6143 ff",
    value: { packet: "coded-frames", codec: "fLaC", dataOffset: 5 },
  },
  { rule: "AUD3", says: "AC-3 frame", bytes: "91 61632d33 0b", value: { codec: "ac-3" } },
  {
    rule: "AUD3",
    says: "end of sequence",
    bytes: "92 65632d33",
    value: { packet: "sequence-end", codec: "ec-3", dataOffset: 5 },
  },
  {
    rule: "AUD3",
    says: "order of channels",
    bytes: "94 4f707573 01 06 0000003f",
    value: { packet: "multichannel-config", codec: "Opus", dataOffset: 5 },
  },
  {
    rule: "AUD4",
    says: "enhanced packet type of the future",
    bytes: "93 4f707573",
    value: { packet: "unknown", malformed: false },
  },
  {
    rule: "AUD4",
    says: "FourCC of the future",
    bytes: "91 61632d34 0b",
    value: { packet: "coded-frames", codec: "ac-4" },
  },
  {
    rule: "TRK3",
    says: "nanoseconds in audio",
    bytes: "97 02 000064 01 4f707573 aa",
    value: { packet: "coded-frames", nanosecondOffset: 100, dataOffset: 10 },
  },
  {
    rule: "TRK1",
    says: "one audio track",
    bytes: "95 01 4f707573 03 aabb",
    value: { packet: "coded-frames", isMultitrack: true, tracks: [track(3, "Opus", 7, 2)] },
  },
  {
    rule: "TRK1",
    says: "many audio tracks of one codec",
    bytes: "95 11 6d703461 00 000001 aa 01 000002 bbcc",
    value: { tracks: [track(0, "mp4a", 10, 1), track(1, "mp4a", 15, 2)] },
  },
  {
    rule: "TRK1",
    says: "many audio tracks of many codecs",
    bytes: "95 20 6d703461 00 000002 1210 4f707573 01 000001 4f",
    value: { packet: "sequence-start", tracks: [track(0, "mp4a", 10, 2), track(1, "Opus", 20, 1)] },
  },
  {
    rule: "TRK2",
    says: "multitrack in audio multitrack",
    bytes: "95 05 4f707573 00",
    value: { packet: "unknown", malformed: false },
  },
];
