/** What unfinished messages may take: by what the connection does, and of all connections together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { ChunkReader } from "@sluice/rtmp/chunk-reader";
import { RtmpLimitError } from "@sluice/rtmp/errors";
import type { RtmpLimits } from "@sluice/rtmp/limits";
import { PartialPools, type PartialRole } from "@sluice/rtmp/partial-pools";
import type { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import { acceptAll, createServer, join, limitsWith, takeAll } from "./ports.ts";
import { CONNECT, command, plainHandshake, readMessages } from "./raw-peer.ts";

const VIDEO = 9;
const COMMAND = 20;
const LIMITS = limitsWith({
  eagerBytes: 1_000,
  partialBytes: 1_000_000,
  idlePartialBytes: 50_000,
  partialTotalBytes: 2_000_000,
  idlePartialTotalBytes: 100_000,
});

/** A header that declares `length`, and `sent` bytes of it, in chunks of 64 KiB. */
function part(typeId: number, length: number, sent: number, csid = 6): Uint8Array {
  const bytes = new Uint8Array(12 + sent);
  bytes.set([csid, 0, 0, 0, length >> 16, length >> 8, length, typeId, 1]);
  return bytes;
}

function reader(role: PartialRole, pools = new PartialPools(LIMITS)): ChunkReader {
  const fresh = new ChunkReader({ limits: LIMITS, allocator: new SlabAllocator(), pools });
  fresh.setChunkSize(2 ** 16);
  fresh.setRole(role);
  return fresh;
}

function feed(to: ChunkReader, bytes: Uint8Array): number {
  to.offer(bytes);
  let count = 0;
  while (to.takeMessage() !== undefined) count++;
  return count;
}

const passes = (limit: keyof RtmpLimits) => (error: unknown) =>
  error instanceof RtmpLimitError && error.context.limit === limit;

test("[RLM100] media of who does not publish is read and not kept, whole or not; what follows is understood", () => {
  const idle = reader("idle");
  assert.equal(feed(idle, part(VIDEO, 60_000, 59_000)), 0);
  assert.equal(idle.reservedBytes, 0);
  assert.equal(feed(idle, join(new Uint8Array(1_000), part(COMMAND, 500, 500, 3))), 1);
});

test("[RLM101] one connection that does not publish reserves little, one that does enough for large frames", () => {
  for (const role of ["idle", "opening"] as const)
    assert.throws(() => feed(reader(role), part(COMMAND, 60_000, 55_000)), passes("idlePartialBytes"));
  const publishing = reader("publishing");
  assert.equal(feed(publishing, join(part(VIDEO, 60_000, 55_000), part(VIDEO, 60_000, 55_000, 7).subarray(0, 9))), 0);
  assert.ok(publishing.reservedBytes >= 55_000);
  assert.throws(() => publishing.setRole("idle"), passes("idlePartialBytes"));
});

test("[RLM102] all that do not publish share a total, of which a small message needs nothing; an end gives it back", () => {
  const pools = new PartialPools(LIMITS);
  const greedy = Array.from({ length: 3 }, () => reader("opening", pools));
  const hold = (index: number): number => feed(greedy[index] as ChunkReader, part(COMMAND, 48_000, 47_000));
  hold(0);
  hold(1);
  assert.throws(() => hold(2), passes("idlePartialTotalBytes"));
  assert.equal(feed(reader("opening", pools), part(COMMAND, 7_000, 7_000, 3)), 1);
  const publisher = reader("publishing", pools);
  assert.equal(feed(publisher, part(VIDEO, 60_000, 60_000)), 1, "publishers have a total of their own");
  greedy[0]?.release();
  assert.equal(feed(reader("opening", pools), part(COMMAND, 40_000, 40_000)), 1);
});

test("[RLM102] publishers share a total of their own, of which ordinary frames need nothing", () => {
  const limits = limitsWith({ partialTotalBytes: 1_000_000 });
  const pools = new PartialPools(limits);
  const open = (): ChunkReader => {
    const fresh = new ChunkReader({ limits, allocator: new SlabAllocator(), pools });
    fresh.setChunkSize(2 ** 23);
    return fresh;
  };
  const large = open();
  feed(large, part(VIDEO, 1_200_000, 1_100_000));
  assert.throws(() => feed(open(), part(VIDEO, 900_000, 800_000)), passes("partialTotalBytes"));
  assert.equal(feed(open(), part(VIDEO, 200_000, 200_000)), 1);
  assert.equal(feed(large, new Uint8Array(100_000)), 1);
  assert.equal(feed(open(), part(VIDEO, 900_000, 900_000)), 1);
});

/** Of a message of 60,000 bytes behind a chunk of 59,000. */
const REST = new Uint8Array(1_001).fill(0xc6, 0, 1);

function accept(server: RtmpServerEngine): void {
  for (const event of takeAll(server)) acceptAll(event, server);
}

function connected(): RtmpServerEngine {
  const server = createServer({ limits: limitsWith({ idlePartialBytes: 50_000 }) });
  server.receive(join(plainHandshake(), CONNECT));
  accept(server);
  server.receive(Uint8Array.from([2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0xe6, 0x78])); // chunks of 59,000 bytes
  return server;
}

test("[RLM103] a connection may hold large messages from its publish to the end of it", () => {
  const server = connected();
  server.receive(part(VIDEO, 60_000, 59_000));
  server.receive(REST);
  server.receive(command(1, "publish", 0, null, "cam"));
  accept(server);
  server.receive(part(VIDEO, 60_000, 59_000));
  server.receive(REST);
  assert.equal(takeAll(server).filter(({ type }) => type === "media").length, 1);
  server.receive(part(VIDEO, 60_000, 59_000));
  assert.throws(() => server.receive(command(1, "closeStream", 0, null)), passes("idlePartialBytes"));
});

test("[RLM105] what a transport holds of a message of its own counts as well, until it is whole", () => {
  const pools = new PartialPools(LIMITS);
  const idle = reader("idle", pools);
  for (const byteCount of [10_000, 30_000, 50_000]) idle.noteUnfinished(byteCount);
  assert.throws(() => idle.noteUnfinished(50_001), passes("idlePartialBytes"));
  assert.throws(() => feed(idle, part(COMMAND, 900, 100)), passes("idlePartialBytes"));
  const other = reader("idle", pools);
  other.noteUnfinished(50_000);
  assert.throws(() => reader("idle", pools).noteUnfinished(50_000), passes("idlePartialTotalBytes"));
  other.noteUnfinished(0);
  assert.equal(other.reservedBytes, 0);
  reader("idle", pools).noteUnfinished(50_000);
  reader("publishing", pools).noteUnfinished(900_000);
});

test("[RLM104] while its acknowledgements are held a peer gets none, and the one that is due when they are released", () => {
  const server = connected();
  server.receive(command(1, "publish", 0, null, "cam"));
  accept(server);
  server.nextOutput();
  const acknowledgements = (): number =>
    readMessages(server.nextOutput() ?? new Uint8Array(0)).filter(({ typeId }) => typeId === 3).length;
  server.holdAcknowledgements();
  for (let i = 0; i < 60; i++) server.receive(part(VIDEO, 59_000, 59_000));
  assert.equal(acknowledgements(), 0);
  server.releaseAcknowledgements();
  assert.equal(acknowledgements(), 1);
});
