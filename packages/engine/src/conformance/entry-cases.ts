/** Conformance: entries are read, written by comparison, and removed. */
import type { Engine, Key } from "../engine.ts";
import { compareEpochs, type Epoch } from "../epoch.ts";
import { bytesOf, expect, expectSame, textOf } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import { defineCase, written } from "./trial.ts";

const WRITERS = 8;
const INCREMENTS = 6;

export const ENTRY_CASES: readonly ConformanceCase[] = [
  defineCase(
    "ENG1",
    "a key that is absent is created once, and a second creation is told what stands",
    [],
    async (trial) => {
      const engine = await trial.open();
      expectSame(await engine.get("fresh"), undefined, "an entry never written");
      const revision = written(await engine.cas("fresh", "absent", bytesOf("first")), "a creation");
      expectSame(
        await engine.cas("fresh", "absent", bytesOf("second")),
        { outcome: "conflict", current: { key: "fresh", value: bytesOf("first"), revision } },
        "a second creation",
      );
      expectSame(await engine.get("fresh"), { key: "fresh", value: bytesOf("first"), revision }, "the entry");
    },
  ),

  defineCase(
    "ENG2",
    "of many who create a key at once one wins, and the others are told its entry",
    [],
    async (trial) => {
      const engines = [await trial.open(), await trial.open()];
      const names = Array.from({ length: WRITERS }, (_, index) => `writer ${index}`);
      const results = await Promise.all(
        names.map((name, index) => (engines[index % 2] as Engine).cas("race", "absent", bytesOf(name))),
      );
      const winners = names.filter((_, index) => results[index]?.outcome === "written");
      expectSame(winners.length, 1, "the number of winners");
      for (const result of results) {
        if (result.outcome !== "conflict") continue;
        expectSame(textOf(result.current?.value), winners[0], "what a loser is told");
      }
    },
  ),

  defineCase("ENG3", "writers that increment one entry by compare-and-set lose no increment", [], async (trial) => {
    const engines = [await trial.open(), await trial.open()];
    written(await (engines[0] as Engine).cas("count", "absent", bytesOf("0")), "the first count");
    const writers = Array.from({ length: WRITERS }, (_, index) =>
      incrementOften(engines[index % 2] as Engine, "count"),
    );
    await trial.during(Promise.all(writers));
    const last = await (engines[1] as Engine).get("count");
    expectSame(textOf(last?.value), String(WRITERS * INCREMENTS), "the sum");
  }),

  defineCase(
    "ENG4",
    "a write that expects another revision changes nothing and is told what stands",
    [],
    async (trial) => {
      const engine = await trial.open();
      const first = written(await engine.cas("key", "absent", bytesOf("1")), "a creation");
      const second = written(await engine.cas("key", first, bytesOf("2")), "an expected write");
      const standing = { key: "key", value: bytesOf("2"), revision: second };
      expectSame(
        await engine.cas("key", first, bytesOf("3")),
        { outcome: "conflict", current: standing },
        "a late write",
      );
      expectSame(await engine.get("key"), standing, "the entry");
      const missing = await engine.cas("other", second, bytesOf("4"));
      expect(
        missing.outcome === "conflict" && missing.current === undefined,
        "a write to nothing must conflict with nothing",
      );
      expectSame(await engine.get("other"), undefined, "the entry that was expected elsewhere");
    },
  ),

  defineCase(
    "ENG5",
    "a removal needs the entry's revision, and the removed entry's revision is worth nothing after",
    [],
    async (trial) => {
      const engine = await trial.open();
      const first = written(await engine.cas("key", "absent", bytesOf("1")), "a creation");
      const second = written(await engine.cas("key", first, bytesOf("2")), "a write");
      const standing = { key: "key", value: bytesOf("2"), revision: second };
      expectSame(await engine.remove("key", first), { outcome: "conflict", current: standing }, "a late removal");
      written(await engine.remove("key", second), "a removal");
      expectSame(await engine.get("key"), undefined, "the removed entry");
      const again = await engine.remove("key", second);
      expect(
        again.outcome === "conflict" && again.current === undefined,
        "a second removal must conflict with nothing",
      );
      written(await engine.cas("key", "absent", bytesOf("2")), "a creation after removal");
      expectSame((await engine.cas("key", second, bytesOf("3"))).outcome, "conflict", "a write by the old revision");
      expectSame((await engine.remove("key", second)).outcome, "conflict", "a removal by the old revision");
    },
  ),

  defineCase("ENG6", "revisions rise over all keys and over removals, and are never used twice", [], async (trial) => {
    const [one, two] = [await trial.open(), await trial.open()];
    const revisions: Epoch[] = [];
    for (const [index, key] of ["a", "b", "c", "d"].entries()) {
      const engine = index % 2 === 0 ? one : two;
      const created = written(await engine.cas(key, "absent", bytesOf("1")), "a creation");
      const changed = written(await engine.cas(key, created, bytesOf("2")), "a write");
      revisions.push(created, changed, written(await engine.remove(key, changed), "a removal"));
      revisions.push(written(await engine.cas(key, "absent", bytesOf("3")), "a creation after removal"));
    }
    expectRising(revisions, "revisions in the order of the writes");
    const burst = await Promise.all(
      Array.from({ length: 40 }, (_, index) => one.cas(`burst ${index}`, "absent", bytesOf("x"))),
    );
    const sorted = burst.map((result) => written(result, "a creation in a burst")).sort(compareEpochs);
    expectRising([...revisions, ...sorted], "revisions of writes made at once");
  }),

  defineCase("ENG7", "a read by any client sees every write that was acknowledged before it", [], async (trial) => {
    const [writer, reader] = [await trial.open(), await trial.open()];
    let expected: Epoch | "absent" = "absent";
    for (let round = 0; round < 25; round++) {
      expected = written(await writer.cas("key", expected, bytesOf(String(round))), "a write");
      expectSame(textOf((await reader.get("key"))?.value), String(round), "what the other client reads");
    }
    written(await writer.remove("key", expected as Epoch), "a removal");
    expectSame(await reader.get("key"), undefined, "what the other client reads after the removal");
  }),
];

async function incrementOften(engine: Engine, key: Key): Promise<void> {
  for (let done = 0, tries = 0; done < INCREMENTS; tries++) {
    expect(tries < WRITERS * INCREMENTS * 4, "an increment was refused too often");
    const entry = await engine.get(key);
    if (entry === undefined) return;
    const next = bytesOf(String(Number(textOf(entry.value)) + 1));
    if ((await engine.cas(key, entry.revision, next)).outcome === "written") done++;
  }
}

export function expectRising(epochs: readonly Epoch[], what: string): void {
  for (const [index, epoch] of epochs.entries()) {
    const before = epochs[index - 1];
    expect(before === undefined || compareEpochs(before, epoch) < 0, `${what}: not rising at ${index}`);
  }
}
