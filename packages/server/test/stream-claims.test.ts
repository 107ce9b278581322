/** Which streams a node tells its cluster of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import type { HomeClaim } from "@sluice/cluster/directory/home-claim";
import type { Publication, StreamDirectory } from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";
import { StreamClaims } from "../src/streams/stream-claims.ts";
import { World } from "./sessions-world.ts";

const CAM = "live/cam" as StreamKey;
const GRACE = 10_000 as Millis;

function published(streams: StreamDirectory, key: StreamKey): Publication {
  const facts = { sessionId: "", protocol: "test", address: "", agent: "" };
  const holder = { replaced() {}, confirm: () => Promise.resolve() };
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
    isShared: (key) => key.startsWith("live/"),
    log: SILENT_LOG,
  });
  streams.follow({ has: () => false, want() {}, unwant() {}, publisherChanged: (key) => claims.update(key) });
  published(streams, CAM);
  published(streams, "own/cam" as StreamKey);
  claims.open({
    claimStream(key, { publication, publisherAt }) {
      said.push(`${publisherAt} claims ${key}`);
      const release = (): void => void said.push(`releases ${key}`);
      return { wish: { fields: { publication } }, release } as HomeClaim;
    },
  });
  assert.deepEqual(said, ["a claims live/cam"]);
  const second = published(streams, CAM);
  second.end("lost");
  assert.equal(said.length, 2, "kept within the grace window");
  clock.advance(GRACE);
  assert.deepEqual(said, ["a claims live/cam", "a claims live/cam", "releases live/cam"]);
});
