/** Counters and gauges as a port; the server fills it with Prometheus. */

export interface Counter {
  /** @param by  at least 0; default 1 */
  add(by?: number): void;
}

export interface Gauge {
  set(value: number): void;
}

/** Creates instruments by name (snake case, without the `sluice_` prefix); the same name and labels give the same one. */
export interface Meter {
  counter(name: string, help: string, labels?: MeterLabels): Counter;
  gauge(name: string, help: string, labels?: MeterLabels): Gauge;
}

/** Label values must come from a small closed set, never from a peer. */
export type MeterLabels = Readonly<Record<string, string>>;

const IGNORED = { add() {}, set() {} };

export const SILENT_METER: Meter = { counter: () => IGNORED, gauge: () => IGNORED };
