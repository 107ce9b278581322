/** Reads the output of the tally reporter and counts: a skipped, unfinished or empty test did not pass. */
import { basename } from "node:path";

export interface Tally {
  readonly passed: number;
  /** One line per failure, with the reason. */
  readonly failures: readonly string[];
  /** Names of tests that were skipped with permission. */
  readonly allowed: readonly string[];
}

interface TallyLine {
  readonly name?: string;
  readonly file?: string;
  readonly kind?: "test" | "suite";
  readonly outcome?: "passed" | "failed";
  readonly skipped?: boolean;
  readonly todo?: boolean;
  readonly finished?: string;
}

/** @param allowedSkips  names of tests that may be skipped */
export function readTally(text: string, files: readonly string[], allowedSkips: ReadonlySet<string>): Tally {
  const lines = parseLines(text);
  const failures: string[] = [];
  const allowed: string[] = [];
  let passed = 0;
  for (const line of lines) {
    if (line.name === undefined) continue;
    const verdict = judge(line, allowedSkips);
    if (verdict === "passed") passed++;
    else if (verdict === "allowed") allowed.push(line.name);
    else if (verdict !== undefined) failures.push(`${line.name}: ${verdict} (${basename(line.file ?? "?")})`);
  }
  const told = new Set(lines.map((line) => basename(line.finished ?? line.file ?? "")));
  for (const file of files) if (!told.has(basename(file))) failures.push(`${file}: did not finish`);
  return { passed, failures, allowed };
}

function judge(line: TallyLine, allowedSkips: ReadonlySet<string>): string | undefined {
  const name = line.name ?? "";
  if (line.kind === "suite") return undefined;
  if (line.skipped) return allowedSkips.has(name) ? "allowed" : "skipped";
  if (line.todo) return "left to do";
  if (line.outcome === "failed") return "failed";
  if (line.file !== undefined && line.file.endsWith(name) && /\.(test|fuzz)\.ts$/.test(name)) return "has no tests";
  return "passed";
}

/** A run that was cut off in the middle of a line leaves an incomplete line. */
function parseLines(text: string): TallyLine[] {
  const lines: TallyLine[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || !line.endsWith("}")) continue;
    lines.push(JSON.parse(line) as TallyLine);
  }
  return lines;
}
