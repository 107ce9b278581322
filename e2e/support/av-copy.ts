/** A program: copies the packets of a file into FLV, to a file or an RTMP address, with FFmpeg 8 out of node-av. */
// node av-copy.ts INPUT OUTPUT; to an address at the pace of its times.
import { setTimeout as pause } from "node:timers/promises";
import { Demuxer, Muxer } from "node-av/api";

const [input = "", output = ""] = process.argv.slice(2);
const isLive = output.startsWith("rtmp");

await using source = await Demuxer.open(input, { copyTs: true });
await using target = await Muxer.open(output, {
  format: "flv",
  input: source,
  options: { flvflags: "no_duration_filesize" },
});
const indexes = source.streams.map((stream) => {
  stream.codecpar.codecTag = 0; // MP4's own names for codecs mean nothing to FLV
  return target.addStream(stream);
});
const startedAt = performance.now();
for await (const packet of source.packets()) {
  if (packet === null) break;
  const stream = source.streams[packet.streamIndex];
  const index = indexes[packet.streamIndex];
  if (stream === undefined || index === undefined) continue;
  const due = (Number(packet.dts) * stream.timeBase.num * 1000) / stream.timeBase.den;
  const wait = startedAt + due - performance.now();
  if (isLive && wait > 0) await pause(wait);
  await target.writePacket(packet, index);
  packet.free();
}
