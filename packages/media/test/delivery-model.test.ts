/** Random publishers, viewers and windows against a model that says what each viewer must receive. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serialDistance } from "@sluice/base/serial-number";
import type { Frame, FrameKind, PublicationId } from "@sluice/media/frame";
import type { GopLimits } from "@sluice/media/limits";
import type { Subscriber } from "@sluice/media/subscriber";
import type { WireForm } from "@sluice/media/wire-form";
import fc from "fast-check";
import { type Appetite, assertTimeGoesOn, FakeSink, type Item, ms, type Stage, stage, testForm } from "./fixture.ts";

const GOP: GopLimits = { maxFrames: 40, maxBytes: 2 ** 24, maxDuration: ms(2 ** 30) };
const LAG = { maxBytes: 40_000, maxAge: ms(6_000), stallTimeout: ms(15_000) };

/** One accepted frame, and what the model knows about joining at it. */
interface Known {
  readonly frame: Frame;
  readonly serial: number;
  readonly opens: boolean;
  /** Serials of the set-up in force. */
  readonly setUp: readonly { readonly serial: number; readonly kind: FrameKind }[];
}

/** The frames of the stream as they were accepted, and where a joiner would start now. */
class Model {
  readonly known: Known[] = [];
  /** Index into `known`. */
  gopStart: number | undefined;
  #hasVideo = false;
  #publication: PublicationId | undefined;
  #kept = new Map<string, { serial: number; kind: FrameKind; rank: number }>();

  /** Called for every frame and again for set-up that joiners hear. */
  see(frame: Frame): void {
    const last = this.known[this.known.length - 1]?.frame;
    if (
      last &&
      (frame.publication < last.publication ||
        (frame.publication === last.publication && frame.sequence <= last.sequence))
    )
      return;
    if (frame.publication !== this.#publication) this.newPublication(frame.publication);
    const serial = new DataView(frame.body.buffer).getUint32(0);
    if (frame.role === "config" || frame.role === "metadata") {
      const rank = { data: 0, video: 1, audio: 2 }[frame.kind];
      this.#kept.set(frame.kind, { serial, kind: frame.kind, rank });
    }
    const opens = this.#opens(frame);
    const setUp = [...this.#kept.values()].sort((a, b) => a.rank - b.rank);
    this.known.push({ frame, serial, opens, setUp });
    if (opens) this.gopStart = this.known.length - 1;
    else if (this.gopStart !== undefined && this.known.length - this.gopStart > GOP.maxFrames)
      this.gopStart = undefined;
  }

  newPublication(publication: PublicationId): void {
    this.#publication = publication;
    this.#kept = new Map();
    this.#hasVideo = false;
    this.gopStart = undefined;
  }

  #opens(frame: Frame): boolean {
    if (frame.kind === "video") {
      if (frame.role !== "config") this.#hasVideo = true;
      return frame.role === "key";
    }
    if (frame.kind !== "audio" || frame.role === "config" || this.#hasVideo) return false;
    const first = this.gopStart === undefined ? undefined : (this.known[this.gopStart] as Known).frame;
    return first === undefined || serialDistance(first.dts, frame.dts) >= 1_000;
  }
}

const FORMS: readonly { readonly form: WireForm; readonly mutes?: FrameKind; readonly hasOpening: boolean }[] = [
  { form: testForm("plain"), hasOpening: false },
  { form: testForm("flv", { hasOpening: true }), hasOpening: true },
  { form: testForm("no-video", { mutes: "video" }), mutes: "video", hasOpening: false },
  { form: testForm("flv-no-audio", { mutes: "audio", hasOpening: true }), mutes: "audio", hasOpening: true },
  { form: testForm("data-less", { mutes: "data" }), mutes: "data", hasOpening: false },
];

/** One viewer: `start` is where the model says its frames begin. */
class Viewer {
  readonly sink: FakeSink;
  readonly subscriber: Subscriber;
  readonly which: (typeof FORMS)[number];
  readonly #model: Model;
  readonly #joinedAt: number;
  readonly #cachedStart: number | undefined;

  constructor(
    at: Stage,
    model: Model,
    options: { form: number; appetite: Appetite; isPatient: boolean; startAt: "cached-gop" | "next-key" },
  ) {
    const { appetite, isPatient, startAt } = options;
    this.which = FORMS[options.form] as (typeof FORMS)[number];
    this.sink = new FakeSink(at.clock, appetite, 6_000, appetite === "eager" ? 9_000 : 30_000);
    this.#model = model;
    this.#joinedAt = model.known.length;
    this.#cachedStart = startAt === "cached-gop" ? model.gopStart : undefined;
    this.sink.notify = (notice) => this.#hear(notice);
    this.subscriber = at.join(this.sink, { form: this.which.form, isPatient, startAt }) as Subscriber;
  }

  /** By turns; and the end only when there is nothing left to get. */
  #hear(notice: "published" | "unpublished"): void {
    assert.notEqual(notice, this.sink.notices.at(-1));
    this.sink.notices.push(notice);
    if (notice === "unpublished") this.check(this.subscriber.state.at === "awaiting-key" ? "begun" : "whole");
  }

  get start(): number | undefined {
    if (this.#cachedStart !== undefined) return this.#cachedStart;
    const found = this.#model.known.findIndex((one, i) => i >= this.#joinedAt && one.opens);
    return found < 0 ? undefined : found;
  }

  /** @param state  `whole`: it must have everything up to the end of the stream */
  check(state: "whole" | "begun"): void {
    const items = this.sink.items();
    assertTimeGoesOn(items);
    assertDecodable(items);
    const openings = items.filter((item) => item.kind === "opening").length;
    const isStarted = this.start !== undefined;
    if (!isStarted) {
      assert.equal(items.length, 0, "got something before a key frame");
      return;
    }
    if (items.length > 0) assert.equal(openings, this.which.hasOpening ? 1 : 0);
    if (state === "whole" || items.length > 0) this.#follow(items.slice(openings), state);
    if (openings > 0) assert.equal(items[0]?.kind, "opening");
  }

  /** Every item is the next frame, or set-up before a frame that opens a GOP. */
  #follow(items: readonly Item[], state: "whole" | "begun"): void {
    const line = this.#model.known.flatMap((one, index) =>
      one.frame.kind === this.which.mutes ? [] : [{ ...one, index }],
    );
    const behind = (index: number): number => line.findIndex((one) => one.index >= index);
    let next = -1;
    for (let i = 0; i < items.length; ) {
      const item = items[i] as Item;
      const expected = line[next];
      if (expected !== undefined && expected.serial === item.serial && expected.frame.dts === item.dts) {
        next++;
        i++;
        continue;
      }
      const [start, count] = this.#startAfter(
        items,
        i,
        i === 0 ? this.start : undefined,
        next < 0 ? 0 : (line[next]?.index ?? this.#model.known.length),
      );
      i += count;
      next = behind(start);
      if (next < 0) next = line.length;
    }
    if (state === "whole") assert.equal(next, line.length, "lacks the end");
  }

