/** Conformance: the events of a watch. */
import type { Engine } from "../engine.ts";
import { compareEpochs, type Epoch } from "../epoch.ts";
import { bytesOf, expect, expectSame, textOf } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import type { WatchRecorder } from "./watch-recorder.ts";
import { defineCase, written } from "./trial.ts";

/** A lag of watches behind answers shows only after some writes. */
const OWN_WRITES = 100;

export const WATCH_CASES: readonly ConformanceCase[] = [
  defineCase("ENG20", "a watch begins with reset, then what stands, then current", [], async (trial) => {
    const engine = await trial.open();
    for (const key of ["a", "b", "c"]) written(await engine.cas(key, "absent", bytesOf(key)), "a creation");
    const { recorder, entries, violations } = await trial.watch(engine, "");
    const types = recorder.items.map(({ type }) => type);
    expectSame([types[0], types.at(-1)], ["reset", "current"], "the first event and the last");
    for (const key of entries.keys()) expectSame(entries.get(key), await engine.get(key), "the told entry");
    expectSame([...entries.keys()].sort(), ["a", "b", "c"], "the told keys");
    expectSame(violations, [], "violations");
  }),

  defineCase(
    "ENG20",
    "a watch begins with what its client wrote before, and without what it removed",
    [],
    async (trial) => {
      const engine = await trial.open();
      for (let round = 0; round < OWN_WRITES; round++) {
        const key = `key ${round}`;
        const revision = written(await engine.cas(key, "absent", bytesOf(key)), "a creation");
        expectSame(toldFirst(await trial.watch(engine, key)), [revision], "what stood after a creation");
        written(await engine.remove(key, revision), "a removal");
        expectSame(toldFirst(await trial.watch(engine, key)), [], "what stood after a removal");
      }
    },
  ),

  defineCase(
    "ENG21",
    "a watch tells the keys that start with its prefix, read as text, and no others",
    [],
    async (trial) => {
      const engine = await trial.open();
      const keys = ["a.", "a.b", "a.*", "a/b", "ab", "a", "b", "a.*c", "A.*", " a.*"];
      for (const key of keys.slice(0, 5)) written(await engine.cas(key, "absent", bytesOf("x")), "a creation");
      const prefixes = ["", "a", "a.", "a.*", "a/", "*", "nothing"];
      const watchers = await Promise.all(prefixes.map((prefix) => trial.watch(engine, prefix)));
      for (const key of keys.slice(5)) written(await engine.cas(key, "absent", bytesOf("x")), "a creation");
      const end = keys.filter((key) => key !== "");
      for (const [index, prefix] of prefixes.entries()) {
        const expected = end.filter((key) => key.startsWith(prefix)).sort();
        const { entries } = watchers[index] as WatchRecorder;
        await trial.until(
          () => entries.size >= expected.length,
          `${expected.length} keys under ${JSON.stringify(prefix)}`,
        );
        expectSame([...entries.keys()].sort(), expected, `keys under ${JSON.stringify(prefix)}`);
      }
    },
  ),

  defineCase(
    "ENG22",
    "events of a key come in the order of their revisions, and the last is never missing",
    [],
    async (trial) => {
      const engines = [await trial.open(), await trial.open()];
      const watchers = await Promise.all(engines.map((engine) => trial.watch(engine, "key ")));
      const keys = ["key 1", "key 2", "key 3", "key 4"];
      const last = await trial.during(
        Promise.all(keys.map((key, index) => writeOften(engines[index % 2] as Engine, key, 40))),
      );
      for (const watcher of watchers) {
        for (const [index, key] of keys.entries()) {
          await trial.until(() => isAt(watcher, key, last[index] as Epoch), `the last value of ${key}`);
          expectSame(textOf(watcher.entries.get(key)?.value), "39", `the value of ${key}`);
        }
        expectSame(watcher.violations, [], "violations");
      }
    },
  ),

  defineCase(
    "ENG23",
    "a removal is told as deleted, above the entry's revision and below that of a new one",
    [],
    async (trial) => {
      const [engine, other] = [await trial.open(), await trial.open()];
      const watcher = await trial.watch(engine, "");
      const put = written(await other.cas("key", "absent", bytesOf("1")), "a creation");
      await trial.until(() => isAt(watcher, "key", put), "the creation");
      written(await other.remove("key", put), "a removal");
      await trial.until(() => !watcher.entries.has("key"), "the deletion");
      const event = watcher.recorder.items.findLast(({ type }) => type === "deleted");
      expect(event?.type === "deleted" && event.key === "key", "the deletion must be told with its key");
      expect(compareEpochs(put, event.revision) < 0, "a deletion must be above what it deletes");
      const again = written(await other.cas("key", "absent", bytesOf("2")), "a creation after removal");
      expect(compareEpochs(event.revision, again) < 0, "a new entry must be above the deletion");
      await trial.until(() => isAt(watcher, "key", again), "the new entry");
      expectSame(watcher.violations, [], "violations");
    },
  ),

  defineCase(
    "ENG24",
    "a watcher that does not ask for a while is given the last value when it does",
    [],
    async (trial) => {
      const engine = await trial.open();
      const events = engine.watch("", trial.signal)[Symbol.asyncIterator]();
      expectSame((await trial.during(events.next())).value?.type, "reset", "the first event");
      const last = await trial.during(writeOften(engine, "key", 100));
      for (let count = 0; count < 120; count++) {
        const next = await trial.during(events.next());
        if (next.value?.type === "put" && compareEpochs(next.value.entry.revision, last) === 0) return;
      }
      expect(false, "the last value was not among the first 120 events");
    },
  ),

  defineCase(
    "ENG25",
    "a watcher whose connection was lost ends with what stands, removals meanwhile included",
    ["cut"],
    async (trial) => {
      const [engine, other] = [await trial.open(), await trial.open()];
      const kept = written(await other.cas("kept", "absent", bytesOf("1")), "a creation");
      const changed = written(await other.cas("changed", "absent", bytesOf("1")), "a creation");
      const removed = written(await other.cas("removed", "absent", bytesOf("1")), "a creation");
      const watcher = await trial.watch(engine, "");
      const heal = await trial.fault("cut")(engine);
      const changedTo = written(await trial.during(other.cas("changed", changed, bytesOf("2"))), "a write");
      written(await trial.during(other.remove("removed", removed)), "a removal");
      const added = written(await trial.during(other.cas("added", "absent", bytesOf("2"))), "a creation");
      await heal();
      const isWhole = (): boolean =>
        isAt(watcher, "kept", kept) && isAt(watcher, "changed", changedTo) && isAt(watcher, "added", added);
      await trial.until(
        () => isWhole() && !watcher.entries.has("removed") && watcher.state === "current",
        "the view healed",
      );
      expectSame(watcher.violations, [], "violations");
    },
  ),

  defineCase("ENG26", "a watcher that is cut off is told stale, and keeps what it knew", ["cut"], async (trial) => {
    const engine = await trial.open();
    written(await engine.cas("key", "absent", bytesOf("1")), "a creation");
    const watcher = await trial.watch(engine, "");
    const heal = await trial.fault("cut")(engine);
    await trial.until(() => watcher.state === "stale", "the mark that the view is stale");
    expect(watcher.entries.has("key"), "what is stale is not gone");
    await heal();
    await trial.until(() => watcher.state === "current", "the view current again");
    expect(watcher.entries.has("key"), "the entry must stand after healing");
  }),

  defineCase("ENG27", "a watch ends when its signal aborts, waiting or not, and never rejects", [], async (trial) => {
    const engine = await trial.open();
    const ending = new AbortController();
    const watcher = await trial.watch(engine, "", ending.signal);
    const other = await trial.watch(engine, "");
    ending.abort(new Error("Enough"));
    await trial.until(() => watcher.recorder.isEnded || watcher.recorder.failure !== undefined, "the end of the watch");
    expectSame(watcher.recorder.failure, undefined, "a failure of the watch");
    const late = engine.watch("", ending.signal)[Symbol.asyncIterator]();
    expectSame((await trial.during(late.next())).done, true, "a watch begun with an aborted signal");
    written(await engine.cas("key", "absent", bytesOf("1")), "a creation");
    await trial.until(() => other.entries.has("key"), "the event for the watcher that stays");
    expect(!watcher.entries.has("key"), "an ended watch must hear nothing");
  }),
];

/** @returns the last revision */
async function writeOften(engine: Engine, key: string, times: number): Promise<Epoch> {
  let revision: Epoch | "absent" = "absent";
  for (let round = 0; round < times; round++) {
    revision = written(await engine.cas(key, revision, bytesOf(String(round))), "a write");
  }
  return revision as Epoch;
}

/** Revisions reported before the first `current`. */
function toldFirst({ recorder }: WatchRecorder): Epoch[] {
  const end = recorder.items.findIndex(({ type }) => type === "current");
  return recorder.items.slice(0, end).flatMap((event) => (event.type === "put" ? [event.entry.revision] : []));
}

function isAt(watcher: WatchRecorder, key: string, revision: Epoch): boolean {
  const entry = watcher.entries.get(key);
  return entry !== undefined && compareEpochs(entry.revision, revision) === 0;
}
