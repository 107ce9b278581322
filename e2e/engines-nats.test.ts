/** The NATS engine on a real nats-server: the conformance suite, and what becomes of it when the server dies, stops or is cut off. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { conformanceCases } from "@sluice/engine/conformance";
import { lacking } from "@sluice/engine/conformance/harness";
import { openNatsEngine } from "@sluice/drivers/nats/nats-engine";
import { RemoteHarness } from "./support/engine-harness.ts";
import { EngineServer } from "./support/engine-servers.ts";

let server: EngineServer;
before(async () => {
  server = await EngineServer.start("nats");
});
after(() => server[Symbol.asyncDispose]());

async function wipe(name: string): Promise<void> {
  const connection = await connect({ servers: `127.0.0.1:${server.port}` });
  const { streams } = await jetstreamManager(connection);
  for await (const stream of streams.names()) {
    if (stream === `KV_${name}` || stream.startsWith(`KV_${name}-`)) await streams.delete(stream);
  }
  await connection.close();
}

for (const cut of ["with close", "silent"] as const) {
  describe(`nats, cuts ${cut}`, () => {
    const cases = cut === "silent" ? conformanceCases.filter(({ needs }) => needs.includes("cut")) : conformanceCases;
    for (const { id, name, needs, run } of cases) {
      test(`[${id}] nats, cuts ${cut}: ${name}`, async () => {
        await using harness = new RemoteHarness({ server, open: openNatsEngine, wipe, cut });
        assert.deepEqual(lacking(needs, harness, await harness.open()), []);
        await run(harness);
      });
    }
  });
}
