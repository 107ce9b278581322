/** When frames are written: windows, rounds and shares of slices, and what a publisher may hold back meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@sluice/base/clock";
import { AutoWindow, type DeliveryWindow, fixedWindow } from "@sluice/media/delivery-window";
import type { LiveStream } from "@sluice/media/live-stream";
import { FlushScheduler, SHARE_MEMBERS, type SliceRotation, type SliceWriter } from "@sluice/media/flush-scheduler";
import { SLICE_MEMBERS, type Slice, Subscriber } from "@sluice/media/subscriber";
import { FakeClock } from "@sluice/testkit/fake-clock";
import fc from "fast-check";
import { FakeSink, ms, stage, TestWindow } from "./fixture.ts";

/** A stream with one joined viewer that is level. */
function watched(window: number) {
  const at = stage();
  at.window.set(window);
  at.setUp();
  at.push("video", "key", 0);
  const sink = new FakeSink(at.clock);
  at.join(sink);
  at.clock.advance(2_000);
  const frame = (): void => {
    at.push("video", "delta", at.clock.now());
    at.stream.deliver();
  };
  sink.writes = 0;
  return { ...at, sink, frame };
}

test("[MED30] a window of 0 writes at each delivery, once", () => {
  const { clock, sink, frame, push, stream } = watched(0);
  frame();
  assert.equal(sink.writes, 1);
  push("video", "delta", 1);
  push("audio", "delta", 2);
  stream.deliver();
  assert.equal(sink.writes, 2);
  stream.deliver();
  assert.equal(sink.writes, 2);
  assert.equal(clock.pendingCount, 0);
});

test("[MED31, MED34] a short window writes once, as long after the first frame that waits", () => {
  const { clock, sink, frame } = watched(20);
  frame();
  clock.advance(19);
  frame();
  assert.equal(sink.writes, 0);
  clock.advance(1);
  assert.equal(sink.writes, 1);
  assert.equal(clock.pendingCount, 0);
  clock.advance(7);
  frame();
  clock.advance(19);
  assert.equal(sink.writes, 1);
  clock.advance(1);
  assert.equal(sink.writes, 2);
});

function promptSlices(clock: Clock, window: DeliveryWindow, writer: SliceWriter): SliceRotation {
  return new FlushScheduler(clock, window).open(writer).of({ isPatient: false });
}

/** Slices under a window of 20 ms whose writes take time, and what was delivered after which of them. */
function rounds(sliceCount: number, flushTakes: number) {
  const fake = new FakeClock();
  let spent = 0;
  const clock: Clock = {
    now: () => ms(fake.now() + spent),
    wall: () => fake.wall(),
    after: (delay, action) => fake.after(delay, action),
    afterPoll: (action) => fake.afterPoll(action),
    sleep: (delay, signal) => fake.sleep(delay, signal),
  };
  const flushes: number[] = [];
  let afterFlush = (_slice: number): void => {};
  const slices = promptSlices(clock, fixedWindow(ms(20)), {
    flush(slice) {
      const index = slices.slices.indexOf(slice);
      flushes.push(index);
      spent += flushTakes;
      fake.after(ms(0), () => afterFlush(index));
      return true;
    },
  });
  for (let i = 0; i < sliceCount * SLICE_MEMBERS; i++)
    slices.add(new Subscriber(new FakeSink(fake), false), slices.sliceWithRoom(0));
  const onFlush = (action: (slice: number) => void): void => {
    afterFlush = action;
  };
  return { fake, slices, flushes, onFlush };
}

test("[MED31] a round reads between its slices; what comes meanwhile is no reason to wait a window from its end", () => {
  const { fake, slices, flushes, onFlush } = rounds(6, 2);
  slices.deliver();
  fake.advance(20);
  assert.deepEqual(flushes, [0, 1, 2, 3, 4, 5]);
  assert.equal(fake.pendingCount, 0, "nobody lacks anything");
  flushes.length = 0;
  onFlush((slice) => {
    if (slice !== 0) return;
    onFlush(() => {});
    slices.deliver(); // seen after the first two slices were written to, which took 4 ms: the others have it, and take 8 more
  });
  slices.deliver();
  fake.advance(26); // 20 ms and half of the 12 that the first round took
  assert.equal(flushes.length, 6);
  flushes.length = 0;
  fake.advance(17); // as much, less the 8 that had gone when the second round was over, less one
  assert.equal(flushes.length, 0);
  fake.advance(1);
  assert.equal(flushes.length, 6);
});

test("[MED31] half of what a round took is added to the window, and nothing where it takes no time", () => {
  const { fake, slices, flushes } = rounds(1, 8);
  for (const wait of [20, 24, 24]) {
    slices.deliver();
    fake.advance(wait - 1);
    const before = flushes.length;
    fake.advance(1);
    assert.equal(flushes.length, before + 1, `after ${wait} ms`);
  }
});

