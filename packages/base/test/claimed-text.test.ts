/** What is kept of a peer's words about itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { cutText } from "@sluice/base/claimed-text";
import fc from "fast-check";

test("[BAS210] a text is cut at its limit, never inside a code point", () => {
  for (const [text, maximum, kept] of [
    ["plain", 5, "plain"],
    ["plain", 4, "plai"],
    ["a😀b", 2, "a"],
    ["a😀b", 3, "a😀"],
    ["😀", 1, ""],
    ["\ufeffmark", 3, "\ufeffma"],
    ["", 0, ""],
  ] as const)
    assert.equal(cutText(text, maximum), kept, `${text} at ${maximum}`);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (text, maximum) => {
      const cut = cutText(text, maximum);
      assert.ok(text.startsWith(cut) && cut.isWellFormed());
      assert.ok(cut.length === text.length || cut.length === maximum || cut.length === maximum - 1);
    }),
  );
});

test("[BAS210] a cut text does not keep the long one in memory", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const longCharacters = 200_000;
  const count = 200;
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: count }, (_, i) => cutText(`${i}`.padEnd(longCharacters, "x"), 256));
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.equal(kept.length, count);
  assert.ok(grown < (count * longCharacters) / 4, `${grown} bytes are kept`);
});
