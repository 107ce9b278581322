/** A program: lists the packets of a file or an address as FFmpeg 8 out of node-av reads them, one JSON line each. */
import { createHash } from "node:crypto";
import { avGetCodecName, Demuxer } from "node-av";

/** What one line says. */
export interface AvPacket {
  /** Position of the stream in the input. */
  readonly stream: number;
  readonly codec: string;
  readonly dts: string;
  readonly pts: string;
  readonly size: number;
  readonly hash: string;
}

const [input = ""] = process.argv.slice(2);
const options = input.startsWith("rtmp") ? { rtmp_enhanced_codecs: "hvc1,av01,vp09,Opus,fLaC" } : {};
await using source = await Demuxer.open(input, { options, copyTs: true });
process.stdout.write(
  `${JSON.stringify({ streams: source.streams.map((stream) => avGetCodecName(stream.codecpar.codecId)) })}\n`,
);
for await (const packet of source.packets()) {
  if (packet === null) break;
  const { streamIndex, dts, pts, data } = packet;
  const stream = source.streams[streamIndex];
  const line: AvPacket = {
    stream: streamIndex,
    codec: stream === undefined ? "" : (avGetCodecName(stream.codecpar.codecId) ?? ""),
    dts: String(dts),
    pts: String(pts),
    size: data?.length ?? 0,
    hash: createHash("sha256")
      .update(data ?? new Uint8Array(0))
      .digest("hex"),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  packet.free();
}
