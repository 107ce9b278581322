/** Runs the checks and the test suites and prints one final line: how many passed and failed in all. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { type CheckStep, checkSteps, endToEndSuites, type Suite, toolSuites, unitSuites } from "./suites.ts";
import { readTally, type Tally } from "./tally.ts";

const ROOT = join(import.meta.dirname, "../..");
const CHECK_LIMIT_MILLIS = 5 * 60_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (millis: number): string => `${(millis / 1000).toFixed(1)} s`;

async function runStep(step: CheckStep): Promise<Tally> {
  const result = await runCommand(step.argv, { cwd: ROOT, limitMillis: CHECK_LIMIT_MILLIS, output: "keep" });
  say(`${result.ok ? "ok    " : "FAILED"} ${step.name} (${seconds(result.millis)})`);
  if (result.ok) return { passed: 1, failures: [], allowed: [] };
  say(result.output.trimEnd());
  return { passed: 0, failures: [`${step.name}: ${result.timedOut ? "took too long" : "failed"}`], allowed: [] };
}

async function runSuite(suite: Suite, allowedSkips: ReadonlySet<string>): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-tally-"));
  const tallyFile = join(folder, "tally.jsonl");
  const argv = [
    process.execPath,
    "--test",
    `--test-concurrency=${suite.concurrency}`,
    `--test-timeout=${suite.testLimitMillis}`,
    `--test-reporter=${suite.reporter}`,
    "--test-reporter-destination=stdout",
    `--test-reporter=${join(import.meta.dirname, "tally-reporter.ts")}`,
    `--test-reporter-destination=${tallyFile}`,
    ...suite.files,
  ];
  say(`\n${suite.name}: ${suite.files.length} files`);
  const result = await runCommand(argv, { cwd: ROOT, limitMillis: suite.limitMillis, output: "show" });
  const tally = readTally(readFileSync(tallyFile, { encoding: "utf8", flag: "a+" }), suite.files, allowedSkips);
  rmSync(folder, { recursive: true, force: true });
  const failures = [...tally.failures];
  if (result.timedOut) failures.push(`${suite.name}: ended after ${seconds(suite.limitMillis)}`);
  else if (!result.ok && failures.length === 0) failures.push(`${suite.name}: the test runner failed`);
  say(`${suite.name}: ${tally.passed} passed, ${failures.length} failed (${seconds(result.millis)})`);
  return { ...tally, failures: failures.map((failure) => `${suite.name}: ${failure}`) };
}

function readAllowedSkips(): Set<string> {
  const lines = readFileSync(join(import.meta.dirname, "allowed-skips.txt"), "utf8").split("\n");
  return new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
}

async function main(mode: string): Promise<number> {
  const allowedSkips = readAllowedSkips();
  const tallies: Tally[] = [];
  for (const step of checkSteps(ROOT)) tallies.push(await runStep(step));
  const suites = [...unitSuites(ROOT), ...toolSuites(ROOT), ...(mode === "all" ? endToEndSuites(ROOT) : [])];
  for (const suite of suites) tallies.push(await runSuite(suite, allowedSkips));

  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const failures = tallies.flatMap((tally) => tally.failures);
  const allowed = tallies.flatMap((tally) => tally.allowed);
  if (allowed.length > 0) say(`\nSkipped with leave:\n${allowed.map((name) => `  ${name}`).join("\n")}`);
  if (failures.length > 0) say(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
  say(`\n${passed} passed, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2] ?? "check");
