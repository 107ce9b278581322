/** Conformance: valid and invalid keys and values. */
import { StateError } from "@sluice/base/errors";
import { LimitError } from "@sluice/bytes/wire-error";
import type { Engine } from "../engine.ts";
import { ENGINE_LIMITS } from "../limits.ts";
import { bytesOf, expect, expectFailure, expectSame, textOf } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import { defineCase, written } from "./trial.ts";

/** Every byte value, each as one character. */
const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));

/** Keys that some store might treat as a pattern, a path, an end or another key. */
const ODD_KEYS = [
  ...["a", "A", "a/b", "a/", "/a", "//", "a.b", "a.", ".a", "..", "a*", "*", "a>", ">", "a?", "[a]", "{a}", "a:b"],
  ...[" ", "a ", " a", "a b", "a\tb", "a\nb", "a\r\nb", "a\u0000", "a\u0000b", "\u0000", "\u0000\u0000", "\u007f"],
  ...[
    "\u00e4",
    "a\u0308",
    "\u65e5\u672c",
    "\ud83c\udfa5",
    "\ufeff",
    "\ufeffa",
    "\ufffd",
    "\u200b",
    "%00",
    "%2F",
    "=",
    "_",
    "-",
    "$",
  ],
  ...["__proto__", "constructor", "0", "00", "1e3", "null", "undefined", "k".repeat(1024), ALL_BYTES],
] as const;

export const VALUE_CASES: readonly ConformanceCase[] = [
  defineCase(
    "ENG10",
    "values of any bytes and of every size up to the stated maximum come back as they were",
    [],
    async (trial) => {
      const engine = await trial.open();
      const { maxValueBytes } = engine.capabilities();
      expect(maxValueBytes >= 65_536 && maxValueBytes <= ENGINE_LIMITS.valueBytes, `maxValueBytes of ${maxValueBytes}`);
      for (const size of [0, 1, 255, 256, 65_535, maxValueBytes]) {
        const value = patternOf(size);
        written(await engine.cas(`size ${size}`, "absent", value), `a value of ${size} bytes`);
        expectSame((await engine.get(`size ${size}`))?.value, value, `the value of ${size} bytes`);
      }
    },
  ),

  defineCase(
    "ENG11",
    "a value one byte over the maximum is refused by a LimitError and changes nothing",
    [],
    async (trial) => {
      const engine = await trial.open();
      const tooLong = patternOf(engine.capabilities().maxValueBytes + 1);
      await expectFailure(() => engine.cas("key", "absent", tooLong), LimitError, "a creation");
      expectSame(await engine.get("key"), undefined, "the entry after a refused creation");
      const revision = written(await engine.cas("key", "absent", bytesOf("1")), "a creation");
      await expectFailure(() => engine.cas("key", revision, tooLong), LimitError, "a write");
      expectSame((await engine.get("key"))?.revision, revision, "the revision after a refused write");
      await expectFailure(() => engine.publish("subject", tooLong), LimitError, "a message");
    },
  ),

  defineCase(
    "ENG12",
    "any well-formed text is a key of its own, NUL, patterns, paths and 1 KiB included",
    [],
    async (trial) => {
      const engine = await trial.open();
      const watcher = await trial.watch(engine, "");
      for (const key of ODD_KEYS) written(await engine.cas(key, "absent", bytesOf(key)), `key ${JSON.stringify(key)}`);
      for (const key of ODD_KEYS) await expectStands(engine, key);
      await trial.until(() => watcher.entries.size === ODD_KEYS.length, "every odd key in the watcher's view");
      for (const key of ODD_KEYS)
        expectSame(textOf(watcher.entries.get(key)?.value), key, "the watched value of its key");
      for (const key of ODD_KEYS) {
        const entry = await engine.get(key);
        expect(entry !== undefined, `key ${JSON.stringify(key)} is gone before its removal`);
        written(await engine.remove(key, entry.revision), `the removal of ${JSON.stringify(key)}`);
      }
      await trial.until(() => watcher.entries.size === 0, "every odd key removed from the watcher's view");
    },
  ),

  defineCase(
    "ENG13",
    "a key too long is refused by a LimitError, one empty or not well-formed by a StateError",
    [],
    async (trial) => {
      const engine = await trial.open();
      const { maxKeyBytes } = engine.capabilities();
      expectSame(maxKeyBytes, ENGINE_LIMITS.keyBytes, "maxKeyBytes");
      for (const key of ["k".repeat(maxKeyBytes + 1), "\u00e4".repeat(maxKeyBytes / 2 + 1)]) {
        await expectFailure(() => engine.get(key), LimitError, "a read of a key too long");
        await expectFailure(() => engine.cas(key, "absent", bytesOf("x")), LimitError, "a write of a key too long");
        await expectFailure(() => engine.publish(key, bytesOf("x")), LimitError, "a subject too long");
      }
      for (const key of ["", "a\ud800b", "\udc00"]) {
        await expectFailure(() => engine.get(key), StateError, `a read of ${JSON.stringify(key)}`);
        await expectFailure(
          () => engine.cas(key, "absent", bytesOf("x")),
          StateError,
          `a write of ${JSON.stringify(key)}`,
        );
      }
    },
  ),

  defineCase(
    "ENG14",
    "values handed in are copied before the call returns, and values handed out belong to the reader",
    [],
    async (trial) => {
      const engine = await trial.open();
      const watcher = await trial.watch(engine, "key");
      const value = bytesOf("written");
      const writing = engine.cas("key", "absent", value);
      value.fill(0);
      written(await writing, "a creation");
      const read = await engine.get("key");
      expectSame(textOf(read?.value), "written", "the value that its writer overwrote after the call");
      read?.value.fill(0);
      await trial.until(() => watcher.entries.has("key"), "the entry in the watcher's view");
      expectSame(textOf(watcher.entries.get("key")?.value), "written", "the watched value");
      watcher.entries.get("key")?.value.fill(0);
      expectSame(textOf((await engine.get("key"))?.value), "written", "the value that two readers overwrote");
    },
  ),
];

async function expectStands(engine: Engine, key: string): Promise<void> {
  const entry = await engine.get(key);
  expectSame(entry?.key, key, "the key as read");
  expectSame(textOf(entry?.value), textOf(bytesOf(key)), `the value of key ${JSON.stringify(key)}`);
}

function patternOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}
