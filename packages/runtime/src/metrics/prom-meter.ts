/** The meter port on prom-client: counts, and prints the page for Prometheus. */
import { StateError } from "@sluice/base/errors";
import type { Counter, Gauge, Meter, MeterLabels } from "@sluice/base/meter";
import { Counter as PromCounter, Gauge as PromGauge, Registry, collectDefaultMetrics } from "prom-client";
import { type Instrument, Level, Tally } from "./instruments.ts";
import { ProcessLoad } from "./process-load.ts";

export const METRIC_PREFIX = "sluice_";

/** Interval of event loop lag samples; the library's default of 10 ms wakes an idle process a hundred times a second. */
const LAG_SAMPLE_MS = 500;
/** Of these samples, which hold the interval itself: half a second where nothing lags. `…_lag_seconds` is measured apart. */
const LAG_STATISTICS = ["min", "max", "mean", "stddev", "p50", "p90", "p99"];

/** A metric was requested again as another kind or with other label names, or its name is not snake case. */
export class MetricMismatchError extends StateError {
  override readonly name = "MetricMismatchError";
  readonly code = "STATE_METRIC_MISMATCH";
  readonly context: { readonly metric: string; readonly detail: string };
  constructor(context: { readonly metric: string; readonly detail: string }) {
    super(`Cannot count "${context.metric}": ${context.detail}`);
    this.context = context;
  }
}

interface Family {
  readonly kind: "counter" | "gauge";
  readonly labelNames: string;
  readonly metric: PromCounter | PromGauge;
  /** By label values, so that equal labels give the same instrument. */
  readonly children: Map<string, Instrument>;
}

/** Prefixes names with `sluice_`, and appends `_total` to the names of counters. */
export class PromMeter implements Meter {
  readonly #registry = new Registry();
  readonly #families = new Map<string, Family>();
  readonly #beforePage = new Set<() => void>();

  /** @param processMetrics  off in tests that run several servers: prom-client's process collectors cannot be removed */
  constructor({ processMetrics }: { readonly processMetrics: "on" | "off" }) {
    if (processMetrics === "off") return;
    collectDefaultMetrics({
      register: this.#registry,
      prefix: METRIC_PREFIX,
      eventLoopMonitoringPrecision: LAG_SAMPLE_MS,
    });
    for (const name of LAG_STATISTICS)
      this.#registry.removeSingleMetric(`${METRIC_PREFIX}nodejs_eventloop_lag_${name}_seconds`);
    const load = new ProcessLoad();
    const loop = this.gauge("event_loop_utilization", "Busy share of the event loop since the last scrape, 0 to 1");
    const cpu = this.gauge("cpu_utilization", "Cores kept busy since the last scrape");
    this.beforePage(() => {
      const sample = load.sample();
      loop.set(sample.loop);
      cpu.set(sample.cpu);
    });
  }

  counter(name: string, help: string, labels: MeterLabels = {}): Counter {
    return this.#child("counter", name.endsWith("_total") ? name : `${name}_total`, help, labels);
  }

  gauge(name: string, help: string, labels: MeterLabels = {}): Gauge {
    return this.#child("gauge", name, help, labels);
  }

  /** Runs `refresh` before each page, for gauges that are only computed on demand. */
  beforePage(refresh: () => void): Disposable {
    this.#beforePage.add(refresh);
    return { [Symbol.dispose]: () => void this.#beforePage.delete(refresh) };
  }

  /** The whole page in Prometheus text format. */
  page(): Promise<string> {
    for (const refresh of this.#beforePage) refresh();
    for (const family of this.#families.values()) for (const child of family.children.values()) child.flush();
    return this.#registry.metrics();
  }

  #child(kind: Family["kind"], name: string, help: string, labels: MeterLabels): Instrument {
    const labelNames = Object.keys(labels).sort();
    const family = this.#family(kind, name, help, labelNames);
    const key = JSON.stringify(labelNames.map((label) => labels[label]));
    const known = family.children.get(key);
    if (known) return known;
    const child =
      family.metric instanceof PromGauge
        ? new Level(family.metric.labels(labels))
        : new Tally(family.metric.labels(labels));
    family.children.set(key, child);
    return child;
  }

  #family(kind: Family["kind"], name: string, help: string, labelNames: string[]): Family {
    const known = this.#families.get(name);
    if (known?.kind === kind && known.labelNames === labelNames.join()) return known;
    if (known)
      throw new MetricMismatchError({
        metric: name,
        detail: `it is a ${known.kind} with labels (${known.labelNames})`,
      });
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      throw new MetricMismatchError({ metric: name, detail: "a name must be snake case" });
    const configuration = { name: METRIC_PREFIX + name, help, labelNames, registers: [this.#registry] };
    const metric = kind === "counter" ? new PromCounter(configuration) : new PromGauge(configuration);
    const family: Family = { kind, labelNames: labelNames.join(), metric, children: new Map() };
    this.#families.set(name, family);
    return family;
  }
}
