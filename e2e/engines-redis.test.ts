/** The Redis engine on a real redis-server: the conformance suite, and what becomes of it when the server dies, stops or is cut off. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Redis } from "ioredis";
import { conformanceCases } from "@sluice/engine/conformance";
import { lacking } from "@sluice/engine/conformance/harness";
import { openRedisEngine } from "@sluice/drivers/redis/redis-engine";
import { RemoteHarness } from "./support/engine-harness.ts";
import { EngineServer } from "./support/engine-servers.ts";

let server: EngineServer;
before(async () => {
  server = await EngineServer.start("redis");
});
after(() => server[Symbol.asyncDispose]());

async function wipe(name: string): Promise<void> {
  const connection = new Redis(server.port, "127.0.0.1");
  const keys = await connection.keys(`{${name}}:*`);
  if (keys.length > 0) await connection.del(...keys);
  connection.disconnect();
}

for (const cut of ["with close", "silent"] as const) {
  describe(`redis, cuts ${cut}`, () => {
    const cases = cut === "silent" ? conformanceCases.filter(({ needs }) => needs.includes("cut")) : conformanceCases;
    for (const { id, name, needs, run } of cases) {
      test(`[${id}] redis, cuts ${cut}: ${name}`, async () => {
        await using harness = new RemoteHarness({ server, open: openRedisEngine, wipe, cut });
        assert.deepEqual(lacking(needs, harness, await harness.open()), []);
        await run(harness);
      });
    }
  });
}
