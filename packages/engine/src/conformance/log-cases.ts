/** Conformance: logs take records by compare-and-append and return them without gaps. */
import { LimitError } from "@sluice/bytes/wire-error";
import type { EngineLogs, LogRecord } from "../engine.ts";
import { ENGINE_LIMITS } from "../limits.ts";
import { bytesOf, expect, expectFailure, expectSame, textOf } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import { appended, defineCase } from "./trial.ts";

const APPENDERS = 6;
const RECORDS = 20;

export const LOG_CASES: readonly ConformanceCase[] = [
  defineCase(
    "ENG70",
    "records are appended from 1 on, by the last sequence, and a conflict tells that",
    ["logs"],
    async (trial) => {
      const logs = trial.logs(await trial.open());
      expectSame(await logs.read("log", 1), [], "an empty log");
      expectSame(
        await logs.append("log", 1, bytesOf("a")),
        { outcome: "conflict", last: 0 },
        "an append to an empty log",
      );
      expectSame(appended(await logs.append("log", 0, bytesOf("a")), "the first append"), 1, "the first sequence");
      expectSame(appended(await logs.append("log", 1, bytesOf("b")), "the second append"), 2, "the second sequence");
      expectSame(await logs.append("log", 1, bytesOf("c")), { outcome: "conflict", last: 2 }, "a late append");
      expectSame(
        await logs.append("other log", 2, bytesOf("c")),
        { outcome: "conflict", last: 0 },
        "an append elsewhere",
      );
      const records = [
        { sequence: 1, value: bytesOf("a") },
        { sequence: 2, value: bytesOf("b") },
      ];
      expectSame(await logs.read("log", 1), records, "the log");
      expectSame(await logs.read("log", 2), records.slice(1), "the log from its second record");
      expectSame(await logs.read("log", 3), [], "the log beyond its end");
    },
  ),

  defineCase("ENG71", "appenders that compete leave no hole, and every record stands once", ["logs"], async (trial) => {
    const logs = [trial.logs(await trial.open()), trial.logs(await trial.open())];
    const names = Array.from({ length: APPENDERS }, (_, index) => `appender ${index}`);
    await trial.during(
      Promise.all(names.map((name, index) => appendOften(logs[index % 2] as EngineLogs, name, RECORDS))),
    );
    const records = await trial.during(readAll(logs[0] as EngineLogs));
    expectSame(
      records.map(({ sequence }) => sequence),
      range(APPENDERS * RECORDS),
      "the sequences",
    );
    const texts = records.map(({ value }) => textOf(value) ?? "");
    for (const name of names) {
      const own = texts.filter((text) => text.startsWith(name));
      expectSame(
        own,
        range(RECORDS).map((index) => `${name} record ${index}`),
        `records of ${name}`,
      );
    }
  }),

  defineCase(
    "ENG72",
    "a read gives some records from where it begins, never above the limits, and all in the end",
    ["logs"],
    async (trial) => {
      const logs = trial.logs(await trial.open());
      const total = ENGINE_LIMITS.logReadRecords + 10;
      await trial.during(appendOften(logs, "many", total));
      for (let from = 1; from <= total; ) {
        const records = await trial.during(logs.read("log", from));
        expect(
          records.length > 0 && records.length <= ENGINE_LIMITS.logReadRecords,
          `a read of ${records.length} records`,
        );
        expectSame(
          records.map(({ sequence }) => sequence),
          range(records.length, from),
          "the sequences read",
        );
        from += records.length;
      }
      const most = bytesOf("x".repeat(1024));
      expectSame(
        appended(await logs.append("names * > \u0000 \u00e4", 0, most), "an append to an odd name"),
        1,
        "its sequence",
      );
    },
  ),

  defineCase(
    "ENG73",
    "a record over the maximum is refused by a LimitError, and one of just that size is kept",
    ["logs"],
    async (trial) => {
      const engine = await trial.open();
      const logs = trial.logs(engine);
      const { maxValueBytes } = engine.capabilities();
      await expectFailure(
        () => logs.append("log", 0, new Uint8Array(maxValueBytes + 1)),
        LimitError,
        "a record too long",
      );
      expectSame(await logs.read("log", 1), [], "the log after a refused append");
      const largest = new Uint8Array(maxValueBytes).fill(0x5a);
      appended(await logs.append("log", 0, largest), "the largest record");
      expectSame((await logs.read("log", 1))[0]?.value, largest, "the largest record");
    },
  ),
];

async function appendOften(logs: EngineLogs, name: string, times: number): Promise<void> {
  for (let last = 0, done = 0, tries = 0; done < times; tries++) {
    expect(tries < times * APPENDERS * 4, `${name} was refused too often`);
    const result = await logs.append("log", last, bytesOf(`${name} record ${done + 1}`));
    last = result.outcome === "appended" ? result.sequence : result.last;
    if (result.outcome === "appended") done++;
  }
}

async function readAll(logs: EngineLogs): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let more = await logs.read("log", 1); more.length > 0; more = await logs.read("log", records.length + 1)) {
    records.push(...more);
  }
  return records;
}

function range(length: number, from = 1): number[] {
  return Array.from({ length }, (_, index) => index + from);
}
