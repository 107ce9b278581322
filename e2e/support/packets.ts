/** What ffmpeg's own tools say of packets: their times, sizes and hashes, from a file or a live address. */

/** One packet in the words of `ffprobe -show_packets -show_data_hash`. */
interface Packet {
  readonly codec_type: string;
  readonly pts?: number;
  readonly dts?: number;
  readonly size: string;
  readonly data_hash: string;
}

/** Prints every packet of `input` until it ends. */
export function probeCommand(input: string, before: readonly string[] = []): string[] {
  const show = ["-show_packets", "-show_data_hash", "sha256", "-of", "json=compact=1"];
  return ["ffprobe", "-hide_banner", "-loglevel", "error", ...before, ...show, input];
}

/** Packets of that output as text, by kind, since a demuxer may interleave them anew. */
export function readPackets(output: string): Readonly<Record<"audio" | "video", string[]>> {
  const { packets } = JSON.parse(output) as { readonly packets: readonly Packet[] };
  const ofKind = (kind: string): string[] =>
    packets
      .filter((packet) => packet.codec_type === kind)
      .map(({ pts, dts, size, data_hash }) => `${pts} ${dts} ${size} ${data_hash}`);
  return { audio: ofKind("audio"), video: ofKind("video") };
}
