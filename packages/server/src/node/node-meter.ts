/** Metrics of the node: read when a page is requested, never on the path of a frame. */
import type { Counter } from "@sluice/base/meter";
import type { DeliveryWindow } from "@sluice/media/delivery-window";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import type { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import type { NodeOutput } from "../sessions/peer-output.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { StreamTotal, StreamTotals } from "../streams/stream-totals.ts";

export interface NodeMeterOptions {
  readonly meter: PromMeter;
  readonly streams: StreamDirectory;
  readonly registry: SessionRegistry;
  readonly totals: StreamTotals;
  readonly load: DeliveryWindow;
  readonly outputs: NodeOutput;
}

/** @returns a function to call about once a second, so that the totals release ended streams */
export function meterNode(options: NodeMeterOptions): () => void {
  const { meter, streams, totals } = options;
  const counters = streamCounters(meter);
  const countDrops = gopDropCounter(meter, streams);
  const count = (): void => {
    const grown = totals.take(streams);
    for (const [name, counter] of counters) counter.add(grown[name]);
    countDrops();
  };
  meter.beforePage(count);
  showGauges(options);
  return count;
}

function streamCounters(meter: PromMeter): readonly (readonly [StreamTotal, Counter])[] {
  return [
    ["bytesIn", meter.counter("ingest_bytes_total", "Bytes of audio, video and data that publishers sent")],
    ["frames", meter.counter("ingest_frames_total", "Audio, video and data messages that publishers sent")],
    [
      "withoutConfig",
      meter.counter(
        "ingest_frames_without_config_total",
        "Frames dropped because their decoder set-up had not arrived",
      ),
    ],
    [
      "beforeKey",
      meter.counter(
        "ingest_frames_before_key_total",
        "Video frames dropped before the first key frame of a publication",
      ),
    ],
    [
      "beyondTracks",
      meter.counter(
        "ingest_frames_beyond_tracks_total",
        "Frames dropped because their stream had reached its limit of tracks",
      ),
    ],
    [
      "poorSetUp",
      meter.counter(
        "ingest_setup_poor_total",
        "Set-up and metadata dropped because it was empty, or held less than what it would have replaced",
      ),
    ],
    [
      "beyondSetUp",
      meter.counter("ingest_setup_beyond_total", "Set-up and metadata dropped because its limit was reached"),
    ],
    [
      "gopOverflows",
      meter.counter("gop_overflows_total", "Times that a GOP grew past its limit and was not kept for joiners"),
    ],
    ["bytesOut", meter.counter("delivery_bytes_total", "Bytes handed to viewers")],
    ["writes", meter.counter("delivery_writes_total", "Batches written to viewers")],
    ["lags", meter.counter("viewer_lags_total", "Times a viewer fell behind because its connection was full")],
    ["skips", meter.counter("viewer_skips_total", "Times a lagging viewer was moved to a later key frame")],
    ["stalls", meter.counter("viewer_stalls_total", "Viewers disconnected because they took nothing for too long")],
  ];
}

/** By the limit that was exceeded: that of the publishing connection, or that of the node. */
function gopDropCounter(meter: PromMeter, { memory }: StreamDirectory): () => void {
  const by = (limit: "connection" | "node"): Counter =>
    meter.counter("gop_drops_total", "Cached GOPs dropped because all streams together held too much", { limit });
  const counters = { connection: by("connection"), node: by("node") };
  let before = memory.dropped;
  return () => {
    const now = memory.dropped;
    for (const limit of ["connection", "node"] as const) counters[limit].add(now[limit] - before[limit]);
    before = now;
  };
}

function showGauges({ meter, streams, registry, load, outputs }: NodeMeterOptions): void {
  const gauges = {
    streams: meter.gauge("streams", "Streams, those that only wait for a publisher included"),
    live: meter.gauge("streams_live", "Streams with a publisher"),
    sessions: meter.gauge("sessions", "Open sessions"),
    viewers: meter.gauge("viewers", "Subscribers of all streams"),
    cohorts: meter.gauge("cohorts", "Cohorts of all streams"),
    output: meter.gauge(
      "output_waiting_bytes",
      "Bytes that wait for peers to take them; what a stream holds anyway is not counted",
    ),
    memory: meter.gauge("stream_memory_bytes", "Bytes of cached GOPs, set-up and encoded frames of all streams"),
    window: meter.gauge("delivery_window_milliseconds", "Present width of the automatic delivery window"),
  };
  meter.beforePage(() => {
    const entries = streams.entries();
    gauges.streams.set(entries.length);
    gauges.live.set(entries.filter((entry) => entry.state === "live").length);
    gauges.sessions.set(registry.size);
    gauges.viewers.set(entries.reduce((sum, { stream }) => sum + stream.subscriberCount, 0));
    gauges.cohorts.set(entries.reduce((sum, { stream }) => sum + stream.cohortCount, 0));
    gauges.output.set(outputs.totalBytes);
    gauges.memory.set(streams.memory.bytes);
    gauges.window.set(load.prompt);
  });
}
