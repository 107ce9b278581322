/** Server-Sent Events over a real server: their form, their heartbeat, and what a slow or surplus reader meets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { type AdminAppOptions, adminListener } from "@sluice/server/admin/admin-app";
import { EventFanout, type EventReader, GATHER, HEARTBEAT } from "@sluice/server/admin/event-fanout";
import { type AdminLimits, DEFAULT_ADMIN_LIMITS } from "@sluice/server/admin/limits";
import { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { until } from "@sluice/testkit/until";
import { EVENTS, FakeSource, fakeAdmin, NODE, STREAM } from "./admin-fakes.ts";

async function listening(t: TestContext, changed: Partial<AdminAppOptions> = {}) {
  const admin = fakeAdmin(changed);
  const server = createServer(await adminListener(admin.app));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    await admin.app.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = async (): Promise<IncomingMessage> => {
    const [response] = (await once(
      get({ host: "127.0.0.1", port, path: "/api/v1/events", agent: false }),
      "response",
    )) as [IncomingMessage];
    return response.setEncoding("utf8");
  };
  return { ...admin, open };
}

/** Reads until what came contains `ending`. */
async function readUntil(response: IncomingMessage, ending: string): Promise<string> {
  let text = "";
  while (!text.includes(ending)) {
    const part = response.read() as string | null; // setEncoding was called
    if (part === null) await once(response, "readable", { signal: AbortSignal.timeout(5000) });
    else text += part;
  }
  return text;
}

test("[ADM20] [ADM21] events and heartbeats arrive in their form", async (t) => {
  const { open, source, clock } = await listening(t);
  const response = await open();
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers["content-type"], "text/event-stream; charset=utf-8");
  assert.equal(response.headers["cache-control"], "no-store");
  await readUntil(response, ": connected\n\n");
  for (const event of EVENTS) source.emit(event);
  clock.advance(HEARTBEAT);
  clock.advance(HEARTBEAT);
  const blocks = (await readUntil(response, ": heartbeat\n\n: heartbeat\n\n")).split("\n\n");
  EVENTS.forEach((event, i) => {
    const [id, type, data, ...more] = blocks[i]?.split("\n") ?? [];
    assert.deepEqual([id, type, more], [`id: ${i + 1}`, `event: ${event.type}`, []]);
    assert.deepEqual(JSON.parse(data?.replace(/^data: /, "") ?? ""), event);
  });
});

test("[ADM24] the server is subscribed to once while anybody listens, and not before or after", async (t) => {
  const { open, source, clock } = await listening(t);
  assert.equal(source.listeners.size, 0);
  const [first, second] = [await open(), await open()];
  assert.equal(source.listeners.size, 1);
  assert.equal(clock.pendingCount, 1);
  first.destroy();
  second.destroy();
  await until("the last listener to leave", () => source.listeners.size === 0);
  assert.equal(clock.pendingCount, 0);
});

test("[ADM23] a reader too many is refused and counted, and may come when another left", async (t) => {
  const { open, meter, source } = await listening(t, { limits: { ...DEFAULT_ADMIN_LIMITS, subscribers: 1 } });
  const first = await open();
  const second = await open();
  assert.deepEqual([second.statusCode, second.headers["retry-after"]], [503, "5"]);
  assert.match(await readUntil(second, "}}"), /ADMIN_TOO_MANY_SUBSCRIBERS/);
  assert.match(await meter.page(), /^sluice_admin_subscribers_refused_total 1$/m);
  first.destroy();
  await until("the last listener to leave", () => source.listeners.size === 0);
  assert.equal((await open()).statusCode, 200);
});

test("[ADM22] a reader that does not read is dropped and counted, and the others go on", async (t) => {
  const { open, source, meter, clock } = await listening(t);
  const [slow, quick] = [await open(), await open()];
  slow.pause().on("error", () => {});
  let heard = 0;
  quick.on("data", (part: string) => (heard += part.split("event: stream-ended").length - 1));
  const closed = new Promise((resolve) => slow.on("close", resolve));
  const reason = "x".repeat(500_000);
  for (let sent = 1; sent <= 60; sent++) {
    source.emit({ type: "stream-ended", at: "2026-11-21T10:00:00Z", key: "a/b", reason });
    clock.advance(GATHER);
    await until("all that was sent", () => heard === sent);
  }
  assert.match(await meter.page(), /^sluice_admin_subscribers_dropped_total\{reason="slow"\} 1$/m);
  assert.match(await meter.page(), /^sluice_admin_subscribers 1$/m);
  slow.resume();
  await closed;
  assert.equal(slow.complete, false);
});

