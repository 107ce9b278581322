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

/** What the process and this thread have used by now, in milliseconds, as the system counts it. */
function used(): { readonly at: number; readonly process: number; readonly thread: number } {
  const [all, own] = [process.cpuUsage(), process.threadCpuUsage()];
  return { at: performance.now(), process: (all.user + all.system) / 1_000, thread: (own.user + own.system) / 1_000 };
}

/** Other processes may hold the core meanwhile: the sample must lie between what was measured around it and inside of it. */
test("[MET7] the load of a process is what it used, and time that its loop was busy", async () => {
  await setImmediate();
  const outer = used();
  const load = new ProcessLoad();
  const inner = used();
  while (used().thread - inner.thread < WORK);
  const innerEnd = used();
  const { cpu, loop, memoryBytes } = load.sample();
  const outerEnd = used();
  const least = (innerEnd.process - inner.process) / (outerEnd.at - outer.at);
  const most = (outerEnd.process - outer.process) / (innerEnd.at - inner.at);
  assert.ok(cpu >= least && cpu <= most, `cpu ${cpu}, not ${least} to ${most}`);
  const busy = (innerEnd.thread - inner.thread - TICK) / (outerEnd.at - outer.at);
  assert.ok(loop >= busy && loop <= 1, `loop ${loop}, not ${busy} to 1`);
  assert.ok(memoryBytes > 1_000_000);
});

/** Milliseconds of a processor. */
const WORK = 120;
/** The scheduler counts a running thread at its ticks, of 10 ms at most, and this at both ends. */
const TICK = 20;

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
