/** The heap gives back what was put in, in the order in which it is due. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DueHeap } from "@sluice/testkit/due-heap";
import fc from "fast-check";

test("takes what is due first, and of the same moment what was put in first, whatever comes between", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(8), fc.constant("take" as const)), { maxLength: 60 }), (steps) => {
      const heap = new DueHeap<{ readonly at: number; readonly order: number }>();
      const model: { readonly at: number; readonly order: number }[] = [];
      for (const [order, step] of steps.entries()) {
        if (step === "take") {
          model.sort((a, b) => a.at - b.at || a.order - b.order);
          assert.equal(heap.first(), model[0]);
          assert.equal(heap.takeFirst(), model.shift());
        } else {
          const item = { at: step, order };
          heap.put(item);
          model.push(item);
        }
      }
    }),
  );
});