/** A fan-out on fakes, and readers that take nothing: what waits for each, and whether it was ended. */
function fannedOut(changed: Partial<AdminLimits>, readerCount = 1) {
  const source = new FakeSource();
  const clock = new FakeClock();
  const meter = new PromMeter({ processMetrics: "off" });
  const fanout = new EventFanout({ source, clock, meter, limits: { ...DEFAULT_ADMIN_LIMITS, ...changed } });
  const readers = Array.from({ length: readerCount }, () => {
    const held = { writes: [] as string[], waiting: 0, isDestroyed: false };
    const reader: EventReader = {
      waitingBytes: () => held.waiting,
      write(bytes) {
        held.writes.push(Buffer.from(bytes).toString());
        held.waiting += bytes.length;
      },
      end: () => assert.fail("ended politely"),
      destroy: () => (held.isDestroyed = true),
    };
    fanout.attach(reader);
    held.writes.length = 0;
    return held;
  });
  return { source, clock, meter, fanout, readers };
}

const namesIn = (text: string | undefined): string[] =>
  [...(text ?? "").matchAll(/"key":"(\w+)"/g)].map(([, key]) => key ?? "");
const live = (key: string) => ({ type: "stream-live", at: "", key }) as const;

test("[ADM22] what waits for one reader stays within the limit and one write", () => {
  const { source, clock, readers } = fannedOut({ subscriberBytes: 1000 });
  for (let i = 0; i < 20; i++) {
    source.emit(live("k".repeat(300)));
    clock.advance(GATHER);
  }
  const [reader] = readers;
  assert.ok(reader?.isDestroyed);
  assert.ok(reader.waiting > 1000 && reader.waiting < 1400, String(reader.waiting));
});

test("[ADM210] a crowd of events reaches a reader in one write: the first at once, the others together", () => {
  const { source, clock, readers } = fannedOut({});
  for (const key of ["a", "b", "c"]) source.emit(live(key));
  assert.deepEqual(readers[0]?.writes.map(namesIn), [["a"]]);
  clock.advance(GATHER);
  clock.advance(GATHER);
  assert.deepEqual(readers[0]?.writes.map(namesIn), [["a"], ["b", "c"]]);
  source.emit(live("d"));
  assert.deepEqual(readers[0]?.writes.map(namesIn).at(-1), ["d"], "after a pause the next one goes at once again");
});

test("[ADM211] events beyond what may be written at once are left out and counted; the next id tells how many", async () => {
  const { source, clock, meter, readers } = fannedOut({ batchBytes: 1_000 });
  source.emit(live("first"));
  for (let i = 0; i < 5_000; i++) source.emit(live("crowd"));
  source.emit({ type: "stats", at: "", node: NODE, streams: [STREAM], part: "whole" });
  clock.advance(GATHER);
  source.emit(live("last"));
  const [, gathered = "", after = ""] = [...(readers[0]?.writes ?? []), ""];
  assert.ok(gathered.length < 1_100 + JSON.stringify({ NODE, STREAM }).length, String(gathered.length));
  assert.match(gathered, /event: stats/, "statistics are told whatever else happens");
  clock.advance(GATHER);
  const last = after || readers[0]?.writes.at(-1);
  assert.match(last ?? "", /^id: 5003\n/);
  const told = gathered.split("event: stream-live").length - 1;
  assert.match(await meter.page(), new RegExp(`^sluice_admin_events_left_out_total ${5_000 - told}$`, "m"));
});

test("[ADM212] what waits for all readers together is bounded: those that lag most are dropped first", async () => {
  const { source, clock, meter, readers } = fannedOut({ subscribersBytes: 10_000 }, 4);
  const [a, b, c, d] = readers;
  assert.ok(a && b && c && d);
  [a.waiting, b.waiting, c.waiting, d.waiting] = [6_000, 100, 5_000, 3_000];
  source.emit(live("k"));
  clock.advance(GATHER);
  assert.deepEqual(
    readers.map(({ isDestroyed }) => isDestroyed),
    [true, false, false, false],
  );
  assert.match(await meter.page(), /^sluice_admin_subscribers_dropped_total\{reason="all-slow"\} 1$/m);
  assert.equal(b.writes.length, 1);
});

test("[ADM25] closing ends every event stream and answers 503 from then on", async (t) => {
  const { open, app, source } = await listening(t);
  const response = await open();
  await readUntil(response, ": connected\n\n");
  const ended = once(response.resume(), "end");
  await app.close();
  await ended;
  assert.equal(source.listeners.size, 0);
  const late = await open();
  assert.equal(late.statusCode, 503);
  assert.match(await readUntil(late, "}}"), /ADMIN_CLOSING/);
});
