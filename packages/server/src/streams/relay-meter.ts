/** Metrics of the streams that this node takes from others, and gives to others. */
import type { Meter } from "@sluice/base/meter";
import { CopyCounts } from "@sluice/cluster/relay/copy";
import type { Relay } from "@sluice/cluster/relay/relay";

/** Counters by the count that they follow. */
const COUNTERS = ["bytes", "frames", "droppedVideo", "droppedAudio", "droppedMessages"] as const;

/** Registers the metrics, which are read when a page is requested. */
export function meterRelay(relay: Relay, meter: Meter & { beforePage(refresh: () => void): Disposable }): Disposable {
  const drops = (kind: string) =>
    meter.counter("stream_copy_drops_total", "Frames that a slow link to another node could not take, by kind", {
      kind,
    });
  const counters = {
    bytes: meter.counter("stream_copy_bytes_total", "Bytes of streams sent to other nodes"),
    frames: meter.counter("stream_copy_frames_total", "Frames of streams sent to other nodes"),
    droppedVideo: drops("video"),
    droppedAudio: drops("audio"),
    droppedMessages: drops("data"),
  };
  const mirrors = (state: string) =>
    meter.gauge("stream_mirrors", "Streams of other nodes that viewers or further nodes want here, by state", {
      state,
    });
  const copies = meter.gauge("stream_copies", "Copies of streams that other nodes take from this one");
  let seen = new CopyCounts();
  return meter.beforePage(() => {
    const all = [...relay.mirrors];
    const live = all.filter(({ source }) => source !== undefined).length;
    mirrors("live").set(live);
    mirrors("waiting").set(all.length - live);
    copies.set([...relay.copies].length);
    const now = relay.totals();
    for (const name of COUNTERS) counters[name].add(now[name] - seen[name]);
    seen = now;
  });
}
