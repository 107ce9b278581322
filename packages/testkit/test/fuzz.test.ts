/** The fuzzer finds what it must, forgives what it may, and repeats itself from a seed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ShortReadError, WireError } from "@sluice/bytes/wire-error";
import { fuzz, runFuzz } from "@sluice/testkit/fuzz";
import { hex } from "@sluice/testkit/hex";
import { mutate } from "@sluice/testkit/mutate";
import { randomBelow, seededRandom } from "@sluice/testkit/random";

const SEEDS = [hex("46 4c 56 01 05 00 00 00 09")];
const OPTIONS = { seeds: SEEDS, allowed: [WireError], seconds: 0.2, seed: 7 };

test("a decoder that only throws what it may passes", async () => {
  const inputCount = await runFuzz(
    "fine",
    (bytes) => {
      if (bytes.length < 9) throw new ShortReadError({ offset: 0, wanted: 9, available: bytes.length });
    },
    OPTIONS,
  );
  assert.ok(inputCount > 100);
});

test("a decoder that throws something else is found, with the seed, the input and the command that repeats it", async () => {
  const broken = (bytes: Uint8Array): void => {
    if (bytes.length !== 9) throw new TypeError("undefined is not a function");
  };
  await assert.rejects(runFuzz("broken", broken, OPTIONS), (error: Error) => {
    assert.match(error.message, /TypeError: undefined is not a function/);
    assert.match(error.message, /FUZZ_SEED=7 npm run fuzz -- "broken"/);
    assert.ok(error.cause instanceof TypeError);
    return true;
  });
});

test("a decoder that answers with a rejected promise is found too", async () => {
  await assert.rejects(
    runFuzz("later", () => Promise.reject(new RangeError("no")), OPTIONS),
    /RangeError: no/,
  );
});

test("the same seed makes the same inputs", async () => {
  const inputsOf = async (seed: number): Promise<string[]> => {
    const inputs: string[] = [];
    await runFuzz("same", (bytes) => void (inputs.length < 50 && inputs.push(bytes.join())), { ...OPTIONS, seed });
    return inputs;
  };
  assert.deepEqual(await inputsOf(3), await inputsOf(3));
  assert.notDeepEqual(await inputsOf(3), await inputsOf(4));
});

test("mutations stay below the longest length and leave their seed alone", () => {
  const random = seededRandom(1);
  const before = SEEDS[0]?.join();
  for (let i = 0; i < 2_000; i++) assert.ok(mutate(SEEDS[0] as Uint8Array, SEEDS, random, 20).length <= 20);
  assert.equal(SEEDS[0]?.join(), before);
});

test("random numbers stay in range and differ", () => {
  const random = seededRandom(9);
  const seen = new Set(Array.from({ length: 1_000 }, () => randomBelow(random, 10)));
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

fuzz("testkit/fuzz itself", (bytes) => bytes.length, { seeds: SEEDS, allowed: [], seconds: 0.1 });