  /**
   * Which GOP the set-up at `items[i]` belongs to, and how many items the set-up takes; of several that may be, the one
   * that explains most of what follows, the latest where nothing does.
   */
  #startAfter(items: readonly Item[], i: number, wanted: number | undefined, from: number): readonly [number, number] {
    const { known } = this.#model;
    const starts = wanted === undefined ? known.flatMap((one, at) => (one.opens && at >= from ? [at] : [])) : [wanted];
    let best: readonly [start: number, count: number, explained: number] = [0, 0, -1];
    for (const start of starts) {
      const setUp = (known[start] as Known).setUp.filter((part) => part.kind !== this.which.mutes);
      const line = known.slice(start).filter((one) => one.frame.kind !== this.which.mutes);
      for (const count of countsOf(setUp, items.slice(i))) {
        const after = items.slice(i + count, i + count + 50);
        const differs = after.findIndex(
          (item, j) => item.serial !== line[j]?.serial || item.dts !== line[j]?.frame.dts,
        );
        if (differs === 0) continue;
        const explained = count + (differs < 0 ? after.length : differs);
        if (explained >= best[2]) best = [start, count, explained];
      }
    }
    if (best[2] >= 0) return [best[0], best[1]];
    return assert.fail(
      `item ${i} is neither the next frame nor set-up of a GOP: ${JSON.stringify(items.slice(i, i + 5))}, ${JSON.stringify(items.slice(Math.max(0, i - 3), i))}`,
    );
  }
}

/** How many items may be this set-up: that of a track without frames is left out, and may come again as the next frame. */
function countsOf(setUp: Known["setUp"], items: readonly Item[]): number[] {
  let counts = [0];
  for (const { serial, kind } of setUp) {
    const heard = counts.filter((count) => items[count]?.serial === serial).map((count) => count + 1);
    counts = kind === "data" ? heard : [...heard, ...counts];
  }
  return counts;
}

