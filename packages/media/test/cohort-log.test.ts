/** The log of encoded bytes against an array that forgets nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CohortLog, MIN_SLAB_BYTES } from "@sluice/media/cohort-log";
import fc from "fast-check";
import { ms } from "./fixture.ts";

/** Uninitialised memory is not zero. */
const allocate = (byteCount: number): Uint8Array => new Uint8Array(byteCount).fill(0xee);

type Step =
  | { readonly do: "append"; readonly bytes: number; readonly after: number }
  | { readonly do: "read"; readonly from: number; readonly to: number }
  | {
      readonly do: "trim";
      readonly needed: number;
      readonly kept: number;
      readonly age: number;
      readonly maxBytes: number;
    };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      bytes: fc.oneof(fc.nat({ max: 9_000 }), fc.constantFrom(0, 1, MIN_SLAB_BYTES, MIN_SLAB_BYTES + 1, 60_000)),
      after: fc.nat({ max: 900 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), from: share, to: share }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("trim" as const),
      needed: share,
      kept: share,
      age: fc.nat({ max: 5_000 }),
      maxBytes: fc.nat({ max: 100_000 }),
    }),
  },
);

class Model {
  readonly log = new CohortLog(allocate);
  #all = new Uint8Array(0);
  #ends: number[] = [];
  #appendedAt: number[] = [];
  #now = 0;
  #handedOut: { readonly view: Uint8Array; readonly copy: Uint8Array }[] = [];

  run(one: Step): void {
    if (one.do === "append") this.#append(one.bytes, one.after);
    else if (one.do === "read") this.#read(one.from, one.to);
    else this.#trim(one);
    for (const { view, copy } of this.#handedOut) assert.deepEqual(view, copy);
  }

  #append(bytes: number, after: number): void {
    this.#now += after;
    const body = Uint8Array.from({ length: bytes }, (_, i) => (this.#all.length + i * 7) & 0xff);
    this.log.append(bytes, ms(this.#now), (target, offset) => target.set(body, offset));
    const all = new Uint8Array(this.#all.length + bytes);
    all.set(this.#all);
    all.set(body, this.#all.length);
    this.#all = all;
    this.#ends.push(all.length);
    this.#appendedAt.push(this.#now);
    assert.equal(this.log.end, all.length);
  }

  #at(share: number): number {
    return this.log.start + Math.floor(share * (this.log.end - this.log.start));
  }

  #read(a: number, b: number): void {
    const [from, to] = [this.#at(Math.min(a, b)), this.#at(Math.max(a, b))];
    const expected = this.#all.slice(from, to);
    const views = this.log.views(from, to);
    assert.ok(views.every((view) => view.length > 0));
    assert.deepEqual(Uint8Array.from(views.flatMap((view) => [...view])), expected);
    const run = this.log.run(from, to);
    assert.deepEqual(Uint8Array.from(run), expected);
    for (const view of [...views, run]) this.#handedOut.push({ view, copy: view.slice() });
    if (from < this.log.end) this.#cut(from, to);
  }

  #cut(from: number, limit: number): void {
    const behind = this.#ends.filter((end) => end > from);
    const within = behind.filter((end) => end <= limit);
    assert.equal(this.log.cut(from, limit), within.length > 0 ? Math.max(...within) : behind[0]);
  }

  #trim({ needed, kept, age, maxBytes }: Step & { do: "trim" }): void {
    const keptAt = this.#at(kept);
    const neededAt = Math.min(keptAt, this.#at(needed));
    const before = this.log.start;
    const olderThan = this.#now - age;
    this.log.trim({ needed: neededAt, kept: keptAt, olderThan: ms(olderThan), maxBytes });
    assert.ok(this.log.start >= before && this.log.start <= keptAt, "let go of what is kept");
    if (this.log.start <= neededAt) return;
    const last = this.#ends.indexOf(this.log.start);
    const isOld = (this.#appendedAt[last] as number) < olderThan;
    assert.ok(isOld || this.log.end - this.log.start > maxBytes, "let go of what is needed and within bounds");
  }
}

test("[MED20, MED27, MED29] reads give what was appended, whatever was let go, and never change", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const model = new Model();
      for (const one of steps) model.run(one);
    }),
    { numRuns: 300 },
  );
});

test("[MED23] what is neither needed nor kept goes; what is only needed goes when it is too old or too far", () => {
  const log = new CohortLog(allocate, MIN_SLAB_BYTES);
  const append = (now: number): void => void log.append(MIN_SLAB_BYTES, ms(now), () => {});
  for (let now = 0; now < 10; now++) append(now);
  const { end } = log;
  assert.equal(log.heldBytes, 10 * MIN_SLAB_BYTES);
  log.trim({ needed: 0, kept: end, olderThan: ms(0), maxBytes: 2 ** 30 });
  assert.equal(log.start, 0);
  log.trim({ needed: 0, kept: end, olderThan: ms(3), maxBytes: 2 ** 30 });
  assert.equal(log.start, 3 * MIN_SLAB_BYTES);
  log.trim({ needed: 0, kept: end, olderThan: ms(0), maxBytes: 4 * MIN_SLAB_BYTES });
  assert.equal(log.start, 5 * MIN_SLAB_BYTES);
  log.trim({ needed: 0, kept: 6 * MIN_SLAB_BYTES, olderThan: ms(99), maxBytes: 0 });
  assert.equal(log.start, 6 * MIN_SLAB_BYTES);
  log.trim({ needed: end, kept: end, olderThan: ms(0), maxBytes: 2 ** 30 });
  assert.equal(log.heldBytes, MIN_SLAB_BYTES);
});
