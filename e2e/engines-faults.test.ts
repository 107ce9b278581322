/** The NATS and Redis engines while their server is killed, stopped, cut off, wiped or missing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import type { Millis } from "@sluice/base/brand";
import { renderCapabilityTable } from "@sluice/engine/capability-table";
import { WatchRecorder } from "@sluice/engine/conformance/watch-recorder";
import type { EngineCapabilities } from "@sluice/engine/engine";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { awaitRemoteEngine, openRemoteEngine } from "@sluice/drivers/engine-choice";
import { openNatsLine } from "@sluice/drivers/nats/nats-client";
import { NatsStore } from "@sluice/drivers/nats/nats-store";
import { EngineServerUnfitError } from "@sluice/engine/remote/remote-errors";
import { startChild } from "@sluice/testkit/child";
import { FaultProxy } from "@sluice/testkit/fault-proxy";
import { freePort } from "@sluice/testkit/free-port";
import { pauseChild, resumeChild } from "@sluice/testkit/process-faults";
import { EngineServer, type EngineServerKind } from "./support/engine-servers.ts";
import {
  assertUnavailable,
  choiceOf,
  encoder,
  eventually,
  open,
  reached,
  sleep,
  Writer,
} from "./support/engine-writer.ts";

async function wipe(server: EngineServer): Promise<void> {
  if (server.kind === "redis") {
    const connection = new Redis(server.port, "127.0.0.1");
    await connection.flushall();
    connection.disconnect();
    return;
  }
  const connection = await connect({ servers: `127.0.0.1:${server.port}` });
  const { streams } = await jetstreamManager(connection);
  for await (const stream of streams.names()) await streams.delete(stream);
  await connection.close();
}

/** Redis in its usual setting may answer before it writes. */
function startDurable(kind: EngineServerKind): Promise<EngineServer> {
  return EngineServer.start(kind, kind === "redis" ? ["--appendfsync", "always"] : []);
}

