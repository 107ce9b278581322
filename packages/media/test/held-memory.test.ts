/** What streams may hold for joiners and slow viewers: for each, for each connection that publishes, and in all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldMemory } from "@sluice/media/held-memory";
import type { MemoryLimits } from "@sluice/media/limits";
import { FakeSink, stage, type Stage, testForm } from "./fixture.ts";

const ROOMY: MemoryLimits = { connectionBytes: 2 ** 40, nodeBytes: 2 ** 40 };

/** Streams on one memory, each with set-up and one key frame. */
function streams(memory: HeldMemory, connections: readonly (string | undefined)[], keyBytes = 1_000): Stage[] {
  return connections.map((connection) => {
    const at = stage({ memory });
    at.stream.startPublication(connection);
    at.setUp();
    at.push("video", "key", 0, { bytes: keyBytes });
    return at;
  });
}

const gopSizes = (all: readonly Stage[]): number[] => all.map(({ stream }) => stream.gop.frames.length);

test("[MED132] a stream keeps no more set-up than its limit, and counts what it does not take", () => {
  const at = stage({ limits: { setUpBytes: 1_000 } });
  const { push, stream } = at;
  push("video", "config", 0, { bytes: 600 });
  push("audio", "config", 0, { bytes: 300 });
  push("data", "metadata", 0, { bytes: 101 });
  push("video", "config", 0, { bytes: 1, trackId: 1 });
  assert.deepEqual([stream.ingest.beyondSetUp, stream.tracks.keptBytes], [1, 907]);
  push("video", "config", 0, { bytes: 701 });
  assert.deepEqual([stream.ingest.beyondSetUp, stream.tracks.keptBytes], [2, 907]);
  push("video", "config", 0, { bytes: 100 });
  push("data", "metadata", 0, { bytes: 593 });
  assert.deepEqual([stream.ingest.beyondSetUp, stream.tracks.keptBytes], [2, 1_000]);
  push("video", "key", 0);
  push("video", "key", 0, { trackId: 2 });
  assert.deepEqual([stream.gop.frames.length, stream.ingest.withoutConfig], [1, 1]);
  stream.forgetPublication();
  assert.equal(stream.tracks.keptBytes, 0);
});

test("[MED133] beyond the limit of a connection its largest cached GOP goes, and no other connection's", () => {
  const memory = new HeldMemory({ ...ROOMY, connectionBytes: 10_000 });
  const [small, large, other] = streams(memory, ["a", "a", "b"]) as [Stage, Stage, Stage];
  other.push("video", "delta", 10, { bytes: 8_900 });
  const sink = new FakeSink(large.clock);
  large.join(sink);
  for (let i = 1; i <= 7; i++) large.push("video", "delta", i, { bytes: 1_000 });
  assert.deepEqual(gopSizes([small, large, other]), [1, 8, 2]);
  const held = large.stream.gop.frames;
  small.push("video", "delta", 10, { bytes: 1_000 });
  assert.deepEqual(gopSizes([small, large, other]), [2, 0, 2]);
  assert.ok(
    held.slice(0, -1).every(({ body }) => body.buffer.byteLength === 0),
    "freed at once",
  );
  assert.deepEqual(memory.dropped, { connection: 1, node: 0 });

  large.push("video", "delta", 8);
  large.stream.deliver();
  assert.equal(sink.items().length, 3 + 9, "those in step notice nothing");
  const joiner = new FakeSink(large.clock);
  large.join(joiner);
  assert.equal(joiner.byteCount, 0);
  const key = large.push("video", "key", 40);
  large.stream.deliver();
  assert.equal(joiner.serials()[3], key, "joiners start with the next key frame");
});

test("[MED133] a stream alone above the limit of its connection caches nothing until the next key frame", () => {
  const memory = new HeldMemory({ ...ROOMY, connectionBytes: 5_000 });
  const [at] = streams(memory, ["a"]) as [Stage];
  const steps: number[] = [];
  for (let i = 1; i <= 6; i++) {
    at.push("video", "delta", i, { bytes: 1_000 });
    steps.push(at.stream.gop.frames.length);
  }
  assert.deepEqual(steps, [2, 3, 4, 0, 0, 0]);
  at.push("video", "key", 40);
  assert.equal(at.stream.gop.frames.length, 1);
});

test("[MED134] the limit of the node counts every stream, also those whose publisher has gone, and encoded frames", () => {
  const memory = new HeldMemory({ ...ROOMY, nodeBytes: 200_000 });
  const all = streams(memory, ["a", "b", "c"], 50_000) as [Stage, Stage, Stage];
  all[2].stream.releaseConnection();
  assert.deepEqual([gopSizes(all), memory.bytes >= 150_000], [[1, 1, 1], true]);
  all[0].join(new FakeSink(all[0].clock), { form: testForm("one") });
  assert.deepEqual(gopSizes(all), [0, 1, 1], "a cohort's copy counts");
  assert.deepEqual(memory.dropped, { connection: 0, node: 1 });
  assert.ok(memory.bytes <= 200_000);
});

test("[MED134] what streams give back is counted as given back", () => {
  const memory = new HeldMemory(ROOMY);
  const [at] = streams(memory, ["a"]) as [Stage];
  const viewer = at.join(new FakeSink(at.clock));
  assert.ok(memory.bytes > 1_000 && viewer !== undefined);
  at.stream.unsubscribe(viewer);
  assert.equal(memory.bytes, 1_000 + at.stream.tracks.keptBytes);
  at.stream.startPublication("b");
  at.setUp();
  assert.equal(memory.bytes, at.stream.tracks.keptBytes);
  at.stream.forgetPublication();
  assert.equal(memory.bytes, 0);
  at.push("video", "config", 0);
  at.push("video", "key", 0);
  at.stream.close();
  assert.equal(memory.bytes, 0);
});

test("[MED135] set-up takes at most half of either limit, and cached GOPs make room for the rest", () => {
  for (const limits of [
    { ...ROOMY, connectionBytes: 4_000 },
    { ...ROOMY, nodeBytes: 4_000 },
  ]) {
    const memory = new HeldMemory(limits);
    const [first, second] = streams(memory, ["a", "a"], 500) as [Stage, Stage];
    first.push("video", "config", 0, { bytes: 1_500 });
    second.push("video", "config", 0, { bytes: 1_500 });
    assert.deepEqual([first.stream.ingest.beyondSetUp, second.stream.ingest.beyondSetUp], [0, 1]);
    for (let i = 1; i < 20; i++) second.push("video", "delta", i, { bytes: 500 });
    assert.ok(memory.bytes <= 4_000, `${memory.bytes}`);
    assert.ok(memory.dropped.connection + memory.dropped.node >= 1);
  }
});
