/** The parts of the bench that compute: statistics, /proc figures, windows, tables, verdicts. */
import assert from "node:assert/strict";
import test from "node:test";
import { quantile } from "../../tools/loadgen/quantile.ts";
import { parseOptions, writesOfWindow } from "../options.ts";
import { parseCoreBusySeconds, parseCpuSeconds, parseResidentBytes } from "../proc-stat.ts";
import { median, medianItem, spreadOf } from "../statistics.ts";
import { formatTable, short } from "../table.ts";
import { formatVerdicts, judge, readBudget } from "../verdict.ts";

test("median of odd and even counts; nothing has none", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});

test("spread holds least, median and most; the median item is one of the items", () => {
  assert.deepEqual(spreadOf([0.3, 0.1, 0.2]), { least: 0.1, median: 0.2, most: 0.3 });
  assert.deepEqual(
    medianItem([{ cost: 3 }, { cost: 1 }, { cost: 2 }, { cost: 9 }], (item) => item.cost),
    { cost: 2 },
  );
});

test("CPU seconds are fields 14 and 15, whatever the name of the program holds", () => {
  const stat = `77 (a b) c) S 1 77 77 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 1 0 100 1000 10`;
  assert.equal(parseCpuSeconds(stat), 3);
});

test("a core's busy time leaves out idle and iowait", () => {
  const stat = "cpu  9 9 9 9 9 9 9 9\ncpu0 100 20 30 5000 400 1 2 3 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n";
  assert.equal(parseCoreBusySeconds(stat, 0), 1.56);
  assert.throws(() => parseCoreBusySeconds(stat, 7), RangeError);
});

test("resident bytes are VmRSS in kB", () => {
  assert.equal(parseResidentBytes("Name:\tnode\nVmHWM:\t  99 kB\nVmRSS:\t   2048 kB\n"), 2_097_152);
});

test("a window amounts to that many writes a second, at most one per message", () => {
  assert.equal(writesOfWindow("100ms"), 10);
  assert.equal(writesOfWindow("20ms"), 50);
  assert.equal(writesOfWindow("5ms"), 77);
  assert.equal(writesOfWindow("auto"), 77);
});

test("options: bare windows are milliseconds, lists are comma-separated, unknown options are refused", () => {
  const options = parseOptions(["fanout", "--window", "100,auto", "--players", "1000,6000", "--set", "a.b=1"]);
  assert.deepEqual(options.windows, ["100ms", "auto"]);
  assert.deepEqual(options.players, [1_000, 6_000]);
  assert.deepEqual(options.settings, ["a.b=1"]);
  assert.throws(() => parseOptions(["--windows", "1"]), TypeError);
});

test("a table is aligned Markdown", () => {
  assert.equal(
    formatTable(
      ["name", "cost"],
      [
        ["a", "0.1"],
        ["longer", "12.25"],
      ],
    ),
    "| name   |  cost |\n| ------ | ----: |\n| a      |   0.1 |\n| longer | 12.25 |",
  );
});

test("numbers keep about three digits", () => {
  assert.deepEqual([0, 0.1154, 1.5, 17.23, 351.7, Number.NaN].map(short), ["0", "0.115", "1.50", "17.2", "352", "–"]);
});

test("a goal is met at its limit and missed above it", () => {
  const budget = { cost: 1.15 };
  assert.equal(judge(budget, "cost", "x", 1.15).isMet, true);
  assert.equal(judge(budget, "cost", "x", 1.16).isMet, false);
  assert.equal(judge(budget, "cost", "x", Number.NaN).isMet, false, "nothing measured is not met");
  assert.throws(() => judge(budget, "other", "x", 1), RangeError);
  assert.match(formatVerdicts([judge(budget, "cost", "x", 2)]), /\| x +\| +2\.00 \| +≤ 1\.15 \| +MISSED \|/);
});

test("the budget file holds only numbers", () => {
  for (const [id, limit] of Object.entries(readBudget())) assert.equal(typeof limit, "number", id);
});

test("a quantile is one of the values; an empty list gives 0", () => {
  assert.equal(quantile([5, 1, 3, 2, 4], 0.5), 3);
  assert.equal(quantile([1, 2], 0.99), 2);
  assert.equal(quantile([], 0.5), 0);
});
