/** The meter's page: names, labels, zeros, and what a wrong number cannot do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricMismatchError, PromMeter } from "@sluice/runtime/metrics/prom-meter";

const meterAlone = () => new PromMeter({ processMetrics: "off" });

/** The page's samples, without its comments. */
async function samples(meter: PromMeter): Promise<string[]> {
  return (await meter.page()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

test("[MET1] names are prefixed, and counters end in _total once", async () => {
  const meter = meterAlone();
  meter.counter("frames", "Frames").add(2);
  meter.counter("bytes_total", "Bytes").add(3);
  meter.gauge("viewers", "Viewers").set(4);
  assert.deepEqual(await samples(meter), ["sluice_frames_total 2", "sluice_bytes_total 3", "sluice_viewers 4"]);
  assert.match(await meter.page(), /^# HELP sluice_frames_total Frames\n# TYPE sluice_frames_total counter$/m);
});

test("[MET2] the same name and labels are the same instrument, in whatever order the labels come", async () => {
  const meter = meterAlone();
  const one = meter.counter("closed", "Closed", { why: "slow", who: "a" });
  assert.equal(meter.counter("closed", "Closed", { who: "a", why: "slow" }), one);
  assert.notEqual(meter.counter("closed", "Closed", { who: "a", why: "left" }), one);
  one.add();
  one.add(2);
  assert.deepEqual(
    (await samples(meter)).map((line) => line.replace(/who="a"|why="(\w+)"|,/g, "$1")),
    ["sluice_closed_total{slow} 3", "sluice_closed_total{left} 0"],
  );
});

test("[MET2] another kind, other labels or a bad name is our mistake", () => {
  const meter = meterAlone();
  meter.counter("closed", "Closed", { why: "slow" });
  for (const wrong of [
    () => meter.counter("closed", "Closed"),
    () => meter.counter("closed", "Closed", { who: "a" }),
    () => meter.gauge("closed_total", "Closed", { why: "slow" }),
    () => meter.gauge("Closed", "Closed"),
    () => meter.gauge("closed-ones", "Closed"),
  ]) {
    assert.throws(wrong, (error) => error instanceof MetricMismatchError && error.code === "STATE_METRIC_MISMATCH");
  }
});

test("[MET3] a counter shows 0 before its first step", async () => {
  const meter = meterAlone();
  meter.counter("frames", "Frames");
  meter.counter("drops", "Drops", { why: "slow" });
  assert.deepEqual(await samples(meter), ["sluice_frames_total 0", 'sluice_drops_total{why="slow"} 0']);
});

test("[MET4] neither a negative step nor NaN spoils a counter", async () => {
  const meter = meterAlone();
  const frames = meter.counter("frames", "Frames");
  for (const by of [5, -3, Number.NaN, 0, 1]) frames.add(by);
  assert.deepEqual(await samples(meter), ["sluice_frames_total 6"]);
  assert.deepEqual(await samples(meter), ["sluice_frames_total 6"], "a second page counts nothing twice");
});

test("[MET5] gauges are refreshed before the page, until no longer wanted", async () => {
  const meter = meterAlone();
  const streams = meter.gauge("streams", "Streams");
  let count = 7;
  const refresh = meter.beforePage(() => streams.set(count));
  assert.deepEqual(await samples(meter), ["sluice_streams 7"]);
  refresh[Symbol.dispose]();
  count = 8;
  assert.deepEqual(await samples(meter), ["sluice_streams 7"]);
});

test("two meters share nothing", async () => {
  const [one, two] = [meterAlone(), meterAlone()];
  one.counter("frames", "Frames").add();
  two.counter("frames", "Frames");
  assert.deepEqual(await samples(two), ["sluice_frames_total 0"]);
});

test("the process shows its memory and how busy it is", async () => {
  const page = await new PromMeter({ processMetrics: "on" }).page();
  for (const name of [
    "process_resident_memory_bytes",
    "event_loop_utilization",
    "cpu_utilization",
    "nodejs_eventloop_lag_seconds",
  ]) {
    assert.match(page, new RegExp(`^sluice_${name} [0-9.e-]+$`, "m"));
  }
  assert.doesNotMatch(page, /eventloop_lag_p99/, "it would be half a second where nothing lags");
});
