/** Decoder configurations of real encoders and what ffprobe says of the same streams. */
import type { AudioDescription, VideoDescription } from "@sluice/formats/codec/decoder-config";

export interface ConfigRow {
  readonly rule: string;
  readonly says: string;
  readonly codec: string;
  readonly bytes: string;
  readonly value: Omit<VideoDescription, "kind"> | Omit<AudioDescription, "kind">;
}

/** Made with ffmpeg 5.1.9: x264, x265, libaom, SVT-AV1, libvpx, libopus, and FFmpeg's own aac and flac. */
export const CONFIG_GOLDEN: readonly ConfigRow[] = [
  {
    rule: "COD1",
    says: "4:2:0 with cropping",
    codec: "avc1",
    bytes: "0164000cffe1001a6764000cacd941419ea23011000003000100000300320f14299601000668ebe3cb22c0fdf8f800",
    value: { codecString: "avc1.64000c", width: 318, height: 178, fps: 25 },
  },
  {
    rule: "COD1",
    says: "4:4:4 with cropping",
    codec: "avc1",
    bytes: "01f4000cffe1001a67f4000c919b282833dc7e0220000003002000000641e28532c001000668ebe3c44844fff8f800",
    value: { codecString: "avc1.f4000c", width: 318, height: 178, fps: 25 },
  },
  {
    rule: "COD1",
    says: "interlaced, at a fractional rate",
    codec: "avc1",
    bytes: "01640028ffe1001967640028acd94078044fde022000007d20001d4c03e2c5b2c001000668fba3cb22c0fdf8f800",
    value: { codecString: "avc1.640028", width: 1920, height: 1080, fps: 30_000 / 1_001 },
  },
  {
    rule: "COD1",
    says: "no parameter set",
    codec: "avc1",
    bytes: "01 4d 40 1f ff e0 00",
    value: { codecString: "avc1.4d401f", width: 0, height: 0 },
  },
  {
    rule: "COD2",
    says: "main",
    codec: "hvc1",
    bytes:
      "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959809a10001002a42010101600000030090000003000003003ca00a080b9d4996566924caf0168080000003008000000c84a2000100074401c172b46240",
    value: { codecString: "hvc1.1.6.L60.90", width: 318, height: 178 },
  },
  {
    rule: "COD2",
    says: "main 10",
    codec: "hvc1",
    bytes:
      "0102200000009000000000003cf000fcfdfafa00000f03a00001001840010c01ffff02200000030090000003000003003c959809a10001002c42010102200000030090000003000003003ca00a080b9d48d96566924caf016808000003000800000300c840a2000100074401c172b46240",
    value: { codecString: "hvc1.2.4.L60.90", width: 318, height: 178 },
  },
  {
    rule: "COD3",
    says: "libaom",
    codec: "av01",
    bytes: "81000c000a0b000000043cf6c4daf90040",
    value: { codecString: "av01.0.00M.08", width: 318, height: 178 },
  },
  {
    rule: "COD3",
    says: "SVT-AV1",
    codec: "av01",
    bytes: "81000c000a0b000000043cf6c402f80040",
    value: { codecString: "av01.0.00M.08", width: 318, height: 178 },
  },
  {
    rule: "COD3",
    says: "no sequence header",
    codec: "av01",
    bytes: "81 4d 7c 00",
    value: { codecString: "av01.2.13M.12", width: 0, height: 0 },
  },
  {
    rule: "COD4",
    says: "with the head of its box",
    codec: "vp09",
    bytes: "01000000000b820202020000",
    value: { codecString: "vp09.00.11.08", width: 0, height: 0 },
  },
  {
    rule: "COD4",
    says: "without",
    codec: "vp09",
    bytes: "020ba20202020000",
    value: { codecString: "vp09.02.11.10", width: 0, height: 0 },
  },
  {
    rule: "COD5",
    says: "mono at 22,050 Hz, with an extension that says no SBR",
    codec: "mp4a",
    bytes: "138856e500",
    value: { codecString: "mp4a.40.2", sampleRate: 22_050, channels: 1 },
  },
  {
    rule: "COD5",
    says: "5.1",
    codec: "mp4a",
    bytes: "11b056e500",
    value: { codecString: "mp4a.40.2", sampleRate: 48_000, channels: 6 },
  },
  {
    rule: "COD6",
    says: "Opus",
    codec: "Opus",
    bytes: "4f707573486561640102380180bb0000000000",
    value: { codecString: "opus", sampleRate: 48_000, channels: 2 },
  },
  {
    rule: "COD6",
    says: "FLAC",
    codec: "fLaC",
    bytes: "120012000004a30005080ac442f0000022745d105ceb212ad5d36e4f5608def3d8b7",
    value: { codecString: "flac", sampleRate: 44_100, channels: 2 },
  },
  {
    rule: "COD6",
    says: "FLAC behind its mark",
    codec: "fLaC",
    bytes: "664c6143 80000022 120012000004a30005080ac442f0000022745d105ceb212ad5d36e4f5608def3d8b7",
    value: { codecString: "flac", sampleRate: 44_100, channels: 2 },
  },
  // By hand, from the standards
  {
    rule: "COD5",
    says: "stereo at 44,100 Hz",
    codec: "mp4a",
    bytes: "1210",
    value: { codecString: "mp4a.40.2", sampleRate: 44_100, channels: 2 },
  },
  {
    rule: "COD5",
    says: "SBR signalled first: 5, 24,000, stereo, 48,000, 2",
    codec: "mp4a",
    bytes: "2b118800",
    value: { codecString: "mp4a.40.5", sampleRate: 48_000, channels: 2 },
  },
  {
    rule: "COD5",
    says: "PS signalled first: 29, 24,000, mono, 48,000, 2",
    codec: "mp4a",
    bytes: "eb098800",
    value: { codecString: "mp4a.40.29", sampleRate: 48_000, channels: 2 },
  },
  {
    rule: "COD5",
    says: "SBR signalled behind: 2, 24,000, stereo; 2b7, 5, 1, 48,000",
    codec: "mp4a",
    bytes: "131056e598",
    value: { codecString: "mp4a.40.2", sampleRate: 48_000, channels: 2 },
  },
  {
    rule: "COD5",
    says: "SBR and PS signalled behind, from mono",
    codec: "mp4a",
    bytes: "130856e59d4880",
    value: { codecString: "mp4a.40.2", sampleRate: 48_000, channels: 2 },
  },
  {
    rule: "COD5",
    says: "a rate written out: 2, 15, 44,100, mono",
    codec: "mp4a",
    bytes: "17 80562208",
    value: { codecString: "mp4a.40.2", sampleRate: 44_100, channels: 1 },
  },
  {
    rule: "COD5",
    says: "an escaped object type: 42",
    codec: "mp4a",
    bytes: "f9484000",
    value: { codecString: "mp4a.40.42", sampleRate: 44_100, channels: 2 },
  },
  {
    rule: "COD5",
    says: "a program config: one and a pair in front, a pair behind, one low frequency",
    codec: "mp4a",
    bytes: "12000508050001088000",
    value: { codecString: "mp4a.40.2", sampleRate: 44_100, channels: 6 },
  },
  {
    rule: "COD7",
    says: "MP3 has no configuration",
    codec: ".mp3",
    bytes: "",
    value: { codecString: "mp3", sampleRate: 0, channels: 0 },
  },
  {
    rule: "COD7",
    says: "a codec of the future",
    codec: "av02",
    bytes: "81",
    value: { codecString: "", width: 0, height: 0 },
  },
  {
    rule: "COD7",
    says: "AVC without bytes",
    codec: "avc1",
    bytes: "",
    value: { codecString: "", width: 0, height: 0 },
  },
  {
    rule: "COD7",
    says: "Opus without bytes",
    codec: "Opus",
    bytes: "",
    value: { codecString: "opus", sampleRate: 48_000, channels: 0 },
  },
  {
    rule: "COD7",
    says: "AVC whose parameter set is cut short",
    codec: "avc1",
    bytes: "0164000cffe1000867 64000cacd94141 00",
    value: { codecString: "avc1.64000c", width: 0, height: 0 },
  },
];
