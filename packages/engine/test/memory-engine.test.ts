/** The memory engine where the suite does not reach: its limits, its faults and its table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { renderCapabilityTable } from "@sluice/engine/capability-table";
import { checkKey } from "@sluice/engine/checks";
import type { WatchEvent } from "@sluice/engine/engine";
import { compareEpochs } from "@sluice/engine/epoch";
import {
  EngineArgumentError,
  EngineCrowdedError,
  EngineKeyTooLongError,
  EngineUnavailableError,
} from "@sluice/engine/errors";
import { ENGINE_LIMITS } from "@sluice/engine/limits";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import { MemoryStore } from "@sluice/engine/memory/memory-store";
import { FakeClock, settle } from "@sluice/testkit/fake-clock";
import fc from "fast-check";

const VALUE = Uint8Array.of(1);
const TTL = 1000 as Millis;

function open(): { clock: FakeClock; store: MemoryStore; engine: MemoryEngine; signal: AbortSignal } {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock, generation: 7 });
  return { clock, store, engine: new MemoryEngine(store), signal: new AbortController().signal };
}

test("[ENG28] a watcher that sleeps through too many deletions starts over", async () => {
  const { engine, signal } = open();
  const events = engine.watch("", signal)[Symbol.asyncIterator]();
  assert.deepEqual([await next(events), await next(events)], [{ type: "reset" }, { type: "current" }]);
  for (let index = 0; index <= ENGINE_LIMITS.watchDeletions; index++) {
    const created = await engine.cas(`key ${index}`, "absent", VALUE);
    if (created.outcome === "written") await engine.remove(`key ${index}`, created.revision);
  }
  await engine.cas("stays", "absent", VALUE);
  const types = [(await next(events))?.type, (await next(events))?.type, (await next(events))?.type];
  assert.deepEqual(types, ["reset", "put", "current"]);
});

test("[ENG29] watches, subscriptions and leases above the limits are refused, and room returns", async () => {
  const { engine } = open();
  const ending = new AbortController();
  for (let index = 0; index < ENGINE_LIMITS.readers; index++) {
    if (index % 2 === 0) engine.watch("", ending.signal);
    else engine.subscribe("subject", ending.signal);
  }
  assert.throws(() => engine.watch("", ending.signal), EngineCrowdedError);
  assert.throws(() => engine.subscribe("subject", ending.signal), EngineCrowdedError);
  ending.abort();
  engine.watch("", new AbortController().signal);
  const first = await engine.lease(TTL);
  for (let index = 1; index < ENGINE_LIMITS.leases; index++) await engine.lease(TTL);
  await assert.rejects(engine.lease(TTL), EngineCrowdedError);
  await first.release();
  await engine.lease(TTL);
});

test("[ENG91] a write whose answer was lost is unknown, and stands or not as it may", async () => {
  const { clock, store, engine } = open();
  engine.delayAnswers(50 as Millis);
  const write = engine.cas("key", "absent", VALUE);
  const read = engine.get("key");
  engine.cut();
  const outcomes = Promise.allSettled([write, read]);
  await clock.advanceAsync(50);
  const [writing, reading] = await outcomes;
  assert.ok(writing.status === "rejected" && writing.reason instanceof EngineUnavailableError);
  assert.ok(reading.status === "rejected" && reading.reason instanceof EngineUnavailableError);
  assert.deepEqual([writing.reason.isUnknown, reading.reason.isUnknown], [true, false]);
  assert.ok(store.find("key") !== undefined, "this one was made");
});

test("[ENG51] a wipe tells open watchers to forget, ends leases at their next renewal and raises the generation", async () => {
  const { clock, store, engine, signal } = open();
  const lease = await engine.lease(TTL);
  await engine.cas("key", "absent", VALUE, { lease });
  const events: WatchEvent[] = [];
  void (async () => {
    for await (const event of engine.watch("", signal)) events.push(event);
  })();
  await settle();
  assert.throws(() => store.wipe(7), EngineArgumentError);
  store.wipe(8);
  await settle();
  assert.deepEqual(
    events.map(({ type }) => type),
    ["reset", "put", "current", "reset", "current"],
  );
  assert.equal(lease.lost.aborted, false, "the holder cannot know yet");
  await clock.advanceAsync(TTL / 3);
  assert.equal(lease.lost.aborted, true);
  const created = await engine.cas("key", "absent", VALUE);
  assert.ok(created.outcome === "written" && compareEpochs(created.revision, lease.token) > 0);
  assert.equal(clock.pendingCount, 0);
});

test("[ENG62] a subscription hears nothing before it is first asked, and all after", async () => {
  const { engine, signal } = open();
  const messages = engine.subscribe("subject", signal)[Symbol.asyncIterator]();
  await engine.publish("subject", Uint8Array.of(1));
  const first = messages.next();
  await engine.publish("subject", Uint8Array.of(2));
  await engine.publish("subject", Uint8Array.of(3));
  assert.deepEqual([(await first).value, (await messages.next()).value], [Uint8Array.of(2), Uint8Array.of(3)]);
});

test("[ENG13] a key is taken if it is well-formed text of 1 to 1,024 bytes, and only then", () => {
  const unit = fc.oneof(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 0xd7f0, max: 0xe010 }));
  const text = fc.array(unit, { maxLength: 1100 }).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: "binary", maxLength: 600 })), (key) => {
      const bytes = Buffer.byteLength(key);
      const isGood = key.isWellFormed() && bytes >= 1 && bytes <= 1024;
      if (isGood) checkKey(key);
      else assert.throws(() => checkKey(key), isRefusal);
    }),
  );
});

test("[ENG82] the table of capabilities has a line for each engine, in columns", async () => {
  const { engine } = open();
  const stated = engine.capabilities();
  const other = { ...stated, engine: "nats", serverVersion: "2.9.10", isDurable: true, hasLogs: false };
  assert.equal(
    renderCapabilityTable([stated, other]),
    [
      "engine  server  durable  power loss  node loss  enforces leases  logs  max value  max key",
      "memory  –       no       no          no         yes              yes   524288 B   1024 B",
      "nats    2.9.10  yes      no          no         yes              no    524288 B   1024 B",
    ].join("\n"),
  );
});

async function next(events: AsyncIterator<WatchEvent>): Promise<WatchEvent | undefined> {
  const result = await events.next();
  return result.done === true ? undefined : result.value;
}

function isRefusal(error: unknown): boolean {
  return error instanceof EngineArgumentError || error instanceof EngineKeyTooLongError;
}
