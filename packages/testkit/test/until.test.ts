/** Waiting ends with the value found, or with an error that names what was missing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@sluice/testkit/until";

test("waiting asks until something is found, and answers it", async () => {
  const answers = [undefined, false, Promise.resolve(undefined), Promise.resolve(0), 1] as const;
  let asked = 0;
  assert.equal(await until("a number", () => answers[asked++]), 0);
  assert.equal(asked, 4);
});

test("a timeout names what was missing; an error of `find` ends the wait", async () => {
  await assert.rejects(
    until("the moon", () => false, 0),
    /ms for the moon/,
  );
  const broken = (): undefined => {
    throw new RangeError("no such thing");
  };
  await assert.rejects(until("the moon", broken), RangeError);
});
