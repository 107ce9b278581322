/** The NATS engine on three servers and the Redis engine under a Sentinel, while servers of theirs are killed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { WatchRecorder } from "@sluice/engine/conformance/watch-recorder";
import type { Epoch } from "@sluice/engine/epoch";
import { awaitRemoteEngine, openRemoteEngine } from "@sluice/drivers/engine-choice";
import { killChild } from "@sluice/testkit/process-faults";
import { QUICK_TIMINGS } from "./support/engine-harness.ts";
import { ELECTION_MILLIS, EngineServer, NatsCluster, startSentinel } from "./support/engine-servers.ts";
import { assertUnavailable, choiceOf, eventually, read, sleep, Writer } from "./support/engine-writer.ts";

test("[RMT44, RMT49] redis: a fail-over by Sentinel is followed, in a new generation, and views end with what is left", async (t) => {
  await using primary = await EngineServer.start("redis");
  await using replica = await EngineServer.start("redis", ["--replicaof", `127.0.0.1 ${primary.port}`]);
  await replica.child.waitForLine((line) => (line.includes("sync: Finished with success") ? true : undefined));
  await using sentinel = await startSentinel(primary.port);
  await replica.child.waitForLine((line) => (line.includes("sync") ? true : undefined));
  await using engine = await openRemoteEngine(choiceOf("redis", `redis+sentinel://127.0.0.1:${sentinel.port}/primary`));
  assert.equal(engine.capabilities().survivesNodeLoss, false);
  const over = new AbortController();
  const watch = new WatchRecorder(engine.watch("", over.signal));
  await using writer = new Writer(engine);
  await eventually(() => writer.acknowledged.size > 500, "writes");
  await sleep(1_500);
  const before = [...writer.acknowledged].at(-1)?.[1] as Epoch;
  await killChild(primary.child);
  await eventually(() => writer.failures.length > 0, "writes that fail");
  const atKill = writer.acknowledged.size;
  await eventually(() => writer.acknowledged.size > atKill + 50, "writes on the new primary");
  await writer.stop();
  for (const failure of writer.failures) assertUnavailable(failure);
  const after = [...writer.acknowledged].at(-1)?.[1] as Epoch;
  assert.ok(after.generation > before.generation, "the new primary's run is a generation of its own");
  let lost = 0;
  for (const [key, revision] of writer.acknowledged) {
    const stands = (await engine.get(key)) !== undefined;
    if (!stands) lost++;
    assert.ok(stands || revision.generation === before.generation, `${key} was written after the fail-over`);
  }
  await eventually(
    () => watch.state === "current" && watch.entries.size === writer.acknowledged.size - lost,
    "the view",
  );
  t.diagnostic(`${lost} of ${writer.acknowledged.size} acknowledged writes were lost, as Redis may`);
  over.abort();
});

test("[RMT48] nats: three replicas lose nothing acknowledged when each server in turn is killed, the leader among them", async (t) => {
  await using cluster = await NatsCluster.start();
  const choice = choiceOf("nats", cluster.url, { replicas: 3, timings: { ...QUICK_TIMINGS, answer: 3_000 as Millis } });
  await using engine = await awaitRemoteEngine(choice, AbortSignal.timeout(30_000));
  assert.equal(engine.capabilities().survivesNodeLoss, true);
  const over = new AbortController();
  const watch = new WatchRecorder(engine.watch("", over.signal));
  await using writer = new Writer(engine);
  for (const index of [0, 1, 2]) {
    const before = writer.acknowledged.size;
    await eventually(() => writer.acknowledged.size > before + 50, "writes");
    await cluster.kill(index);
    const atKill = writer.acknowledged.size;
    await eventually(() => writer.acknowledged.size > atKill + 50, "writes with two of three", ELECTION_MILLIS);
    cluster.revive(index);
    await cluster.becomesWhole();
  }
  await writer.stop();
  for (const failure of writer.failures) assertUnavailable(failure);
  for (const [key, revision] of writer.acknowledged)
    assert.deepEqual((await read(engine, key))?.revision, revision, key);
  await eventually(
    () => [...writer.acknowledged.keys()].every((key) => watch.entries.has(key)),
    "all keys in the view",
    ELECTION_MILLIS,
  );
  assert.deepEqual(watch.violations, []);
  t.diagnostic(`${writer.acknowledged.size} acknowledged, ${writer.failures.length} failed`);
  over.abort();
});