test("[MED31, MED34] a round whose last viewer leaves inside a write is over", () => {
  const { fake, slices, flushes, onFlush } = rounds(4, 0);
  onFlush(() => {
    for (const slice of [...slices.slices]) for (const member of [...slice.members]) slices.remove(member, slice);
  });
  slices.deliver();
  fake.advance(1_000);
  assert.deepEqual([flushes.length, fake.pendingCount, slices.isScheduled, slices.slices.length], [2, 0, false, 0]);
});

test("[MED32, MED34] a long window writes once in it, and rests when nothing comes", () => {
  const { clock, sink, frame } = watched(100);
  for (let at = 0; at < 1_000; at += 10) {
    frame();
    clock.advance(10);
  }
  assert.equal(sink.writes, 10);
  clock.advance(300);
  assert.equal(clock.pendingCount, 0);
  assert.equal(sink.writes, 10);
});

/** Slices that fill so many shares, whose log is a number. */
function group(window: TestWindow, shareCount: number) {
  const clock = new FakeClock();
  let end = 0;
  let longest = 0;
  const appendedAt: number[] = [];
  const flushes = new Map<Slice, number[]>();
  const slices = promptSlices(clock, window, {
    flush(slice) {
      if (slice.cursor === end) return false;
      longest = Math.max(longest, clock.now() - (appendedAt[slice.cursor] as number));
      slice.cursor = end;
      flushes.set(slice, [...(flushes.get(slice) ?? []), clock.now()]);
      return true;
    },
  });
  const fill = (): Slice[] => {
    const filled = new Set<Slice>();
    for (let i = 0; i < SHARE_MEMBERS; i++) {
      const slice = slices.sliceWithRoom(end);
      slices.add(new Subscriber(new FakeSink(clock), false), slice);
      filled.add(slice);
    }
    return [...filled];
  };
  const empty = (share: readonly Slice[]): void => {
    for (const slice of share) while (slice.members.length > 0) slices.remove(slice.members[0] as Subscriber, slice);
  };
  const shares = Array.from({ length: shareCount }, fill);
  const all = shares.flat();
  const areLevel = (): boolean[] => shares.map((share) => share.every((slice) => slice.cursor === end));
  const append = (): void => {
    end = appendedAt.push(clock.now());
    slices.deliver();
  };
  return { clock, slices, flushes, append, fill, empty, shares, all, areLevel, end: () => end, longest: () => longest };
}

test("[MED32] slices are flushed in shares, many at a time and evenly, each once per window", () => {
  const window = new TestWindow();
  window.set(100);
  const { clock, append, flushes, all } = group(window, 4);
  assert.equal(all.length, (4 * SHARE_MEMBERS) / SLICE_MEMBERS);
  for (let at = 0; at < 1_000; at += 5) {
    append();
    clock.advance(5);
  }
  for (const slice of all) {
    const times = flushes.get(slice) as number[];
    assert.equal(times.length, 10);
    for (let i = 1; i < times.length; i++) assert.equal((times[i] as number) - (times[i - 1] as number), 100);
  }
  const firsts = all.map((slice) => (flushes.get(slice) as number[])[0] as number);
  assert.deepEqual([...new Set(firsts)], [25, 50, 75, 100]);
  assert.deepEqual(
    firsts,
    firsts.toSorted((a, b) => a - b),
  );
});

test("[MED32] timers that ring a part of a millisecond too soon do not make the flushes more", () => {
  const window = new TestWindow();
  window.set(100);
  const { clock, append, flushes, all } = group(window, 4);
  const ring = clock.after.bind(clock);
  clock.after = (delay, action) => ring(ms(Math.max(0, delay - 0.75)), action);
  for (let at = 0; at < 2_000; at += 5) {
    append();
    clock.advance(5);
  }
  const first = flushes.get(all[0] as Slice) as number[];
  assert.deepEqual(
    first,
    first.map((_, round) => 24.25 + 100 * round),
  );
  assert.equal(first.length, 20);
});

test("[MED32] where a slice goes, the one behind it is next and not passed over", () => {
  const window = new TestWindow();
  window.set(100);
  const { clock, append, empty, shares, areLevel } = group(window, 4);
  append();
  clock.advance(50);
  assert.deepEqual(areLevel(), [true, true, false, false]);
  empty(shares[1] as Slice[]);
  clock.advance(34);
  assert.deepEqual(areLevel(), [true, true, true, false]);
});

