/** The state engine on cache nodes: the same cases as for every engine, on one node and on three. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import { type EngineHarness, lacking } from "@sluice/engine/conformance/harness";
import { conformanceCases } from "@sluice/engine/conformance";
import { REPLICA_CASES } from "@sluice/engine/conformance/replica-cases";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import { openCacheNode } from "@sluice/gcache/node/open-cache-node";
import { SystemClock } from "@sluice/runtime/system-clock";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { GcacheEngine } from "@sluice/drivers/gcache/gcache-engine";

const clock = new SystemClock();
/** Far beyond an election, also on a busy machine. */
const LEADER_MILLIS = 30_000;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function openNodes(count: number, dir: string): Promise<CacheNode[]> {
  const ids = ["n1", "n2", "n3"].slice(0, count);
  const ports = await Promise.all(ids.map(freePort));
  const founders = new Map(ids.map((id, place) => [id, `127.0.0.1:${ports[place]}`]));
  return Promise.all(
    ids.map((id, place) =>
      openCacheNode({
        id,
        address: { host: "127.0.0.1", port: ports[place] as number },
        founders,
        dir: join(dir, id),
        clock,
        log: SILENT_LOG,
        meter: SILENT_METER,
        crypto: NODE_CRYPTO,
        timing: {
          electionMin: 150 as Millis,
          electionMax: 300 as Millis,
          heartbeat: 40 as Millis,
          lease: 120 as Millis,
        },
      }),
    ),
  );
}

async function openHarness(count: number): Promise<EngineHarness> {
  const dir = mkdtempSync(join(tmpdir(), "cache-engine-"));
  let life = 0;
  let nodes = await openNodes(count, join(dir, String(life)));
  const engines = new Set<GcacheEngine>();
  const closeNodes = async (): Promise<void> => {
    for (const engine of engines) engine.abandon();
    engines.clear();
    await Promise.all(nodes.map((node) => node.close()));
  };
  return {
    clock,
    leaseTtl: 600 as Millis,
    leaseSlack: 700 as Millis,
    patience: 6_000 as Millis,
    tolerance: 300 as Millis,
    async open() {
      const node = nodes[engines.size % nodes.length] as CacheNode;
      const engine = await GcacheEngine.open(
        { node, clock, log: SILENT_LOG, random: Math.random },
        AbortSignal.timeout(LEADER_MILLIS),
      );
      engines.add(engine);
      return engine;
    },
    advance: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
    faults: {
      kill: async (engine) => (engine as GcacheEngine).abandon(),
      wipe: async () => {
        await closeNodes();
        life++;
        nodes = await openNodes(count, join(dir, String(life)));
      },
    },
    async [Symbol.asyncDispose]() {
      await closeNodes();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Nodes of one process cannot be cut off from each other, nor their messages be delayed: see cache-faults.test.ts. */
const cases = [...conformanceCases, ...REPLICA_CASES].filter(
  ({ needs }) => !needs.includes("cut") && !needs.includes("delay"),
);

for (const count of [1, 3]) {
  for (const { id, name, needs, run } of cases) {
    test(`[${id}] gcache on ${count}: ${name}`, { timeout: 30_000 }, async () => {
      await using harness = await openHarness(count);
      assert.deepEqual(lacking(needs, harness, await harness.open()), []);
      await run(harness);
    });
  }
}

test("gcache claims what its node is", async () => {
  await using harness = await openHarness(1);
  const engine = await harness.open();
  assert.deepEqual(engine.capabilities(), {
    engine: "gcache",
    serverVersion: "",
    isDurable: true,
    survivesPowerLoss: false,
    survivesNodeLoss: false,
    enforcesLeases: true,
    hasLogs: true,
    maxValueBytes: 512 * 1024,
    maxKeyBytes: 1024,
  });
});
