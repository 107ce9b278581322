/** Frames that come stamped from another node, and those that are passed on to one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { type Frame, type FrameKind, type FrameRole, type PublicationId, type Timestamp } from "@sluice/media/frame";
import type { Tap } from "@sluice/media/tap";
import { assertTimeGoesOn, FakeSink, type Stage, stage } from "./fixture.ts";

const ONE = "00000000000000a1" as PublicationId;
const TWO = "00000000000000a2" as PublicationId;

/** Stamps units as another node would. */
class Stamps {
  readonly #at: Stage;
  readonly #publication: PublicationId;
  #sequence = 0;

  constructor(at: Stage, publication = ONE) {
    this.#at = at;
    this.#publication = publication;
  }

  make(kind: FrameKind, role: FrameRole, dts: number, trackId = 0): Frame {
    const unit = this.#at.units.make(kind, role, dts, { trackId });
    return { ...unit, dts: dts as Timestamp, publication: this.#publication, sequence: this.#sequence++ };
  }

  take(...of: Parameters<Stamps["make"]>): Frame {
    const frame = this.make(...of);
    this.#at.stream.take(frame);
    this.#at.stream.deliver();
    return frame;
  }

  setUp(dts = 0): void {
    this.take("data", "metadata", dts);
    this.take("video", "config", dts);
    this.take("audio", "config", dts);
  }
}

class Recorder implements Tap {
  readonly frames: Frame[] = [];
  readonly notices: string[] = [];
  deliveries = 0;

  take(frame: Frame): void {
    this.frames.push(frame);
  }

  deliver(): void {
    this.deliveries++;
  }

  notify(notice: "published" | "unpublished"): void {
    this.notices.push(notice);
  }