test("[MED32] an interval that grew when viewers went is no reason to wait longer than was scheduled", () => {
  const window = new TestWindow();
  window.set(60);
  const { clock, append, empty, shares, areLevel, longest } = group(window, 3);
  append();
  clock.advance(40);
  assert.deepEqual(areLevel(), [true, true, false]);
  empty([...(shares[0] as Slice[]), ...(shares[1] as Slice[])]);
  clock.advance(20);
  assert.deepEqual([areLevel(), longest()], [[true, true, true], 60]);
});

test("[MED32] between two slices of a share the loop goes round, and what comes meanwhile goes with the slices that are left", () => {
  const window = new TestWindow();
  window.set(100);
  const { clock, append, all, flushes, end } = group(window, 1);
  const polls: (() => void)[] = [];
  clock.afterPoll = (action) => {
    polls.push(action);
    return { cancel: () => polls.splice(polls.indexOf(action), 1) };
  };
  append();
  clock.advance(100);
  assert.deepEqual([flushes.size, polls.length], [1, 1]);
  append();
  for (let count = 2; count <= all.length; count++) {
    polls.shift()?.();
    assert.equal(flushes.size, count);
  }
  assert.deepEqual([all.map((slice) => slice.cursor === end()).indexOf(true), polls.length], [1, 0]);
  clock.advance(100);
  while (polls.length > 0) polls.shift()?.();
  assert.ok(all.every((slice) => slice.cursor === end()));
});

test("[MED32, MED34] frames in the last idle shares go on with it: no slice is left with bytes", () => {
  const window = new TestWindow();
  window.set(100);
  const { clock, append, flushes, shares, all, slices, areLevel, end } = group(window, 2);
  append();
  clock.advance(150);
  append();
  for (const slice of shares[1] as Slice[]) slice.cursor = end();
  clock.advance(400);
  assert.deepEqual(areLevel(), [true, true]);
  assert.equal(clock.pendingCount, 0);
  assert.ok(slices.slices.includes(all[0] as Slice) && flushes.size === all.length);
});

/** `long`: above the widest automatic window, so that the scheduled flush pulls before the time is over. */
function holdOf({ flushes }: LiveStream): "none" | "short" | "long" {
  const auto = new AutoWindow();
  for (let i = 0; i < 20; i++) auto.sample(1);
  return flushes.holdTime === 0 ? "none" : flushes.holdTime > auto.prompt ? "long" : "short";
}

test("[MED38] a flush pulls what its publisher holds back, and writes it in the same round", () => {
  const { clock, sink, push, stream, window } = watched(100);
  let heldSince: number | undefined;
  const delays: number[] = [];
  stream.flushes.source = {
    pull: () => {
      const isHeld = heldSince !== undefined;
      if (isHeld) clock.after(ms(0), deliverHeld);
      return isHeld;
    },
  };
  const deliverHeld = (): void => {
    push("video", "delta", clock.now());
    delays.push(clock.now() - (heldSince as number));
    heldSince = undefined;
    stream.deliver();
  };
  push("video", "delta", clock.now());
  stream.deliver();
  heldSince = clock.now() + 40;
  clock.advance(99);
  assert.equal(sink.writes, 0);
  clock.advance(1);
  assert.deepEqual([sink.writes, delays], [1, [60]]);
  assert.equal(window.prompt, 100);
});

test("[MED38] a flush whose pull brings nothing goes all the same", () => {
  const { clock, sink, frame, stream } = watched(100);
  stream.flushes.source = { pull: () => true };
  frame();
  clock.advance(105);
  assert.equal(sink.writes, 1);
  clock.advance(1_000);
  assert.equal(clock.pendingCount, 0);
});

test("[MED38] frames may be held back under a window of 50 ms or more, and while nobody watches", () => {
  const at = stage();
  at.window.set(0);
  assert.equal(holdOf(at.stream), "short");
  at.join(new FakeSink(at.clock));
  const allowed = [0, 49, 50, 350].map((window) => {
    at.window.set(window);
    return holdOf(at.stream);
  });
  assert.deepEqual(allowed, ["none", "none", "short", "short"]);
});

test("[MED38] below that they may be held back while everybody waits for a flush, and not while one would have them now", () => {
  const { stream, frame, clock, window, join, sink } = watched(20);
  assert.equal(holdOf(stream), "none");
  frame();
  assert.equal(holdOf(stream), "long");
  window.set(20, 40);
  join(new FakeSink(clock), { isPatient: true });
  assert.equal(holdOf(stream), "none", "the patient one's flush is not scheduled yet");
  frame();
  assert.equal(holdOf(stream), "long");
  clock.advance(20);
  assert.deepEqual([sink.writes, holdOf(stream)], [1, "none"], "the prompt one would get frames at once again");
});

