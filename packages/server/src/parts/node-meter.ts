/** The node's own gauges: read when a page of metrics is due, never on the path of a frame. */
import type { DeliveryWindow } from "@sluice/media/delivery-window";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import type { PromMeter } from "../metrics/prom-meter.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

export function meterNode(options: {
  readonly meter: PromMeter;
  readonly streams: StreamDirectory;
  readonly registry: SessionRegistry;
  readonly load: DeliveryWindow;
}): void {
  const { meter, streams, registry, load } = options;
  const gauges = {
    streams: meter.gauge("streams", "Streams, those that only wait for a publisher included"),
    live: meter.gauge("streams_live", "Streams with a publisher"),
    sessions: meter.gauge("sessions", "Open sessions"),
    viewers: meter.gauge("viewers", "Subscribers of all streams"),
    cohorts: meter.gauge("cohorts", "Cohorts of all streams"),
    window: meter.gauge("delivery_window_milliseconds", "Present width of the automatic delivery window"),
  };
  meter.beforePage(() => {
    const entries = streams.entries();
    gauges.streams.set(entries.length);
    gauges.live.set(entries.filter((entry) => entry.state === "live").length);
    gauges.sessions.set(registry.size);
    gauges.viewers.set(entries.reduce((sum, { stream }) => sum + stream.subscriberCount, 0));
    gauges.cohorts.set(entries.reduce((sum, { stream }) => sum + stream.cohortCount, 0));
    gauges.window.set(load.prompt);
  });
}
