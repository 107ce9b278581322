/** What waits for slow readers stays bounded, and whoever reads on ends with what stands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry, Key, WatchEvent } from "@sluice/engine/engine";
import { MessageQueue } from "@sluice/engine/message-queue";
import { WatchQueue } from "@sluice/engine/watch-queue";
import fc from "fast-check";

const put = (key: Key, number: number): WatchEvent => ({
  type: "put",
  entry: { key, value: Uint8Array.of(number & 255), revision: { generation: 1, number } },
});
const deleted = (key: Key, number: number): WatchEvent => ({
  type: "deleted",
  key,
  revision: { generation: 1, number },
});

test("[ENG24] a newer event takes the place of the older one, before current", () => {
  const queue = new WatchQueue();
  for (const event of [{ type: "reset" }, put("a", 1), put("b", 2), { type: "current" }, put("a", 3)] as const) {
    queue.offer(event);
  }
  assert.deepEqual(drain(queue), [{ type: "reset" }, put("a", 3), put("b", 2), { type: "current" }]);
});

test("[ENG26] an event that comes after stale ends it, also where neither was taken", () => {
  const queue = new WatchQueue();
  for (const event of [put("a", 1), { type: "stale" }, { type: "stale" }, put("a", 2)] as const) queue.offer(event);
  assert.deepEqual(drain(queue), [put("a", 2)]);
});

test("[ENG28] deletions that nobody asks for are counted, and one too many drops all", () => {
  const queue = new WatchQueue(3);
  for (let round = 0; round < 50; round++) {
    assert.equal(queue.offer(put("same", round * 2)), "queued");
    assert.equal(queue.offer(deleted("same", round * 2 + 1)), "queued");
  }
  assert.equal(queue.size, 1);
  assert.deepEqual(
    ["a", "b", "c"].map((key) => queue.offer(deleted(key, 200))),
    ["queued", "queued", "overflowed"],
  );
  assert.equal(queue.size, 0);
  assert.equal(queue.offer(deleted("d", 201)), "queued");
});

test("[ENG22, ENG28] a view read at any pace, with overflow answered by a reset, ends with what stands", () => {
  const step = fc.oneof(
    fc.record({ does: fc.constant("put" as const), key: fc.constantFrom("a", "b", "c", "d") }),
    fc.record({ does: fc.constant("delete" as const), key: fc.constantFrom("a", "b", "c", "d") }),
    fc.record({ does: fc.constantFrom("take" as const, "start over" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 0, max: 3 }), (steps, limit) => {
      const queue = new WatchQueue(limit);
      const standing = new Map<Key, number>();
      const view = new Map<Key, number>();
      const startOver = (): void => {
        queue.offer({ type: "reset" });
        for (const [key, number] of standing) queue.offer(put(key, number));
        queue.offer({ type: "current" });
      };
      startOver();
      steps.forEach((one, index) => {
        if (one.does === "take") follow(view, queue.take());
        else if (one.does === "start over") startOver();
        else if (one.does === "put") {
          standing.set(one.key, index);
          queue.offer(put(one.key, index));
        } else {
          const wasThere = one.does === "delete" && standing.delete(one.key);
          if (wasThere && queue.offer(deleted(one.key, index)) === "overflowed") startOver();
        }
        assert.ok(queue.size <= 4 + 2, "no more than one event per key and two marks");
      });
      for (const event of drain(queue)) follow(view, event);
      assert.deepEqual(view, standing);
    }),
  );
});

test("[ENG65] messages that nobody asks for are kept up to the limits, and the rest is dropped", () => {
  const byCount = new MessageQueue(2, 100);
  assert.deepEqual(
    [1, 2, 3].map((byte) => byCount.offer(Uint8Array.of(byte))),
    ["queued", "queued", "dropped"],
  );
  assert.deepEqual([byCount.take(), byCount.take(), byCount.take()], [Uint8Array.of(1), Uint8Array.of(2), undefined]);
  const byBytes = new MessageQueue(100, 10);
  assert.equal(byBytes.offer(new Uint8Array(8)), "queued");
  assert.equal(byBytes.offer(new Uint8Array(3)), "dropped");
  assert.equal(byBytes.take()?.length, 8);
  assert.equal(byBytes.offer(new Uint8Array(3)), "queued");
});

function follow(view: Map<Key, number>, event: WatchEvent | undefined): void {
  if (event?.type === "reset") view.clear();
  if (event?.type === "put") view.set(event.entry.key, (event.entry satisfies Entry).revision.number);
  if (event?.type === "deleted") view.delete(event.key);
}

function drain(queue: WatchQueue): WatchEvent[] {
  const events: WatchEvent[] = [];
  for (let event = queue.take(); event !== undefined; event = queue.take()) events.push(event);
  return events;
}
