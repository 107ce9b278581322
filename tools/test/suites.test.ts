/** The sum over suites is honest: what was skipped, left to do, empty or unfinished is not passed. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../suites/command.ts";
import { readTally } from "../suites/tally.ts";
import { smallTree } from "./small-tree.ts";

const REPORTER = join(import.meta.dirname, "../suites/tally-reporter.ts");
const FILES = {
  "a.test.ts": `
    import { describe, test } from "node:test";
    test("good", () => {});
    test("skipped", { skip: true }, () => {});
    test("allowed to be skipped", { skip: "no camera" }, () => {});
    test("left", { todo: true }, () => {});
    describe("group", () => { test("inside", () => {}); test("bad", () => { throw new Error("bad"); }); });
  `,
  "empty.test.ts": "export {};",
  "crash.test.ts": 'throw new Error("crash");',
};

test("counts what node's test runner reports", () => {
  using tree = smallTree(FILES);
  const names = Object.keys(FILES);
  const argv = ["--test", `--test-reporter=${REPORTER}`, "--test-reporter-destination=tally", ...names];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  spawnSync(process.execPath, argv, { cwd: tree.root, env, stdio: "ignore" });
  const text = readFileSync(join(tree.root, "tally"), "utf8");
  const tally = readTally(text, [...names, "hung.test.ts"], new Set(["allowed to be skipped"]));
  assert.equal(tally.passed, 2);
  assert.deepEqual(tally.allowed, ["allowed to be skipped"]);
  assert.deepEqual([...tally.failures].sort(), [
    "bad: failed (a.test.ts)",
    "crash.test.ts: failed (crash.test.ts)",
    "empty.test.ts: has no tests (empty.test.ts)",
    "hung.test.ts: did not finish",
    "left: left to do (a.test.ts)",
    "skipped: skipped (a.test.ts)",
  ]);
});

test("a line that was cut short is not counted", () => {
  const text = '{"name":"a","file":"a.test.ts","kind":"test","outcome":"passed"}\n{"name":"b","fi';
  assert.deepEqual(readTally(text, ["a.test.ts"], new Set()), { passed: 1, failures: [], allowed: [] });
});

test("a command that takes too long is ended with its children", async () => {
  using tree = smallTree({});
  const result = await runCommand(["sh", "-c", "sleep 60 & echo $! > child; wait"], {
    cwd: tree.root,
    limitMillis: 300,
    output: "keep",
  });
  assert.equal(result.timedOut, true);
  assert.equal(result.ok, false);
  const child = readFileSync(join(tree.root, "child"), "utf8").trim();
  const state = spawnSync("ps", ["-o", "stat=", "-p", child], { encoding: "utf8" }).stdout.trim();
  assert.match(state, /^(Z.*)?$/);
});

test("start scripts are shell that every POSIX sh can read", () => {
  const root = join(import.meta.dirname, "../..");
  for (const script of [
    "sluice",
    "tools/setup/setup.sh",
    "tools/setup/programs.sh",
    "tools/test.sh",
    "tools/check.sh",
  ]) {
    execFileSync("sh", ["-n", join(root, script)]);
  }
});