test("[MED38] while a flush is scheduled it is the flush that pulls, and nobody else need", () => {
  const { stream, frame, clock, sink, window } = watched(100);
  let pulls = 0;
  stream.flushes.source = {
    pull: () => {
      pulls++;
      return false;
    },
  };
  frame();
  assert.equal(holdOf(stream), "long");
  clock.advance(100);
  assert.deepEqual([sink.writes, pulls], [1, 1]);
  clock.advance(200);
  assert.equal(holdOf(stream), "short");
  assert.equal(pulls, 2);
  frame();
  window.set(20);
  clock.advance(100);
  assert.deepEqual([sink.writes, pulls, holdOf(stream)], [2, 3, "none"]);
});

test("[MED38] when the last viewer of a scheduled flush goes, what counted on it is pulled", () => {
  const at = stage();
  at.window.set(100);
  at.setUp();
  at.push("video", "key", 0);
  const patient = at.join(new FakeSink(at.clock)) as Subscriber;
  const subscriber = at.join(new FakeSink(at.clock)) as Subscriber;
  at.stream.setPatience(patient, true);
  at.push("video", "delta", 1);
  at.stream.deliver();
  let pulls = 0;
  at.stream.flushes.source = {
    pull: () => {
      pulls++;
      return false;
    },
  };
  assert.equal(holdOf(at.stream), "long");
  at.stream.unsubscribe(subscriber);
  assert.equal(pulls, 0, "the patient one's flush is still scheduled");
  at.stream.unsubscribe(patient);
  assert.deepEqual([pulls, holdOf(at.stream), at.clock.pendingCount], [1, "short", 0]);
});

test("[MED33] a timer that comes late makes up for missed shares, at most one round", () => {
  const window = new TestWindow();
  window.set(100);
  const { append, all, slices, clock, areLevel } = group(window, 4);
  const late: (() => void)[] = [];
  const soon = clock.after.bind(clock, ms(0));
  clock.after = (_delay, action) => {
    late.push(action);
    return { cancel: () => {} };
  };
  clock.afterPoll = (action) => soon(action);
  append();
  clock.advance(60);
  late.pop()?.();
  clock.advance(0);
  assert.deepEqual(areLevel(), [true, true, false, false]);
  append();
  clock.advance(10_000);
  late.pop()?.();
  clock.advance(0);
  assert.deepEqual(areLevel(), [true, true, true, true]);
  assert.ok(slices.slices.length === all.length && late.length === 1);
});

test("[MED32, MED34, MED37] no slice waits longer than the window, whatever comes and goes; then all is quiet", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), after: fc.nat({ max: 30 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("fill" as const), after: fc.nat({ max: 30 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("empty" as const), after: fc.nat({ max: 200 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(10, 49, 50, 100, 350), (steps, millis) => {
      const window = new TestWindow();
      window.set(millis);
      const { clock, append, fill, empty, slices, end, longest } = group(window, 1);
      for (const one of steps) {
        if (one.do === "append") append();
        else if (one.do === "fill" && slices.slices.length < 6 * (SHARE_MEMBERS / SLICE_MEMBERS)) fill();
        else if (one.do === "empty") empty(slices.slices.slice(0, one.after));
        clock.advance(one.after);
      }
      clock.advance(3 * millis + 10);
      assert.ok(slices.slices.every((slice) => slice.cursor === end()));
      assert.equal(clock.pendingCount, 0);
      const most = millis < 50 ? millis : millis * 1.5;
      assert.ok(longest() <= most, `waited ${longest()} of ${millis}`);
    }),
    { numRuns: 200 },
  );
});

for (const [from, to] of [
  [100, 0],
  [100, 20],
  [20, 100],
  [0, 100],
  [20, 0],
  [350, 50],
] as const) {
  test(`[MED37] from ${from} to ${to} ms nothing is left waiting`, () => {
    const { clock, window, sink, frame } = watched(from);
    const before = sink.items().length;
    frame();
    clock.advance(5);
    window.set(to);
    frame();
    clock.advance(Math.max(from, to));
    assert.equal(sink.items().length, before + 2);
    clock.advance(1_000);
    assert.equal(clock.pendingCount, 0);
  });
}

test("[MED36] a viewer with a buffer waits for the wide window, and changes its mind without loss", () => {
  const at = watched(20);
  at.window.set(20, 100);
  const sink = new FakeSink(at.clock);
  const subscriber = at.join(sink, { isPatient: true }) as Subscriber;
  const before = sink.items().length;
  at.frame();
  at.clock.advance(20);
  assert.equal(sink.items().length, before);
  at.stream.setPatience(subscriber, false);
  assert.equal(sink.items().length, before + 1);
  at.frame();
  at.clock.advance(20);
  assert.equal(sink.items().length, before + 2);
  at.frame();
  at.stream.setPatience(subscriber, true);
  at.frame();
  at.clock.advance(100);
  assert.deepEqual(sink.serials(), at.sink.serials());
});
