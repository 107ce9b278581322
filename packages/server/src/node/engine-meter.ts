/** Metrics of this node as a host of the state engine. */
import type { Counter, Meter } from "@sluice/base/meter";
import type { EngineHost, EngineHostCounts } from "@sluice/cluster/engine/engine-host";

/** Registers the metrics, which are read when a page is requested. */
export function meterHost(
  host: EngineHost,
  meter: Meter & { beforePage(refresh: () => void): Disposable },
): Disposable {
  const clients = meter.gauge("engine_clients", "Clients of the state engine that this node serves, itself included");
  const counters: Readonly<Record<keyof EngineHostCounts, Counter>> = {
    calls: meter.counter("engine_calls", "Calls of the state engine to this node"),
    callsRefused: meter.counter("engine_calls_refused", "Such calls refused at the limit of calls of one client"),
    messagesDropped: meter.counter("engine_messages_dropped", "Messages dropped for slow clients of the engine"),
  };
  const seen: EngineHostCounts = { calls: 0, callsRefused: 0, messagesDropped: 0 };
  const page = meter.beforePage(() => {
    clients.set(host.clientCount);
    for (const name of ["calls", "callsRefused", "messagesDropped"] as const) {
      counters[name].add(host.counts[name] - seen[name]);
      seen[name] = host.counts[name];
    }
  });
  return {
    [Symbol.dispose]: () => {
      page[Symbol.dispose]();
      clients.set(0);
    },
  };
}