/** Set-up that is left out comes before the first frame that needs it. */
function assertDecodable(items: readonly Item[]): void {
  const ready = new Set<string>();
  for (const { kind, role } of items) {
    if (role === "config") ready.add(kind);
    else if (role === "key" || role === "delta") assert.ok(ready.has(kind), `${kind} without its set-up`);
  }
}

type Step =
  | {
      readonly do: "frames";
      readonly kinds: readonly ("key" | "delta" | "audio" | "config" | "audio-config" | "metadata" | "side")[];
    }
  | {
      readonly do: "join";
      readonly form: number;
      readonly appetite: Appetite;
      readonly isPatient: boolean;
      readonly startAt: "cached-gop" | "next-key";
    }
  | { readonly do: "leave" | "drain" | "patience"; readonly who: number }
  | { readonly do: "wait"; readonly millis: number }
  | { readonly do: "end" }
  | { readonly do: "window"; readonly prompt: number; readonly patient: number }
  | { readonly do: "republish"; readonly after: number; readonly clock: number };

const who = fc.nat({ max: 30 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("frames" as const),
      kinds: fc.array(
        fc.oneof(
          { weight: 8, arbitrary: fc.constantFrom("delta" as const, "audio" as const) },
          {
            weight: 1,
            arbitrary: fc.constantFrom(
              "key" as const,
              "config" as const,
              "audio-config" as const,
              "metadata" as const,
              "side" as const,
            ),
          },
        ),
        { minLength: 1, maxLength: 12 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("join" as const),
      form: fc.nat({ max: FORMS.length - 1 }),
      appetite: fc.constantFrom<Appetite>("eager", "eager", "slow", "dead"),
      isPatient: fc.boolean(),
      startAt: fc.constantFrom("cached-gop", "cached-gop", "next-key"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("leave" as const, "drain" as const, "drain" as const, "patience" as const),
      who,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), millis: fc.constantFrom(1, 7, 20, 60, 130, 400, 2_500) }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 20, 49, 50, 100, 350).chain((prompt) =>
      fc.record({
        do: fc.constant("window" as const),
        prompt: fc.constant(prompt),
        patient: fc.constantFrom(prompt, Math.min(350, prompt * 4)),
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("republish" as const),
      after: fc.nat({ max: 5_000 }),
      clock: fc.constantFrom(0, 16_777_000, 4_294_962_296),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "end" as const }) },
);

/** Plays the steps and checks every viewer. */
class Play {
  readonly model = new Model();
  readonly at: Stage;
  readonly #maxCohorts: number;
  readonly #viewers: Viewer[] = [];
  readonly #witness: Subscriber;
  #time = 4_294_962_296;
  #mayDelta = false;
  /** Who was there when the publication ended; `undefined` while there is one. */
  #bereaved: readonly Viewer[] | undefined;

  constructor(maxCohorts: number) {
    this.#maxCohorts = maxCohorts;
    const limits = { tracksPerKind: 4, cohorts: maxCohorts, subscribers: 1_000 };
    this.at = stage({ gop: GOP, lag: LAG, limits });
    const witness = testForm("witness", { sees: (frame) => this.model.see(frame) });
    this.#witness = this.at.join(new FakeSink(this.at.clock), { form: witness }) as Subscriber;
    this.#begin();
  }

  run(step: Step): void {
    const viewer = "who" in step ? this.#viewers[step.who % Math.max(1, this.#viewers.length)] : undefined;
    if (step.do === "frames") this.#frames(step.kinds);
    else if (step.do === "join") this.#viewers.push(new Viewer(this.at, this.model, step));
    else if (step.do === "wait") this.at.clock.advance(step.millis);
    else if (step.do === "window") this.at.window.set(step.prompt, step.patient);
    else if (step.do === "republish") this.#republish(step.after, step.clock);
    else if (step.do === "end") this.#end();
    else if (step.do === "drain") viewer?.sink.drain();
    else if (step.do === "patience" && viewer)
      this.at.stream.setPatience(viewer.subscriber, !viewer.subscriber.isPatient);
    else if (step.do === "leave" && viewer) this.#leave(viewer);
  }

  get counts() {
    return this.at.stream.delivery;
  }

  /** Everybody who can drains, and has all of it. */
  finish(): void {
    for (const viewer of this.#viewers)
      if (viewer.sink.appetite === "slow" && viewer.sink.ends.length === 0) viewer.sink.becomeEager();
    this.at.clock.advance(1_000);
    for (const viewer of this.#viewers) {
      const isStuck = viewer.sink.appetite === "dead" || viewer.sink.ends.length > 0;
      if (viewer.subscriber.state.at === "awaiting-key") viewer.check("begun");
      else viewer.check(isStuck ? "begun" : "whole");
      if (!isStuck && this.#bereaved?.includes(viewer)) assert.equal(viewer.sink.notices.at(-1), "unpublished");
    }
    this.at.clock.advance(20_000);
    for (const { sink, subscriber } of this.#viewers) {
      if (sink.hasNoRoom) assert.deepEqual(sink.ends, ["stalled"]);
      if (sink.ends.length > 0) assert.equal(subscriber.state.at, "left");
    }
    const here = this.#viewers.filter((viewer) => viewer.sink.ends.length === 0);
    assert.equal(this.at.stream.subscriberCount, here.length + 1);
    assert.ok(this.at.stream.cohortCount <= this.#maxCohorts + here.length);
    for (const viewer of here) this.at.stream.unsubscribe(viewer.subscriber);
    this.at.stream.unsubscribe(this.#witness);
    this.at.clock.advance(2_000);
    assert.equal(this.at.clock.pendingCount, 0, "a timer is left");
  }

  #begin(): void {
    this.at.setUp(this.#time);
    this.#mayDelta = false;
  }

  #republish(after: number, clock: number): void {
    this.at.clock.advance(after);
    this.at.stream.startPublication();
    if (this.#bereaved !== undefined) this.at.stream.notify("published");
    this.#bereaved = undefined;
    this.#time = clock;
    this.#begin();
    this.at.stream.deliver();
  }

  #end(): void {
    if (this.#bereaved !== undefined) return;
    this.#bereaved = [...this.#viewers];
    this.model.gopStart = undefined;
    this.at.stream.forgetPublication();
    this.at.stream.notify("unpublished");
  }

  #frames(kinds: readonly string[]): void {
    if (this.#bereaved !== undefined) this.#republish(0, this.#time);
    for (const kind of kinds) {
      this.#time += 17;
      const at = this.#time % 2 ** 32;
      const bytes = 200 + ((this.#time * 31) % 3_000);
      if (kind === "key") this.#mayDelta = true;
      if (kind === "key" || (kind === "delta" && this.#mayDelta))
        this.at.push("video", kind as "key" | "delta", at, { bytes });
      if (kind === "audio") this.at.push("audio", "delta", (at + 60) % 2 ** 32, { bytes: bytes / 4 });
      if (kind === "config") this.at.push("video", "config", at);
      if (kind === "audio-config") this.at.push("audio", "config", (at + 60) % 2 ** 32);
      if (kind === "metadata" || kind === "side") this.at.push("data", kind, at);
    }
    const writesBefore = this.#viewers.map((viewer) => viewer.sink.writes);
    const inStep = this.#viewers.map((viewer) => viewer.subscriber.state.at === "in-step");
    this.at.stream.deliver();
    this.#viewers.forEach((viewer, i) => {
      if (inStep[i]) assert.ok(viewer.sink.writes <= (writesBefore[i] as number) + 1, "more than one write in a flush");
    });
  }

  #leave(viewer: Viewer): void {
    const isLevel = viewer.subscriber.state.at === "in-step";
    this.at.stream.unsubscribe(viewer.subscriber);
    viewer.check(isLevel ? "whole" : "begun");
    this.#viewers.splice(this.#viewers.indexOf(viewer), 1);
  }
}

test("[MED20, MED21, MED22, MED24, MED25, MED27, MED29, MED34, MED56] every viewer gets each frame once, in order, from a key frame with its set-up on", () => {
  const seen = { skips: 0, stalls: 0 };
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 5, maxLength: 150, size: "max" }),
      fc.constantFrom(2, 4, 24),
      (steps, maxCohorts) => {
        const play = new Play(maxCohorts);
        for (const one of steps) play.run(one);
        play.finish();
        seen.skips += play.counts.skips;
        seen.stalls += play.counts.stalls;
      },
    ),
    { numRuns: Number(process.env["MEDIA_RUNS"] ?? 150) },
  );
  assert.ok(seen.skips > 0 && seen.stalls > 0, "too tame to say anything");
});
