/** Which tracks a joiner is promised, and which set-up it hears, whatever was announced and however broken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Announcement, PublishedUnit } from "@sluice/media/frame";
import { FakeSink, type Item, stage, type Stage, testForm } from "./fixture.ts";

const FLV = testForm("flv", { hasOpening: true });

/** Bits of the opening: 1 pictures, 4 sound; and the roles by kind that follow it. */
function joined(at: Stage): { readonly flags: number | undefined; readonly heard: string[]; readonly items: Item[] } {
  const sink = new FakeSink(at.clock);
  at.join(sink, { form: FLV });
  const items = sink.items();
  return { flags: items[0]?.trackId, heard: items.slice(1).map(({ kind, role }) => `${kind} ${role}`), items };
}

const ANNOUNCES: Announcement = {
  audio: true,
  video: true,
  width: 0,
  height: 0,
  sampleRate: 0,
  channels: 0,
  audioFlagAt: 7,
  videoFlagAt: 8,
};

/** Metadata with flags at 7 and 8. */
function announce(at: Stage): void {
  const unit = at.units.make("data", "metadata", 0, { bytes: 9, announces: ANNOUNCES });
  unit.body.fill(1, 7);
  at.stream.push(unit);
}

/** A second of one kind in frames 40 ms apart, on both clocks. */
function second(at: Stage, kind: "audio" | "video", from: number): void {
  for (let i = 0; i < 25; i++) {
    at.push(kind, kind === "video" && i % 25 === 0 ? "key" : "delta", from + i * 40);
    at.stream.deliver();
    at.clock.advance(40);
  }
}

for (const [comes, never, flag] of [
  ["video", "audio", 1],
  ["audio", "video", 4],
] as const) {
  for (const how of ["announced", "set up", "announced and set up"]) {
    test(`[MED126] ${never} that was ${how} and never comes is promised for three seconds, and no longer`, () => {
      const at = stage();
      if (how !== "set up") announce(at);
      if (how !== "announced") at.push(never, "config", 0);
      at.push(comes, "config", 0);
      for (let s = 0; s < 3; s++) {
        assert.equal(s === 0 ? 5 : joined(at).flags, 5, `after ${s} s`);
        second(at, comes, s * 1_000);
      }
      second(at, comes, 3_000);
      const { flags, heard } = joined(at);
      assert.equal(flags, flag);
      assert.ok(!heard.some((what) => what.startsWith(never)), heard.join());
    });
  }
}

test("[MED126] flags in the metadata of a joiner promise no more than its opening, and nobody else's change", () => {
  const at = stage();
  announce(at);
  at.push("video", "config", 0);
  const bodies: Uint8Array[] = [];
  const form = (id: string) => testForm(id, { sees: ({ role, body }) => role === "metadata" && bodies.push(body) });
  at.push("video", "key", 0);
  at.join(new FakeSink(at.clock), { form: form("early") });
  for (let s = 0; s < 4; s++) second(at, "video", 40 + s * 1_000);
  at.join(new FakeSink(at.clock), { form: form("late") });
  assert.deepEqual(
    bodies.map((body) => [...body.subarray(7)]),
    [
      [1, 1],
      [0, 1],
    ],
  );
});

for (const kind of ["audio", "video"] as const) {
  test(`[MED127] ${kind} that comes when nobody expected it any more comes behind its set-up`, () => {
    const at = stage();
    const other = kind === "audio" ? "video" : "audio";
    at.setUp();
    for (let s = 0; s < 5; s++) second(at, other, s * 1_000);
    const sink = new FakeSink(at.clock);
    at.join(sink, { form: FLV });
    const before = sink.items().length;
    at.push(kind, kind === "video" ? "key" : "delta", 5_000);
    at.push(kind, "delta", 5_040);
    at.stream.deliver();
    const roles = sink
      .items()
      .slice(before)
      .map((item) => `${item.kind} ${item.role}`);
    assert.deepEqual(roles, [`${kind} config`, `${kind} ${kind === "video" ? "key" : "delta"}`, `${kind} delta`]);
    assert.equal(joined(at).flags, 5);
  });
}

test("[MED127] sound that stopped is not promised after ten seconds, unless the cached GOP has some, and comes back behind its set-up", () => {
  const at = stage();
  at.setUp();
  second(at, "video", 0);
  second(at, "audio", 0);
  for (let s = 2; s < 11; s++) second(at, "video", s * 1_000);
  assert.equal(joined(at).flags, 5);
  for (let s = 11; s < 14; s++) second(at, "video", s * 1_000);
  assert.equal(joined(at).flags, 1);
  const sink = new FakeSink(at.clock);
  at.join(sink, { form: FLV });
  const before = sink.items().length;
  at.push("audio", "delta", 14_000);
  at.stream.deliver();
  assert.deepEqual(
    sink
      .items()
      .slice(before)
      .map(({ role }) => role),
    ["config", "delta"],
  );

  const long = stage();
  long.setUp();
  long.push("video", "key", 0);
  long.push("audio", "delta", 0);
  for (let i = 1; i < 25; i++) {
    long.clock.advance(1_000);
    long.push("video", "delta", i * 1_000);
  }
  assert.deepEqual([joined(long).flags, joined(long).heard.includes("audio config")], [5, true]);
});

