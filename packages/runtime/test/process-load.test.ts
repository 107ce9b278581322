/** How busy the process is, measured on itself; alone in its process, as any other timer would wake the loop. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Millis } from "@sluice/base/brand";
import { LoopLoad, ProcessLoad } from "@sluice/runtime/metrics/process-load";
import { MergedReads } from "@sluice/runtime/sockets/merged-reads";
import { FakeClock } from "@sluice/testkit/fake-clock";

test("a busy loop reads as one core and a full event loop", async () => {
  await setImmediate();
  const load = new ProcessLoad();
  const end = performance.now() + 120;
  while (performance.now() < end);
  await setImmediate();
  const { cpu, loop, memoryBytes } = load.sample();
  assert.ok(cpu > 0.1 && cpu < 8, `cpu ${cpu}`); // other processes may hold the core, helper threads may add to it
  assert.ok(loop > 0.9 && loop <= 1, `loop ${loop}`);
  assert.ok(memoryBytes > 1_000_000);
});

/** Writes a byte, and another one a good while after each byte that it hears: from a thread of its own, so that it finds us asleep. */
const FAR_END = `
  const { connect } = require("node:net");
  const socket = connect({ port: require("node:worker_threads").workerData, host: "127.0.0.1" });
  socket.write("a");
  socket.on("data", () => setTimeout(() => socket.write("b"), 450));
  socket.on("error", () => {});
`;

test("[MET7] sleep is no load, though something comes meanwhile for a socket that is held", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const far = new Worker(FAR_END, { eval: true, workerData: (server.address() as AddressInfo).port });
  const [near] = (await once(server, "connection")) as [Socket];
  t.after(async () => {
    near.destroy();
    server.close();
    await far.terminate();
  });
  using reads = new MergedReads(new FakeClock());
  await once(near, "data");
  reads.hold(near, 50 as Millis, 1);
  const load = new LoopLoad();
  near.write("c");
  await sleep(600);
  const share = load.sample();
  assert.ok(share < 0.5, `busy ${share}`);
});
