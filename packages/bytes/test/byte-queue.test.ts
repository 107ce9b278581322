/** The queue against the plainest model there is: one array of numbers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { ByteQueue } from "@sluice/bytes/byte-queue";
import { hex } from "@sluice/testkit/hex";
import fc from "fast-check";

interface Model {
  bytes: number[];
}

type Command = fc.Command<Model, ByteQueue>;

class Offer implements Command {
  readonly #piece: Uint8Array;
  constructor(piece: Uint8Array) {
    this.#piece = piece;
  }
  check = (): boolean => true;
  run(model: Model, queue: ByteQueue): void {
    queue.offer(this.#piece);
    model.bytes.push(...this.#piece);
    assert.equal(queue.length, model.bytes.length);
  }
  toString = (): string => `offer(${this.#piece.length})`;
}

class Take implements Command {
  readonly #count: number;
  readonly #how: "take" | "peek" | "skip";
  constructor(how: "take" | "peek" | "skip", count: number) {
    this.#how = how;
    this.#count = count;
  }
  check = (): boolean => true;
  run(model: Model, queue: ByteQueue): void {
    const count = this.#count;
    const isThere = count <= model.bytes.length;
    const front = model.bytes.slice(0, count);
    if (this.#how === "skip") assert.equal(queue.skip(count), front.length);
    else {
      const bytes = queue[this.#how](count);
      assert.deepEqual(bytes === undefined ? undefined : [...bytes], isThere ? front : undefined);
    }
    if (this.#how === "skip" || (this.#how === "take" && isThere)) model.bytes.splice(0, count);
    assert.equal(queue.length, model.bytes.length);
    assert.equal(queue.peekU8(), model.bytes[0]);
    assert.equal(queue.peekU8(count), model.bytes[count]);
  }
  toString = (): string => `${this.#how}(${this.#count})`;
}

test("[BYT4] [BYT5] any order of offering, peeking, taking and skipping agrees with the model", () => {
  const commands = fc.commands(
    [
      fc.uint8Array({ maxLength: 12 }).map((piece) => new Offer(piece)),
      fc
        .tuple(fc.constantFrom("take", "peek", "skip"), fc.nat({ max: 30 }))
        .map(([how, count]) => new Take(how as "take" | "peek" | "skip", count)),
    ],
    { maxCommands: 200 },
  );
  const setup = (): { model: Model; real: ByteQueue } => ({ model: { bytes: [] }, real: new ByteQueue() });
  fc.assert(
    fc.property(commands, (run) => fc.modelRun(setup, run)),
    { numRuns: 300 },
  );
});

test("[BYT4] thousands of small pieces are swept away as they are taken", () => {
  const queue = new ByteQueue();
  for (let i = 0; i < 5_000; i++) queue.offer(new Uint8Array([i & 0xff]));
  for (let i = 0; i < 5_000; i++) assert.equal(queue.take(1)?.[0], i & 0xff);
  assert.equal(queue.length, 0);
});

test("[BYT6] a run inside one piece is a view, one across pieces a copy", () => {
  const piece = hex("01 02 03 04");
  const queue = new ByteQueue();
  queue.offer(piece);
  queue.offer(hex("05"));
  const inside = queue.take(3);
  const across = queue.take(2);
  piece.fill(0);
  assert.deepEqual([...(inside ?? [])], [0, 0, 0]);
  assert.deepEqual([...(across ?? [])], [4, 5]);
});

test("[BYT7] buffers from the allocator have the size asked for and never overlap", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(sizes, (byteCounts) => {
      const allocator = new SlabAllocator();
      const buffers = byteCounts.map((byteCount) => allocator.allocate(byteCount));
      for (const [i, buffer] of buffers.entries()) buffer.fill(i & 0xff);
      for (const [i, buffer] of buffers.entries()) {
        assert.equal(buffer.length, byteCounts[i]);
        assert.ok(buffer.every((byte) => byte === (i & 0xff)));
      }
    }),
    { numRuns: 30 },
  );
});
