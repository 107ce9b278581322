/** Lifetimes nest: releases in reverse, signals passed down, nothing left behind. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { aborted, Scope } from "@sluice/base/scope";

test("[BAS1] releases in reverse order, each awaited before the next", async () => {
  const released: string[] = [];
  {
    await using scope = new Scope();
    scope.defer(() => void released.push("first"));
    scope.use({ [Symbol.dispose]: () => void released.push("second") });
    scope.use({
      async [Symbol.asyncDispose]() {
        await new Promise((resolve) => setImmediate(resolve));
        released.push("third");
      },
    });
  }
  assert.deepEqual(released, ["third", "second", "first"]);
});

test("[BAS1] releases everything when the body throws and when a release throws", async () => {
  const released: string[] = [];
  const run = async (): Promise<void> => {
    await using scope = new Scope();
    scope.defer(() => void released.push("kept going"));
    scope.defer(() => {
      throw new Error("release failed");
    });
    throw new Error("body failed");
  };
  await assert.rejects(run(), (error: unknown) => {
    assert.ok(error instanceof SuppressedError);
    return true;
  });
  assert.deepEqual(released, ["kept going"]);
});

test("[BAS1] ending twice releases once", async () => {
  let count = 0;
  const scope = new Scope();
  scope.defer(() => void count++);
  await scope[Symbol.asyncDispose]();
  await scope[Symbol.asyncDispose]();
  assert.equal(count, 1);
});

test("[BAS2] the signal aborts with the parent's reason, also when the parent was aborted before", () => {
  const parent = new AbortController();
  const scope = new Scope(parent.signal);
  assert.equal(scope.signal.aborted, false);
  const reason = new Error("stop");
  parent.abort(reason);
  assert.equal(scope.signal.reason, reason);
  assert.equal(new Scope(parent.signal).signal.reason, reason);
});

test("[BAS2] the signal aborts before anything is released", async () => {
  const scope = new Scope();
  let wasAborted = false;
  scope.defer(() => {
    wasAborted = scope.signal.aborted;
  });
  await scope[Symbol.asyncDispose]();
  assert.equal(wasAborted, true);
});

test("[BAS3] a scope that ended is forgotten by its parent", async () => {
  const parent = new AbortController();
  for (let i = 0; i < 3; i++) await new Scope(parent.signal)[Symbol.asyncDispose]();
  assert.equal(getEventListeners(parent.signal, "abort").length, 0);
});

test("aborted resolves at once or when it happens", async () => {
  await aborted(AbortSignal.abort());
  const controller = new AbortController();
  const waiting = aborted(controller.signal);
  controller.abort();
  await waiting;
});
