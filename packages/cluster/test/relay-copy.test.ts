/** What a copy drops when its link is slower than the stream. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { Copy } from "@sluice/cluster/relay/copy";
import { decodeFrame, FRAME_MESSAGE, FrameEncoder } from "@sluice/cluster/relay/frame-form";
import { RELAY_LIMITS, RELAY_TIMINGS } from "@sluice/cluster/relay/limits";
import type { Frame, FrameKind, FrameRole, Timestamp, PublicationId } from "@sluice/media/frame";
import type { LiveStream } from "@sluice/media/live-stream";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Tap } from "@sluice/media/tap";
import { Channel } from "@sluice/mesh/channel";
import type { ChannelId } from "@sluice/mesh/frame";
import { DEFAULT_LINK_LIMITS } from "@sluice/mesh/limits";
import type { MeshLink } from "@sluice/mesh/mesh";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { unit } from "./relay-world.ts";

const PUBLICATION = "00000000000000aa" as PublicationId;
const MIB = 1024 * 1024;

/** A copy whose link takes bytes only when the test says so. */
function slowCopy({ gop = [], linkBytes = 0 }: { gop?: readonly Frame[]; linkBytes?: number } = {}) {
  const clock = new FakeClock();
  const channel = new Channel({
    id: 1 as ChannelId,
    service: "stream",
    class: "media",
    limits: DEFAULT_LINK_LIMITS,
    credit: "automatic",
    ready() {},
    full() {},
  });
  channel.addCredit(2 ** 40);
  const copy = new Copy({
    ...{ key: "live/cam" as StreamKey, channel, link: { peer: { id: "b" } } as MeshLink, waiting: ["b"] },
    encoder: new FrameEncoder(),
    linkBytes: () => linkBytes,
    isLeaving: () => false,
    clock,
  });
  const stream: Pick<LiveStream, "openTap"> = {
    openTap(tap: Tap) {
      for (const one of gop) tap.take(one);
      return { [Symbol.dispose]() {} };
    },
  };
  copy.start(stream as LiveStream, { publication: PUBLICATION, path: ["a"] });
  const sent = (): Frame[] => {
    const frames: Frame[] = [];
    for (let part = channel.takePart(64 * MIB); part !== undefined; part = channel.takePart(64 * MIB))
      if (part !== "close" && part.bytes[0] === FRAME_MESSAGE) frames.push(decodeFrame(part.bytes));
    return frames;
  };
  return { clock, copy, sent };
}

let sequence = 0;
function frame(kind: FrameKind, role: FrameRole, bytes = 0, trackId = 0): Frame {
  const number = sequence++;
  const dts = (number * 20) as Timestamp;
  return {
    ...unit({ kind, role, number, publication: 1, bytes }, dts),
    ...{ trackId, dts, publication: PUBLICATION, sequence: number },
  };
}

const words = (frames: readonly Frame[]): readonly string[] => frames.map(({ kind, role }) => `${kind} ${role}`);

test("[RLY12] video is dropped first and comes back with a key frame, audio goes on", () => {
  const { copy, sent } = slowCopy();
  copy.take(frame("video", "key", RELAY_LIMITS.videoLagBytes));
  copy.take(frame("video", "delta"));
  copy.take(frame("audio", "delta"));
  copy.take(frame("video", "key"));
  assert.deepEqual(words(sent()), ["video key", "audio delta"]);
  copy.take(frame("video", "delta"));
  copy.take(frame("audio", "delta"));
  copy.take(frame("video", "key"));
  copy.take(frame("video", "delta"));
  assert.deepEqual(words(sent()), ["audio delta", "video key", "video delta"]);
  assert.equal(copy.counts.droppedVideo, 3);
  assert.equal(copy.counts.droppedAudio, 0);
});

test("[RLY12] a frame that has waited too long has the same effect as too many bytes", () => {
  const { clock, copy, sent } = slowCopy();
  copy.take(frame("video", "key"));
  clock.advance(RELAY_TIMINGS.videoLag + 1);
  copy.take(frame("video", "delta"));
  copy.take(frame("audio", "delta"));
  assert.equal(copy.lag, RELAY_TIMINGS.videoLag + 1);
  clock.advance(RELAY_TIMINGS.audioLag - RELAY_TIMINGS.videoLag);
  copy.take(frame("audio", "delta"));
  copy.take(frame("data", "side"));
  assert.deepEqual(words(sent()), ["video key", "audio delta"]);
  const { droppedAudio, droppedMessages, droppedVideo } = copy.counts;
  assert.deepEqual([droppedVideo, droppedAudio, droppedMessages], [1, 1, 1]);
  assert.equal(copy.lag, 0 as Millis);
});

test("[RLY12] each video track waits for a key frame of its own", () => {
  const { copy, sent } = slowCopy();
  copy.take(frame("video", "key", RELAY_LIMITS.videoLagBytes));
  copy.take(frame("video", "delta", 0, 0));
  copy.take(frame("video", "delta", 0, 1));
  sent();
  copy.take(frame("video", "key", 0, 1));
  copy.take(frame("video", "delta", 0, 0));
  copy.take(frame("video", "delta", 0, 1));
  assert.deepEqual(
    sent().map(({ trackId }) => trackId),
    [1, 1],
  );
});

test("[RLY13] set-up and metadata are never dropped", () => {
  const { copy, sent } = slowCopy();
  copy.take(frame("video", "key", RELAY_LIMITS.audioLagBytes));
  copy.take(frame("video", "config"));
  copy.take(frame("data", "metadata"));
  copy.take(frame("audio", "config"));
  assert.deepEqual(words(sent()), ["video key", "video config", "data metadata", "audio config"]);
});

test("[RLY13] the cached GOP that a node starts with is sent whole, and counts against no limit", () => {
  const gop = [frame("video", "key", RELAY_LIMITS.audioLagBytes), frame("video", "delta", RELAY_LIMITS.audioLagBytes)];
  const { copy, sent } = slowCopy({ gop });
  copy.take(frame("video", "delta"));
  copy.take(frame("video", "delta", RELAY_LIMITS.videoLagBytes));
  copy.take(frame("video", "delta"));
  assert.equal(sent().length, 4);
  assert.equal(copy.counts.droppedVideo, 1);
});

test("[RLY14] what all streams of a link have queued has a limit: above it each of them drops video", () => {
  const { copy, sent } = slowCopy({ linkBytes: RELAY_LIMITS.linkLagBytes + 1 });
  copy.take(frame("video", "key"));
  copy.take(frame("audio", "delta"));
  assert.deepEqual(words(sent()), ["audio delta"]);
});
