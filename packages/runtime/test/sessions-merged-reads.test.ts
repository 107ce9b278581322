/** Merged reads on real sockets, with the time in the test's hand. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Millis } from "@sluice/base/brand";
import { MergedReads } from "@sluice/runtime/sockets/merged-reads";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { until } from "@sluice/testkit/until";

const WITHIN = 50 as Millis;

async function pair(
  t: TestContext,
): Promise<{ readonly near: Socket; readonly far: Socket; readonly heard: () => string }> {
  const server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const far = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true });
  const [near] = (await once(server, "connection")) as [Socket];
  t.after(() => {
    for (const one of [near, far]) one.destroy();
    server.close();
  });
  let text = "";
  near.on("data", (bytes: Buffer) => {
    text += bytes.toString("latin1");
  });
  return { near, far, heard: () => text };
}

/** Long enough for the loop to have read whatever it would read. */
async function severalTurns(): Promise<void> {
  for (let i = 0; i < 20; i++) await setImmediate();
}

test("[MRG1] what comes after an arrival is read after the time it may be held, all at once", async (t) => {
  const clock = new FakeClock();
  using reads = new MergedReads(clock);
  const { near, far, heard } = await pair(t);
  far.write("a");
  await until("the first byte", () => heard() === "a");
  reads.hold(near, WITHIN, 1);
  far.write("b");
  await severalTurns();
  far.write("c");
  await severalTurns();
  assert.equal(heard(), "a");
  clock.advance(2 * WITHIN);
  await until("the rest", () => heard() === "abc");
});

test("[MRG2] who sends much, and who may not be held, is read on", async (t) => {
  const clock = new FakeClock();
  using reads = new MergedReads(clock);
  const { near, far, heard } = await pair(t);
  reads.hold(near, WITHIN, 32 * 1024);
  reads.hold(near, 0 as Millis, 1);
  far.write("a");
  await until("the first byte", () => heard() === "a");
});

test("[MRG3] a socket that ends, or is destroyed, while it waits is no trouble, and its end is heard", async (t) => {
  const clock = new FakeClock();
  using reads = new MergedReads(clock);
  const one = await pair(t);
  const other = await pair(t);
  reads.hold(one.near, WITHIN, 1);
  reads.hold(other.near, WITHIN, 1);
  const ended = once(one.near, "end");
  one.far.end("z");
  other.near.destroy();
  clock.advance(2 * WITHIN);
  await ended;
  assert.equal(one.heard(), "z");
});

test("[MRG4] when merging ends, everybody is read again, and no timer is left", async (t) => {
  const clock = new FakeClock();
  const reads = new MergedReads(clock);
  const { near, far, heard } = await pair(t);
  reads.hold(near, WITHIN, 1);
  far.write("a");
  await severalTurns();
  assert.equal(heard(), "");
  reads[Symbol.dispose]();
  await until("the byte that waited", () => heard() === "a");
  assert.equal(clock.pendingCount, 0);
});

test("[MRG6] what is pulled is read at once, and nothing is pulled twice", async (t) => {
  const clock = new FakeClock();
  using reads = new MergedReads(clock);
  const { near, far, heard } = await pair(t);
  assert.equal(reads.pull(near), false);
  reads.hold(near, WITHIN, 1);
  far.write("a");
  await severalTurns();
  clock.advance(WITHIN);
  assert.deepEqual([heard(), reads.pull(near), reads.pull(near)], ["", true, false]);
  await until("the byte that was held", () => heard() === "a");
  clock.advance(2 * WITHIN);
  assert.equal(clock.pendingCount, 0);
});

test("[MRG5] catching up reads all that has arrived, an end included, before it resolves", async (t) => {
  using reads = new MergedReads(new FakeClock());
  const { near, far, heard } = await pair(t);
  let ended = false;
  near.once("end", () => {
    ended = true;
  });
  near.on("data", () => reads.hold(near, WITHIN, 1));
  reads.hold(near, WITHIN, 1);
  const finished = once(far, "finish");
  far.end("a");
  await finished;
  await severalTurns();
  assert.equal(heard(), "");
  await reads.catchUp();
  assert.deepEqual([heard(), ended], ["a", true]);
});
