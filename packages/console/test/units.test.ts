// The console's pure parts: histories, delays, routes, addresses, numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { retryDelay } from "../src/base/retry-delay.ts";
import { ffmpegPublishLine, ffplayLine, obsFields, playAddresses, rtmpBase } from "../src/format/addresses.ts";
import { formatBitrate, formatBytes, formatFps, formatPercent } from "../src/format/numbers.ts";
import { formatDuration } from "../src/format/times.ts";
import { HISTORY_SECONDS, History, NODE_COLUMNS } from "../src/live/history.ts";
import { SampleRing } from "../src/live/sample-ring.ts";
import { formatRoute, parseRoute, type Route } from "../src/routes.ts";
import { nodeRow, streamRow } from "./fake-rows.ts";

test("[CON12] a ring keeps the newest samples, in order, with a gap where none came", () => {
  const ring = new SampleRing({ columnCount: 1, capacity: 4 });
  for (const time of [1, 2, 2, 1, 3]) ring.push(time, [time * 10]);
  assert.deepEqual(ring.times, [1, 2, 3]);
  ring.push(60, [600]);
  assert.deepEqual(ring.times, [2, 3, 4, 60]);
  assert.deepEqual(ring.columns, [[20, 30, null, 600]]);
});

test("[CON12] history forgets streams that are gone and never outgrows its window", () => {
  const history = new History();
  for (let time = 0; time < 2 * HISTORY_SECONDS; time++) {
    const streams = time < 10 ? [streamRow("a"), streamRow("b")] : [streamRow("b")];
    history.record(time, nodeRow(time), streams);
  }
  assert.equal(history.ofStream("a").times.length, 0);
  assert.equal(history.ofStream("b").times.length, HISTORY_SECONDS);
  assert.equal(history.node.times.length, HISTORY_SECONDS);
});

test("[CON12] node rates come from the difference of two counters", () => {
  const history = new History();
  history.record(10, nodeRow(0, { bytesIn: 1_000, bytesOut: 0 }), []);
  history.record(12, nodeRow(0, { bytesIn: 3_000, bytesOut: 500 }), []);
  assert.equal(history.node.columns[NODE_COLUMNS.inRate]?.at(-1), 8_000);
  assert.equal(history.node.columns[NODE_COLUMNS.outRate]?.at(-1), 2_000);
  history.record(13, nodeRow(0, { bytesIn: 5, bytesOut: 5 }), []);
  assert.equal(history.node.times.length, 1, "a restarted counter gives no rate");
});

test("[CON13] delays double up to the limit and lose at most a quarter", () => {
  const policy = { first: 1_000, longest: 15_000 };
  assert.deepEqual(
    [0, 1, 2, 3, 4, 99].map((attempt) => retryDelay(policy, attempt, 0)),
    [1_000, 2_000, 4_000, 8_000, 15_000, 15_000],
  );
  fc.assert(
    fc.property(fc.nat(200), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const full = retryDelay(policy, attempt, 0);
      const delay = retryDelay(policy, attempt, random);
      assert.ok(delay <= full && delay >= full * 0.75 - 1);
    }),
  );
});

const PAGE = { protocol: "https:", host: "media.example:8443", hostname: "media.example" };

test("[CON14] addresses for a page behind TLS", () => {
  assert.deepEqual(playAddresses(PAGE, { rtmp: "0.0.0.0:1935" }, "live/cam"), {
    rtmp: "rtmp://media.example/live/cam",
    httpFlv: "https://media.example:8443/live/cam.flv",
    wsFlv: "wss://media.example:8443/live/cam.flv",
  });
  assert.equal(rtmpBase(PAGE, { rtmp: "[::]:19350" }), "rtmp://media.example:19350");
  assert.equal(rtmpBase(PAGE, {}), "rtmp://media.example");
});

test("[CON14] a node that names its own address is believed, one that only listens everywhere is not", () => {
  assert.equal(rtmpBase(PAGE, { rtmp: "ingest.example:1935" }), "rtmp://ingest.example");
  assert.equal(rtmpBase(PAGE, { rtmp: "ingest.example" }), "rtmp://ingest.example");
  assert.equal(rtmpBase(PAGE, { rtmp: "[2001:db8::5]:2000" }), "rtmp://[2001:db8::5]:2000");
  for (const here of ["0.0.0.0:2000", "[::]:2000", "127.0.0.1:2000", "[::1]:2000", "localhost:2000"]) {
    assert.equal(rtmpBase(PAGE, { rtmp: here }), "rtmp://media.example:2000");
  }
});

test("[CON14] awkward keys stay whole", () => {
  const base = "rtmp://media.example";
  assert.deepEqual(obsFields(base, "a b/c/cam"), { server: "rtmp://media.example/a%20b/c", streamKey: "cam" });
  assert.equal(playAddresses(PAGE, {}, "live/ü & ü").rtmp, "rtmp://media.example/live/%C3%BC%20%26%20%C3%BC");
  assert.equal(ffplayLine("rtmp://[::1]/live/cam"), "ffplay -fflags nobuffer -flags low_delay 'rtmp://[::1]/live/cam'");
  assert.equal(ffplayLine("rtmp://h/it's").split(" ").at(-1), "'rtmp://h/it'\\''s'");
  assert.ok(ffmpegPublishLine(base, "live/cam").endsWith("-f flv rtmp://media.example/live/cam"));
});

test("[CON14] every key survives the address bar", () => {
  const key = fc
    .array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.map((part) => part.replaceAll("/", "-")).join("/"));
  fc.assert(
    fc.property(key, (wanted) => {
      assert.deepEqual(parseRoute(formatRoute({ at: "stream", key: wanted })), { at: "stream", key: wanted });
      assert.deepEqual(parseRoute(formatRoute({ at: "object", path: wanted })), { at: "object", path: wanted });
    }),
  );
  const pages: readonly Route[] = [
    { at: "streams" },
    { at: "objects" },
    { at: "sessions" },
    { at: "cluster" },
    { at: "activity" },
  ];
  for (const route of pages) assert.deepEqual(parseRoute(formatRoute(route)), route);
  assert.deepEqual(parseRoute("#/streams/%E0%A4%A"), { at: "streams" });
});

test("numbers read as people write them", () => {
  assert.deepEqual([0, 999, 4_020_000, 12_340_000, 999_600].map(formatBitrate), [
    "0 b/s",
    "999 b/s",
    "4.02 Mb/s",
    "12.3 Mb/s",
    "1.00 Mb/s",
  ]);
  assert.equal(formatBytes(143_000_000), "143 MB");
  assert.deepEqual([0.004, 0.0994, 0.13, 1].map(formatPercent), ["0.4 %", "9.9 %", "13 %", "100 %"]);
  assert.deepEqual([29.97, 30, 12.5, 0].map(formatFps), ["30", "30", "12.5", "0"]);
  assert.deepEqual([5, 65, 7_500, 273_000, -3].map(formatDuration), ["5 s", "1 m 05 s", "2 h 05 m", "3 d 3 h", "0 s"]);
});
