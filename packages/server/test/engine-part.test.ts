/** The state engine inside a whole server: the embedded cache on its disk, and a remote one that is not there. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import type { LogIndex, Term } from "@sluice/cache/ids";
import { CacheState } from "@sluice/cache/state/cache-state";
import { encodeOperation } from "@sluice/cache/state/operation-codec";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import type { NodeReport } from "@sluice/gcache/node/cluster-admin";
import { ConfigError } from "@sluice/server/config/config-error";
import { loadConfig } from "@sluice/server/config/load-config";
import { GcacheEngine } from "@sluice/drivers/gcache/gcache-engine";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { freePort } from "@sluice/testkit/free-port";
import { Redis } from "ioredis";
import { until } from "@sluice/testkit/until";
import { openServer } from "./sessions-fixture.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "sluice-engine-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Of this process: of all of the machine that listen, those whose socket is ours. */
function listeningPorts(): number[] {
  const own = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A" && own.includes(fields[9] ?? ""))
      .map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16)),
  );
}

function client(t: TestContext, port: number, password?: string): Redis {
  const redis = new Redis({ host: "127.0.0.1", port, ...(password && { password }), retryStrategy: null });
  redis.on("error", () => {});
  t.after(() => redis.disconnect());
  return redis;
}

test("[EPT1] the embedded cache serves Redis clients beside the streams, and keeps its data over a restart", async (t) => {
  const sets = ["engine.kind=gcache", "cache.resp.port=0", `data.dir=${folder(t)}`];
  {
    const before = listeningPorts();
    await using server = await openServer(sets);
    const opened = listeningPorts().filter((port) => !before.includes(port));
    const told = ["rtmp", "http", "resp"].map((name) => server.portOf(name));
    assert.deepEqual(new Set(opened), new Set(told), "no port for members, and none that nobody was told of");
    await client(t, server.portOf("resp")).set("colour", "blue");
  }
  await using again = await openServer(sets);
  assert.equal(await client(t, again.portOf("resp")).get("colour"), "blue");
  assert.deepEqual(await again.get("/readyz"), { ready: true, reasons: [] });
});

test("[EPT140] the engine of a new cluster opens once the data has its generation, and not when a leader is there", async () => {
  const clock = new FakeClock();
  const state = new CacheState({ hashSeed: 1 });
  const { signal: failed } = new AbortController();
  const onTurn = (): Disposable => ({ [Symbol.dispose]() {} });
  const node = { state, failed, barrier: async () => "reached", onTurn, status: () => ({ applied: 2 }) };
  const open = (signal: AbortSignal): Promise<GcacheEngine> =>
    GcacheEngine.open({ node: node as unknown as CacheNode, clock, log: SILENT_LOG, random: Math.random }, signal);
  const goOn = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  let isOpen = false;
  const opening = open(new AbortController().signal);
  void opening.then(() => (isOpen = true));
  for (let i = 0; i < 5; i++) await goOn();
  assert.equal(isOpen, false, "a leader alone is not enough");
  const stop = new AbortController();
  const stopped = assert.rejects(open(stop.signal), /stop/);
  await goOn();
  stop.abort(new Error("stop"));
  await stopped;
  const at = { index: 2 as LogIndex, term: 1 as Term, time: 1 as Millis };
  state.apply(encodeOperation({ type: "found", generation: 7 }), at);
  await goOn();
  await using _engine = await opening;
});

test("[EPT140] an engine whose disk fails before it is open says so", async () => {
  const node = { state: new CacheState({ hashSeed: 1 }), failed: AbortSignal.abort(), barrier: async () => "halted" };
  const options = { node: node as unknown as CacheNode, clock: new FakeClock(), log: SILENT_LOG, random: Math.random };
  await assert.rejects(GcacheEngine.open(options, new AbortController().signal), { code: "UNAVAILABLE_ENGINE" });
});

test("[EPT140] when a server is ready for the first time its data has a generation", async (t) => {
  await using server = await openServer(["engine.kind=gcache", "cache.resp.port=0", `data.dir=${folder(t)}`]);
  const report = JSON.parse(String(await client(t, server.portOf("resp")).call("SLUICE", "STATUS"))) as NodeReport;
  assert.ok(report.generation > 0, JSON.stringify(report));
});

test("[EPT141] a data folder that cannot be made ends the start with its reason", async () => {
  await assert.rejects(openServer(["engine.kind=gcache", "data.dir=/proc/no-such-folder"]), {
    code: "UNAVAILABLE_STORE_IO",
  });
});

test("[EPT2] with a password the cache takes nobody without it", async (t) => {
  const password = "correct horse battery";
  await using server = await openServer([
    "engine.kind=gcache",
    "cache.resp.port=0",
    `cache.resp.password=${password}`,
    `data.dir=${folder(t)}`,
  ]);
  await assert.rejects(client(t, server.portOf("resp")).get("a"), /NOAUTH/);
  assert.equal(await client(t, server.portOf("resp"), password).get("a"), null);
});

test("[EPT3] a remote engine that is not there keeps the node from being ready, and nothing else", async () => {
  const port = await freePort();
  await using server = await openServer(["engine.kind=redis", `engine.url=redis://127.0.0.1:${port}`]);
  const readiness = (await server.get("/readyz")) as { ready: boolean; reasons: string[] };
  assert.equal(readiness.ready, false);
  assert.match(readiness.reasons.join(), /state engine \(redis\) is not reachable/);
  assert.equal(await server.metric("sessions"), 0);
});

test("[EPT3] a server that is no engine is tried again, and the node still stops at once", async (t) => {
  let tries = 0;
  const stranger = createServer((socket) => {
    tries++;
    socket.destroy();
  });
  t.after(() => stranger.close());
  const port = await freePort();
  await new Promise<void>((resolve) => stranger.listen(port, "127.0.0.1", resolve));
  await using server = await openServer(["engine.kind=nats", `engine.url=nats://127.0.0.1:${port}`]);
  await until("another try", () => tries >= 2);
  const readiness = (await server.get("/readyz")) as { reasons: string[] };
  assert.match(readiness.reasons.join(), /state engine \(nats\) is not reachable/);
});

for (const { sets, says } of [
  { sets: ["engine.kind=nats"], says: /engine\.url.*is missing/ },
  { sets: ["engine.kind=redis", "engine.url=nats://host:4222"], says: /engine\.url.*is no URL for redis/ },
  { sets: ["engine.kind=gcache", "engine.url=redis://host"], says: /engine\.url.*has no use/ },
  { sets: ["cache.resp.port=6401"], says: /cache\.resp\.port.*needs engine\.kind gcache/ },
  {
    sets: ["engine.kind=gcache", "cache.resp.port=1935"],
    says: /cache\.resp\.port.*is 1935, and so is rtmp\.port/,
  },
]) {
  test(`[CFG28] ${sets.join(" ")} is refused`, () => {
    assert.throws(
      () => loadConfig({ sets, env: {}, file: "none", hostname: "box" }),
      (error) => error instanceof ConfigError && says.test(error.message),
    );
  });
}
