/** Which streams a node tells its cluster of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import type { ClaimState, HomeClaim } from "@sluice/cluster/directory/home-claim";
import type { Publication, StreamDirectory } from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";
import { StreamClaims } from "../src/streams/stream-claims.ts";
import { World } from "./sessions-world.ts";

const CAM = "live/cam" as StreamKey;
const GRACE = 10_000 as Millis;
const BY = { home: "b", incarnation: 1, publication: "00000000000000bb", publisherAt: "b" };

function published(
  streams: StreamDirectory,
  key: StreamKey,
  replaced = (): void => {},
  confirm = (): Promise<void> => Promise.resolve(),
): Publication {
  const facts = { sessionId: "", protocol: "test", address: "", agent: "" };
  const holder = { replaced, confirm };
  const answer = streams.publish(key, { whenTaken: "replace", grace: GRACE }, facts, holder);
  assert.ok(answer.answer === "accepted");
  return answer.publication;
}

test("[RLY60] what a node publishes is claimed until its grace window is over, anew for each publication; local applications are not", () => {
  const { streams, clock } = new World();
  const said: string[] = [];
  const claims = new StreamClaims({
    self: "a",
    streams,
    clock,
    graceOf: () => GRACE,
    isShared: (key) => key.startsWith("live/"),
    askHolder: () => Promise.resolve("free"),
    log: SILENT_LOG,
  });
  streams.follow({
    has: () => false,
    want() {},
    unwant() {},
    askHolder: () => Promise.resolve("free"),
    publisherChanged: (key) => claims.update(key),
  });
  published(streams, CAM);
  published(streams, "own/cam" as StreamKey);
  claims.open({
    claimStream(key, { publication, publisherAt }) {
      said.push(`${publisherAt} claims ${key}`);
      const release = (): void => void said.push(`releases ${key}`);
      return { wish: { fields: { publication } }, release, onChange() {} } as unknown as HomeClaim;
    },
  });
  assert.deepEqual(said, ["a claims live/cam"]);
  const second = published(streams, CAM);
  second.end("lost");
  assert.equal(said.length, 2, "kept within the grace window");
  clock.advance(GRACE);
  assert.deepEqual(said, ["a claims live/cam", "a claims live/cam", "releases live/cam"]);
});

test("[RLY61] a stream that another living node has is given up, and its viewers are kept; a node that only died is waited for", async () => {
  const { streams, clock } = new World();
  const replaced: string[] = [];
  let answer: "free" | "taken" = "free"; // as where it cannot be asked
  const claims = new StreamClaims({
    ...{ self: "a", streams, clock, isShared: () => true, graceOf: () => GRACE, log: SILENT_LOG },
    askHolder: () => Promise.resolve(answer),
  });
  streams.follow({
    has: () => false,
    want() {},
    unwant() {},
    askHolder: () => Promise.resolve("free"),
    publisherChanged: (key) => claims.update(key),
  });
  const told: ((state: ClaimState) => void)[] = [];
  const taken = { at: "claiming", why: "taken", by: BY } as const;
  claims.open({
    claimStream: (_key, { publication }) =>
      ({
        wish: { fields: { publication } },
        state: taken,
        release() {},
        onChange: (listener: (state: ClaimState) => void) => told.push(listener),
      }) as unknown as HomeClaim,
  });
  const publish = (): void => void published(streams, CAM, () => replaced.push(CAM));
  publish();
  told.at(-1)?.(taken);
  clock.advance(3_000);
  told.at(-1)?.({ at: "confirmed", epoch: { generation: 1, number: 2 }, since: "claimed" });
  clock.advance(60_000);
  assert.deepEqual(replaced, []);
  told.at(-1)?.(taken);
  clock.advance(7_000);
  assert.deepEqual(replaced, [CAM]);
  assert.equal(streams.ownState(CAM), undefined);
  assert.equal(streams.findEntry(CAM)?.state, "grace");
  publish();
  told.at(-1)?.({ at: "lost", to: BY });
  assert.deepEqual(replaced, [CAM, CAM]);
  publish();
  answer = "taken";
  told.at(-1)?.(taken);
  await Promise.resolve();
  assert.deepEqual(replaced, [CAM, CAM, CAM], "of two that began at once, at once");
});

test("[RLY62] another node that asks for a stream is refused while the publisher here gives a sign of life, and has it otherwise", async () => {
  const { streams } = new World();
  const signs = { isAlive: true };
  const publication = published(
    streams,
    CAM,
    () => {},
    () => {
      if (!signs.isAlive) publication.end("lost");
      return Promise.resolve();
    },
  );
  const policy = { whenTaken: "refuse", grace: GRACE } as const;
  assert.equal(await streams.yieldTo("b", CAM, policy), false);
  assert.equal(streams.ownState(CAM), "live");
  assert.equal(await streams.yieldTo("b", "live/other" as StreamKey, policy), true);
  signs.isAlive = false;
  assert.equal(await streams.yieldTo("b", CAM, policy), true);
  assert.equal(streams.ownState(CAM), undefined);
  assert.equal(streams.findEntry(CAM)?.publisherAt, "b");
});
