/** Requests on a channel: answers, failures, deadlines, cancelling, and the end of the channel. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { LinkFrameError } from "@sluice/mesh/errors";
import { RequestFailedError, Requests, type Serve } from "@sluice/mesh/requests";
import { FakeClock, settle } from "@sluice/testkit/fake-clock";
import { eventsOf, linkPair } from "./link-fixture.ts";

const TIMEOUT = { timeout: 1_000 as Millis };

/** `a` asks, `b` serves. */
function asking(serve: Serve, requests = 10) {
  const clock = new FakeClock();
  const pair = linkPair();
  pair.pump();
  const channel = pair.a.openChannel("calls", { class: "state" });
  pair.pump();
  const other = eventsOf(pair.events.b, "opened")[0]?.channel;
  assert.ok(other !== undefined);
  const asker = new Requests(channel, { clock, requests, serve: () => Promise.reject(new Error("asked back")) });
  const server = new Requests(other, { clock, requests, serve });
  const seen = { a: 0, b: 0 };
  const deliver = (): void => {
    pair.pump();
    const [toA, toB] = [eventsOf(pair.events.a, "message"), eventsOf(pair.events.b, "message")];
    for (; seen.b < toB.length; seen.b++) server.receive(toB[seen.b]?.message as Uint8Array);
    for (; seen.a < toA.length; seen.a++) asker.receive(toA[seen.a]?.message as Uint8Array);
  };
  const run = async (): Promise<void> => {
    for (let i = 0; i < 4; i++) {
      deliver();
      await settle();
    }
  };
  return { clock, asker, server, run, channel };
}

const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "answered",
    (error: unknown) => (error instanceof RequestFailedError ? error.context.failure : String(error)),
  );

test("[MSH50] answers find their requests, also out of order", async () => {
  const open: (() => void)[] = [];
  const { asker, run } = asking((payload) => new Promise((resolve) => open.unshift(() => resolve(payload))));
  const answers = [1, 2, 3].map((value) => asker.request(Uint8Array.of(value), TIMEOUT));
  await run();
  for (const answer of open) answer();
  await run();
  assert.deepEqual(await Promise.all(answers), [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
  assert.equal(asker.openCount, 0);
});

test("[MSH50] a failure tells its kind and its reason", async () => {
  const { asker, run } = asking((payload) =>
    Promise.reject(
      payload[0] === 1 ? new RequestFailedError({ failure: "refused", detail: "not the home" }) : new Error("broken"),
    ),
  );
  const [refused, failed] = [asker.request(Uint8Array.of(1), TIMEOUT), asker.request(Uint8Array.of(2), TIMEOUT)];
  const outcomes = Promise.allSettled([refused, failed]);
  await run();
  const texts = (await outcomes).map((outcome) => outcome.status === "rejected" && String(outcome.reason.message));
  assert.deepEqual(texts, [
    "Cannot complete request: refused, not the home",
    "Cannot complete request: failed, broken",
  ]);
});

test("[MSH50, MSH51] a deadline fails the request and is heard on the other side", async () => {
  const reasons: unknown[] = [];
  const { asker, run, clock } = asking((_payload, signal) => {
    signal.addEventListener("abort", () => reasons.push((signal.reason as RequestFailedError).context.failure));
    return new Promise(() => {});
  });
  const failure = failureOf(asker.request(Uint8Array.of(1), TIMEOUT));
  await run();
  clock.advance(1_000);
  await run();
  assert.equal(await failure, "late");
  assert.equal(reasons.length, 1);
});

test("[MSH51] cancelling reaches the other side, and a late answer is passed over", async () => {
  let answer: (() => void) | undefined;
  let isAborted = false;
  const { asker, run } = asking((payload, signal) => {
    signal.addEventListener("abort", () => {
      isAborted = true;
    });
    return new Promise((resolve) => {
      answer = () => resolve(payload);
    });
  });
  const controller = new AbortController();
  const failure = failureOf(asker.request(Uint8Array.of(1), { ...TIMEOUT, signal: controller.signal }));
  await run();
  controller.abort();
  await run();
  assert.equal(await failure, "cancelled");
  assert.ok(isAborted);
  answer?.();
  await run();
  assert.equal(asker.openCount, 0);
});

test("[MSH52] one request too many is refused here, and by the one who serves", async () => {
  const { asker, server, run, channel } = asking(() => new Promise(() => {}), 2);
  const open = [1, 2, 3].map((value) => failureOf(asker.request(Uint8Array.of(value), TIMEOUT)));
  await run();
  assert.equal(await open[2], "overloaded");
  const greedy = new Requests(channel, { clock: new FakeClock(), requests: 10, serve: () => new Promise(() => {}) });
  void failureOf(greedy.request(Uint8Array.of(9), TIMEOUT));
  const crowded = [10, 11].map((value) => failureOf(greedy.request(Uint8Array.of(value), TIMEOUT)));
  assert.equal(crowded.length, 2);
  // Ids 1 and 2 are being served already: the wire's rule, not the limit, is what a reused id breaks.
  assert.throws(() => server.receive(Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0)), LinkFrameError);
  const outcomes: number[][] = [];
  const refusing = new Requests({ ...channel, send: (m: Uint8Array) => (outcomes.push([...m]), "queued") } as never, {
    clock: new FakeClock(),
    requests: 1,
    serve: () => new Promise(() => {}),
  });
  refusing.receive(Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0));
  refusing.receive(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0, 0));
  assert.deepEqual(outcomes[0]?.slice(0, 6), [3, 0, 0, 0, 2, 2]);
});

test("[MSH53] the end of the channel leaves what is open with an unknown outcome", async () => {
  let reason: unknown;
  const { asker, server, run } = asking((_payload, signal) => {
    signal.addEventListener("abort", () => {
      reason = (signal.reason as RequestFailedError).context.failure;
    });
    return new Promise(() => {});
  });
  const request = asker.request(Uint8Array.of(1), TIMEOUT);
  const failure = failureOf(request);
  await run();
  asker.end();
  server.end();
  assert.equal(await failure, "lost");
  assert.equal(reason, "lost");
  await assert.rejects(request, (error: RequestFailedError) => error.isOutcomeUnknown);
});