for (const kind of ["nats", "redis"] as const) {
  describe(`${kind} server`, () => {
    test(`[RMT40] ${kind}: what was acknowledged outlives SIGKILL of the server, and a watch ends with the truth`, async () => {
      await using server = await startDurable(kind);
      await using engine = await open(server);
      assert.equal(engine.capabilities().isDurable, true);
      const over = new AbortController();
      const watch = new WatchRecorder(engine.watch("", over.signal));
      await using writer = new Writer(engine);
      for (let round = 0; round < 3; round++) {
        const before = writer.acknowledged.size;
        await eventually(() => writer.acknowledged.size > before + 50, "writes");
        await server.restart(100);
      }
      const before = writer.acknowledged.size;
      await eventually(() => writer.acknowledged.size > before + 50, "writes after the last kill");
      await writer.stop();
      for (const failure of writer.failures) assertUnavailable(failure);
      assert.ok(writer.failures.length > 0, "the kills must have been felt");
      await eventually(() => watch.state === "current", "a watch that is current again");
      let last: Epoch | undefined;
      for (const [key, revision] of writer.acknowledged) {
        assert.ok(last === undefined || compareEpochs(last, revision) < 0, `revision of ${key} does not rise`);
        last = revision;
        assert.deepEqual((await engine.get(key))?.revision, revision, `${key} was acknowledged`);
      }
      await eventually(
        () => [...writer.acknowledged.keys()].every((key) => watch.entries.has(key)),
        "all keys in the view",
      );
      assert.deepEqual(watch.violations, []);
      over.abort();
    });

    test(`[RMT41] ${kind}: a lease outlives a restart that is shorter than its life, and is lost by one that is longer`, async () => {
      await using server = await startDurable(kind);
      await using engine = await open(server);
      const [short, long] = [await engine.lease(700 as Millis), await engine.lease(9_000 as Millis)];
      await engine.cas("long", "absent", encoder.encode("1"), { lease: long });
      await engine.cas("short", "absent", encoder.encode("1"), { lease: short });
      await server.restart(1_000);
      assert.equal(short.lost.aborted, true, "700 ms without an answer end a lease of 700 ms");
      await eventually(() => reached(engine), "the engine reached again");
      await eventually(async () => (await engine.get("short")) === undefined, "the key of the lost lease to vanish");
      assert.ok((await engine.get("long")) !== undefined, "the key of the lease that lives must stand");
      const before = long.validUntil;
      await eventually(() => long.validUntil > before, "a renewal after the restart");
      await long.release();
      assert.equal(await engine.get("long"), undefined);
    });

    test(`[RMT42] ${kind}: a pause of the server is waited for or told, and nothing acknowledged is lost`, async () => {
      await using server = await EngineServer.start(kind);
      await using engine = await open(server);
      const over = new AbortController();
      const watch = new WatchRecorder(engine.watch("", over.signal));
      await eventually(() => watch.state === "current", "a watch that is current");
      await using writer = new Writer(engine);
      await eventually(() => writer.acknowledged.size > 20, "writes");
      await pauseChild(server.child);
      await sleep(3_000);
      assert.equal(watch.state, "stale", "a silent server must make the view stale");
      assert.ok(watch.entries.size > 0, "a stale view keeps what it knew");
      await resumeChild(server.child);
      const before = writer.acknowledged.size;
      await eventually(() => writer.acknowledged.size > before + 20, "writes after the pause");
      await writer.stop();
      for (const failure of writer.failures) assertUnavailable(failure);
      for (const [key, revision] of writer.acknowledged) assert.deepEqual((await engine.get(key))?.revision, revision);
      await eventually(
        () => watch.state === "current" && watch.entries.size >= writer.acknowledged.size,
        "the view healed",
      );
      assert.deepEqual(watch.violations, []);
      over.abort();
    });

    test(`[RMT22] ${kind}: a write whose answer vanishes is unknown, was made once, and is not made again`, async () => {
      await using server = await EngineServer.start(kind);
      await using proxy = await FaultProxy.start({ port: server.port });
      await using engine = await open(server, proxy.port);
      await using other = await open(server);
      proxy.cutSilently("to-client");
      const failure = await engine.cas("key", "absent", encoder.encode("1")).catch((error: unknown) => error);
      assertUnavailable(failure);
      assert.equal(failure.isUnknown, true);
      const made = await other.get("key");
      assert.ok(made !== undefined, "the request passed, so the write was made");
      proxy.heal();
      await eventually(() => reached(engine), "the engine reached again");
      await sleep(300);
      assert.deepEqual((await engine.get("key"))?.revision, made.revision, "nothing is sent a second time");
    });

    test(`[RMT33] ${kind}: a renewal whose answer was lost does not end the lease`, async () => {
      await using server = await EngineServer.start(kind);
      await using proxy = await FaultProxy.start({ port: server.port });
      await using engine = await open(server, proxy.port);
      const lease = await engine.lease(3_000 as Millis);
      await engine.cas("bound", "absent", encoder.encode("1"), { lease });
      await sleep(800);
      proxy.cutSilently("to-client");
      await sleep(500);
      const before = lease.validUntil;
      proxy.heal();
      await eventually(() => lease.validUntil > before, "a renewal after the lost one");
      await sleep(3_200);
      assert.equal(lease.lost.aborted, false);
      assert.ok((await engine.get("bound")) !== undefined);
    });

    test(`[RMT43] ${kind}: a store wiped under open clients is founded anew: reset, higher revisions, old ones worth nothing`, async () => {
      await using server = await EngineServer.start(kind);
      await using engine = await open(server);
      const over = new AbortController();
      const watch = new WatchRecorder(engine.watch("", over.signal));
      const old = await engine.cas("key", "absent", encoder.encode("1"));
      assert.ok(old.outcome === "written");
      await eventually(() => watch.entries.has("key"), "the entry in the view");
      await wipe(server);
      await eventually(async () => (await engine.get("key").catch(() => old)) === undefined, "an empty store");
      await eventually(() => watch.state === "current" && watch.entries.size === 0, "an empty view after a reset");
      const late = await engine.cas("key", old.revision, encoder.encode("2"));
      assert.deepEqual(late, { outcome: "conflict", current: undefined });
      const fresh = await engine.cas("key", "absent", encoder.encode("3"));
      assert.ok(fresh.outcome === "written" && compareEpochs(old.revision, fresh.revision) < 0);
      await eventually(() => watch.entries.has("key"), "the new entry in the view");
      over.abort();
    });

    test(`[RMT46] ${kind}: an engine waits for a server that is not there yet, until it is or nobody wants it`, async () => {
      await using server = await EngineServer.start(kind);
      await using proxy = await FaultProxy.start({ port: server.port });
      proxy.cutWithClose();
      const choice = choiceOf(kind, server.urlAt(proxy.port));
      await assert.rejects(openRemoteEngine(choice), EngineUnavailableError);
      const enough = new AbortController();
      const unwanted = awaitRemoteEngine(choice, enough.signal);
      const wanted = awaitRemoteEngine(choice, new AbortController().signal);
      await sleep(200);
      enough.abort(new Error("Enough"));
      await assert.rejects(unwanted, /Enough/);
      proxy.heal();
      await using engine = await wanted;
      assert.equal(engine.capabilities().engine, kind);
    });
  });
}

test("[RMT46] nats: a server without JetStream is refused, and waiting for it ends", async () => {
  const port = await freePort();
  await using child = startChild(["nats-server", "-a", "127.0.0.1", "-p", `${port}`]);
  await child.waitForLine((line) => (line.includes("Server is ready") ? true : undefined));
  const choice = choiceOf("nats", `nats://127.0.0.1:${port}`);
  await assert.rejects(awaitRemoteEngine(choice, new AbortController().signal), (error) => {
    assert.ok(error instanceof EngineServerUnfitError, String(error));
    assert.match(error.context.serverVersion, /^2\.\d+\.\d+/);
    return true;
  });
});