test("[MED136] when pictures have stayed away for ten seconds and their GOP is over, sound alone starts joiners", () => {
  const at = stage({ gop: { maxFrames: 100, maxBytes: 2 ** 30, maxDuration: 30_000 as never } });
  at.setUp();
  second(at, "video", 0);
  for (let s = 1; s < 15; s++) second(at, "audio", s * 1_000);
  const { flags, heard } = joined(at);
  assert.equal(flags, 4);
  assert.ok(
    heard.length > 2 && heard.every((what) => what.startsWith("audio") || what === "data metadata"),
    heard.join(),
  );
  second(at, "video", 15_000);
  assert.equal(joined(at).flags, 5);
  assert.ok(joined(at).heard.includes("video key"));
});

/** What a joiner hears as set-up, by serial. */
function setUpHeard(at: Stage): number[] {
  const sink = new FakeSink(at.clock);
  at.join(sink);
  return sink
    .items()
    .filter(({ role }) => role === "config" || role === "metadata")
    .map(({ serial }) => serial);
}

const EMPTY: Partial<PublishedUnit> = { flaw: "empty", data: new Uint8Array(0) };
const BROKEN: Partial<PublishedUnit> = { flaw: "broken" };

test("[MED128] set-up that says nothing is not taken, and broken set-up replaces broken alone", () => {
  const at = stage();
  const sink = new FakeSink(at.clock);
  at.join(sink);
  at.push("video", "config", 0, EMPTY);
  at.push("video", "config", 0, BROKEN);
  const usable = at.push("video", "config", 0, BROKEN);
  at.push("video", "key", 0);
  assert.deepEqual(setUpHeard(at), [usable], "better a doubtful one than none");
  const good = at.push("video", "config", 40);
  at.push("video", "config", 40, EMPTY);
  at.push("video", "config", 40, BROKEN);
  at.push("video", "key", 40);
  assert.deepEqual(setUpHeard(at), [good]);
  const better = at.push("video", "config", 80);
  at.push("video", "key", 80);
  assert.deepEqual(setUpHeard(at), [better]);
  assert.equal(at.stream.ingest.poorSetUp, 3);
  at.stream.deliver();
  const live = sink
    .items()
    .filter(({ role }) => role === "config")
    .map(({ serial }) => serial);
  assert.deepEqual(live, [usable, good, better], "those in step keep theirs as well");
});

test("[MED128] broken set-up of another codec, or of another publication, stands", () => {
  const at = stage();
  at.setUp();
  at.push("video", "key", 0);
  const hevc = at.push("video", "config", 40, { ...BROKEN, codec: "hvc1" });
  at.push("video", "key", 40);
  assert.equal(at.stream.ingest.withoutConfig, 1, "its frames need set-up of their own codec");
  at.push("video", "key", 80, { codec: "hvc1" });
  assert.deepEqual(setUpHeard(at).includes(hevc), true);
  at.stream.startPublication();
  const next = at.push("video", "config", 0, BROKEN);
  at.push("video", "key", 0);
  assert.deepEqual(setUpHeard(at), [next]);
});

test("[MED129] metadata that says nothing, or breaks off, replaces none that is whole", () => {
  const at = stage();
  const { push } = at;
  const empty = push("data", "metadata", 0, { flaw: "empty", announces: ANNOUNCES });
  push("video", "config", 0);
  push("video", "key", 0);
  assert.equal(setUpHeard(at)[0], empty);
  const broken = push("data", "metadata", 0, BROKEN);
  push("video", "key", 40);
  assert.equal(setUpHeard(at)[0], broken);
  const whole = push("data", "metadata", 0);
  for (const poor of [BROKEN, { flaw: "empty" as const }]) push("data", "metadata", 0, poor);
  push("video", "key", 80);
  assert.equal(setUpHeard(at)[0], whole);
  const newer = push("data", "metadata", 0);
  push("video", "key", 120);
  assert.equal(setUpHeard(at)[0], newer);
});

test("[MED131] what is kept lies in bytes of its own, so that nothing else is held with it", () => {
  const at = stage();
  const shared = (bytes: number): Uint8Array => new Uint8Array(64 * 1024).subarray(100, 100 + bytes);
  for (const [kind, role] of [
    ["data", "metadata"],
    ["video", "config"],
    ["audio", "config"],
    ["video", "key"],
    ["audio", "delta"],
  ] as const) {
    const body = shared(40).fill(3);
    at.push(kind, role, 0, { body, data: body.subarray(5) });
  }
  const kept = [...at.stream.tracks.prelude(), ...at.stream.gop.frames];
  assert.equal(kept.length, 5);
  for (const { body, data } of kept) {
    assert.ok(body.buffer.byteLength <= 16 * 1024);
    assert.deepEqual([data.buffer === body.buffer, [...body], data.length], [true, Array(40).fill(3), 35]);
  }
});