  end(reason: string): void {
    this.notices.push(reason);
  }
}

function watched(): { readonly at: Stage; readonly seen: () => readonly string[]; readonly sink: FakeSink } {
  const at = stage();
  const sink = new FakeSink(at.clock);
  at.join(sink);
  const seen = (): readonly string[] => sink.items().map(({ kind, role, dts }) => `${kind} ${role} ${dts}`);
  return { at, seen, sink };
}

describe("taking", () => {
  test("[RLY50] what was taken before is dropped, whatever comes again", () => {
    const { at, seen } = watched();
    const stamps = new Stamps(at);
    stamps.setUp();
    const gop = [stamps.take("video", "key", 0), stamps.take("video", "delta", 40)];
    const before = seen();
    for (const frame of gop) at.stream.take(frame);
    at.stream.deliver();
    assert.deepEqual(seen(), before);
    stamps.take("video", "delta", 80);
    assert.equal(seen().at(-1), "video delta 80");
  });

  test("[RLY51] behind a hole each video track waits for a key frame; sound goes on", () => {
    const { at, seen } = watched();
    const stamps = new Stamps(at);
    stamps.setUp();
    stamps.take("video", "key", 0);
    stamps.make("video", "delta", 40); // lost
    stamps.take("audio", "delta", 60);
    stamps.take("video", "delta", 80);
    stamps.take("video", "key", 120);
    stamps.take("video", "delta", 160);
    assert.deepEqual(seen().slice(3), ["video key 0", "audio delta 60", "video key 120", "video delta 160"]);
  });

  test("[RLY51] a publication that has no key frames is shown all the same after a while", () => {
    const { at, seen } = watched();
    const stamps = new Stamps(at);
    stamps.setUp();
    stamps.take("audio", "delta", 0);
    stamps.make("video", "delta", 0);
    for (let i = 1; i <= 700; i++) stamps.take("video", "delta", i * 40);
    assert.equal(seen().at(-1), "video delta 28000");
  });

  test("[RLY52] another publication begins with a key frame of its own, and what was kept of the last is forgotten", () => {
    const { at, seen } = watched();
    const one = new Stamps(at, ONE);
    one.setUp();
    one.take("video", "key", 0);
    const two = new Stamps(at, TWO);
    two.setUp(1_000);
    two.make("video", "key", 1_000); // lost
    two.take("video", "delta", 1_040);
    assert.equal(at.stream.publication, TWO);
    assert.equal(at.stream.gop.frames.length, 0);
    two.take("video", "key", 1_080);
    assert.deepEqual(seen().slice(-1), ["video key 1080"]);
    assert.equal(seen().includes("video delta 1040"), false);
  });

  test("[RLY53] time never goes back on a track; a publication far behind goes on where the last one stood", () => {
    const { at, sink, seen } = watched();
    const one = new Stamps(at, ONE);
    one.setUp();
    one.take("video", "key", 100_000);
    one.take("audio", "delta", 100_020);
    at.clock.advance(2_000);
    const two = new Stamps(at, TWO);
    two.setUp();
    two.take("video", "key", 0);
    two.take("audio", "delta", 20);
    two.take("video", "delta", 40);
    assertTimeGoesOn(sink.items());
    assert.deepEqual(seen().slice(-3), ["video key 102020", "audio delta 102040", "video delta 102060"]);
  });

  test("[RLY53] a publisher of this node goes on where frames of another stood", () => {
    const { at, sink, seen } = watched();
    const stamps = new Stamps(at);
    stamps.setUp();
    stamps.take("video", "key", 50_000);
    at.clock.advance(1_000);
    at.stream.startPublication();
    at.setUp();
    at.push("video", "key", 0);
    at.stream.deliver();
    assertTimeGoesOn(sink.items());
    assert.equal(seen().at(-1), "video key 51000");
  });
});

describe("passing on", () => {
  /** Takes what a tap of one stream was given. */
  const mirrored = (recorder: Recorder): { readonly at: Stage; readonly sink: FakeSink } => {
    const { at, sink } = watched();
    for (const frame of recorder.frames) at.stream.take(frame);
    at.stream.deliver();
    return { at, sink };
  };

  test("[RLY54] a tap is given set-up, metadata and the cached GOP at once, then each frame as it was stamped; it is no viewer", () => {
    const at = stage();
    at.setUp();
    at.push("video", "key", 0);
    at.push("video", "key", 40);
    at.push("audio", "delta", 50);
    const recorder = new Recorder();
    const tap = at.stream.openTap(recorder);
    const words = (): readonly string[] => recorder.frames.map(({ kind, role }) => `${kind} ${role}`);
    assert.deepEqual(words(), ["data metadata", "video config", "audio config", "video key", "audio delta"]);
    assert.equal(at.stream.subscriberCount, 0);
    at.push("video", "delta", 80);
    at.stream.deliver();
    assert.equal(recorder.frames.at(-1)?.sequence, 6);
    assert.equal(recorder.deliveries, 2);
    at.stream.notify("unpublished");
    at.stream.endSubscribers("server-stopping");
    assert.deepEqual(recorder.notices, ["unpublished", "server-stopping"]);
    tap[Symbol.dispose]();
    at.push("video", "delta", 120);
    assert.equal(recorder.frames.length, 6);
  });

  test("[RLY54] what a joiner is given first is in the order in which it came, so that nothing new counts as seen", () => {
    const at = stage();
    at.push("audio", "config", 0);
    at.push("video", "config", 0);
    at.push("video", "key", 0);
    at.push("audio", "config", 20);
    at.push("data", "metadata", 20);
    at.push("video", "key", 40);
    const recorder = new Recorder();
    at.stream.openTap(recorder);
    const sequences = recorder.frames.map(({ sequence }) => sequence);
    assert.deepEqual(
      sequences,
      sequences.toSorted((a, b) => a - b),
    );
    const { at: mirror } = mirrored(recorder);
    const kept = ({ stream }: Stage): readonly number[] => stream.tracks.prelude().map(({ sequence }) => sequence);
    assert.deepEqual(kept(mirror), kept(at));
  });

  test("[RLY55] viewers of a stream that takes what another passes on see the same, set-up of a track that was silent included", () => {
    const at = stage();
    const sink = new FakeSink(at.clock);
    at.join(sink);
    const recorder = new Recorder();
    at.stream.openTap(recorder);
    at.setUp();
    for (let i = 0; i < 500; i++) {
      at.clock.advance(40);
      at.push("video", i % 10 === 0 ? "key" : "delta", i * 40);
      if (i < 10 || i > 400) at.push("audio", "delta", i * 40 + 10);
      at.stream.deliver();
    }
    const { sink: other } = mirrored(recorder);
    assert.deepEqual(other.items(), sink.items());
  });

  test("[RLY56] metadata that the publisher clears is cleared in what takes its frames, and nothing else happens there", () => {
    const at = stage();
    const recorder = new Recorder();
    at.stream.openTap(recorder);
    at.setUp();
    at.push("video", "key", 0);
    at.stream.clearMetadata();
    at.push("video", "delta", 40);
    const { at: mirror, sink } = mirrored(recorder);
    assert.deepEqual(
      mirror.stream.tracks.prelude().map(({ kind }) => kind),
      ["video", "audio"],
    );
    assert.equal(sink.items().filter(({ role }) => role === "metadata").length, 1);
    assert.equal(sink.items().at(-1)?.dts, 40);
  });
});

test("[RLY17] while frames are passed on to another node none is held back for a window, whatever viewers there are", () => {
  const at = stage();
  at.window.prompt = 300 as Millis;
  at.setUp();
  at.push("video", "key", 0);
  at.join(new FakeSink(at.clock));
  assert.ok(at.stream.flushes.holdTime > 0);
  const tap = at.stream.openTap(new Recorder());
  assert.equal(at.stream.flushes.holdTime, 0);
  tap[Symbol.dispose]();
  tap[Symbol.dispose]();
  assert.ok(at.stream.flushes.holdTime > 0);
});