test("[RMT47] what the engines state is what Debian's servers do, as a table", async (t) => {
  await using nats = await EngineServer.start("nats");
  await using redis = await EngineServer.start("redis");
  await using synced = await EngineServer.start("redis", ["--appendfsync", "always"]);
  const stated: EngineCapabilities[] = [];
  for (const server of [nats, redis, synced]) {
    await using engine = await open(server);
    stated.push(engine.capabilities());
  }
  const common = { survivesNodeLoss: false, hasLogs: true, maxValueBytes: 524_288, maxKeyBytes: 1_024 };
  const own = [
    { engine: "nats", isDurable: true, survivesPowerLoss: false, enforcesLeases: false },
    { engine: "redis", isDurable: false, survivesPowerLoss: false, enforcesLeases: true },
    { engine: "redis", isDurable: true, survivesPowerLoss: true, enforcesLeases: true },
  ];
  for (const [index, one] of stated.entries()) {
    assert.deepEqual(one, { ...common, ...own[index], serverVersion: one.serverVersion });
  }
  for (const { serverVersion } of stated) assert.match(serverVersion, /^\d+\.\d+\.\d+/);
  t.diagnostic(`\n${renderCapabilityTable(stated)}`);
});

test("[RMT13] nats: sweeping a marker takes it away, and leaves what was written over it", async () => {
  await using server = await EngineServer.start("nats");
  const line = await openNatsLine(choiceOf("nats", server.url));
  const store = new NatsStore(line, choiceOf("nats", server.url));
  await store.find();
  const subject = store.names.key("key");
  const write = async (expected: number, value?: Uint8Array): Promise<number> =>
    (await store.write({ action: "test", subject, expected, ...(value && { value }) })) ?? assert.fail("A conflict");
  const marker = await write(await write(0, encoder.encode("1")));
  const over = await write(marker, encoder.encode("2"));
  await store.sweep(subject, marker);
  assert.equal((await store.read("test", subject))?.sequence, over);
  const second = await write(over);
  assert.equal((await store.read("test", subject))?.isRemoved, true);
  await store.sweep(subject, second);
  assert.equal(await store.read("test", subject), undefined);
  assert.ok((await write(0, encoder.encode("3"))) > second);
  await line.close();
});

test("[RMT45] nats: entries purged by an operator's hand leave the view by a reset", async () => {
  await using server = await EngineServer.start("nats");
  await using engine = await open(server);
  const over = new AbortController();
  const watch = new WatchRecorder(engine.watch("", over.signal));
  await engine.cas("key", "absent", encoder.encode("1"));
  await eventually(() => watch.entries.has("key"), "the entry in the view");
  const connection = await connect({ servers: `127.0.0.1:${server.port}` });
  const { streams } = await jetstreamManager(connection);
  for await (const stream of streams.names()) if (stream.startsWith("KV_sluice-")) await streams.purge(stream);
  await connection.close();
  await eventually(() => watch.resetCount === 2 && watch.state === "current", "a second reset");
  assert.equal(watch.entries.size, 0);
  over.abort();
});

test("[RMT50] nats: a watch that the server tells nothing more, though it lives, is begun anew", async () => {
  await using server = await EngineServer.start("nats");
  await using engine = await open(server);
  const over = new AbortController();
  const watch = new WatchRecorder(engine.watch("", over.signal));
  await eventually(() => watch.state === "current", "the view");
  const connection = await connect({ servers: `127.0.0.1:${server.port}` });
  const { streams, consumers } = await jetstreamManager(connection);
  for await (const stream of streams.names()) {
    if (!stream.startsWith("KV_sluice-")) continue;
    for await (const { name, config } of consumers.list(stream)) {
      // Beats as the former does, and never has anything to tell.
      await consumers.add(stream, { ...config, filter_subject: `${config.filter_subject?.slice(0, -1)}nothing` });
      await consumers.delete(stream, name);
    }
  }
  await connection.close();
  await engine.cas("key", "absent", encoder.encode("1"));
  await eventually(() => watch.entries.has("key"), "the entry in the view");
  assert.equal(watch.resetCount, 2);
  over.abort();
});

test("[RMT44, RMT47] redis: without an append-only file nothing durable is claimed, and after a loss revisions rise all the same", async () => {
  await using server = await EngineServer.start("redis", ["--appendonly", "no"]);
  await using engine = await open(server);
  const { isDurable, survivesPowerLoss, survivesNodeLoss } = engine.capabilities();
  assert.deepEqual({ isDurable, survivesPowerLoss, survivesNodeLoss }, FRAGILE);
  const over = new AbortController();
  const watch = new WatchRecorder(engine.watch("", over.signal));
  const lost = await engine.cas("key", "absent", encoder.encode("1"));
  await eventually(() => watch.entries.has("key"), "the entry in the view");
  await server.restart();
  await eventually(() => reached(engine), "the engine reached again");
  await eventually(() => watch.state === "current" && watch.entries.size === 0, "an empty view");
  const fresh = await engine.cas("key", "absent", encoder.encode("2"));
  assert.ok(lost.outcome === "written" && fresh.outcome === "written");
  assert.ok(compareEpochs(lost.revision, fresh.revision) < 0, "a lost revision is never used again");
  over.abort();
});

const FRAGILE = { isDurable: false, survivesPowerLoss: false, survivesNodeLoss: false };
