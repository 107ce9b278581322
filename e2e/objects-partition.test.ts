/** Shared objects of three nodes, as processes, with the home on the small side of a partition. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultProxy } from "@sluice/testkit/fault-proxy";
import { freePort } from "@sluice/testkit/free-port";
import { until } from "@sluice/testkit/until";
import { WorkFolder } from "./support/clip.ts";
import { allLinked, voting } from "./support/cluster-server.ts";
import { end, start } from "./support/engine-cluster.ts";
import { OwnObjectClient } from "./support/object-clients.ts";
import { moveTo, Writer } from "./support/object-homes.ts";

test("[OBJ123] the clients of a home that is cut off hear that their writes are refused; after healing all are equal", async () => {
  using folder = new WorkFolder();
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  const proxies = await Promise.all(ports.map((port) => FaultProxy.start({ port })));
  await using _proxies = {
    async [Symbol.asyncDispose]() {
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
    },
  };
  const shown = (at: number): readonly string[] => [`node.public.cluster: 127.0.0.1:${proxies[at]?.port}`];
  const b = await start(folder, "b", { port: ports[1], more: shown(1) });
  const c = await start(folder, "c", { port: ports[2], more: shown(2), seeds: [b] });
  await allLinked([b, c]);
  const a = await start(folder, "a", {
    port: ports[0],
    more: shown(0),
    cluster: [`seeds: 127.0.0.1:${proxies[1]?.port}`],
  });
  await using _all = { [Symbol.asyncDispose]: () => end([a, b, c], "SIGKILL") };
  await allLinked([a, b, c]);
  await voting([a, b, c], 3);
  await using atA = await OwnObjectClient.open(a);
  await using atB = await OwnObjectClient.open(b);
  await using atC = await OwnObjectClient.open(c);
  await moveTo("a", b);
  atA.set("n", 1);
  await Promise.all([atB, atC].map((client) => client.has({ n: 1 })));
  for (const proxy of proxies) proxy.cutSilently();
  const writer = new Writer(atB);
  atA.set("n", -1);
  await until("a refusal on the small side", () => atA.codes.includes("SharedObject.NoWriteAccess"));
  assert.ok(!atA.acknowledged("n").includes(-1));
  await writer.writes();
  await atC.has({ n: writer.acknowledged.at(-1) as number });
  for (const proxy of proxies) proxy.heal();
  await allLinked([a, b, c]);
  await writer.writes();
  for (const client of [atA, atB, atC]) await client.has({ n: writer.acknowledged.at(-1) as number });
  atA.set("healed", true);
  for (const client of [atB, atC])
    await until("the write of the one that was cut off", () => client.copy["healed"] === true);
});
