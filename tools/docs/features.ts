/** Checks docs/features.md: each id once, a known status, and an existing test for everything done. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, refused } from "../house/finding.ts";

const PATH = "docs/features.md";
const STATUSES = ["done", "part", "not"];
const ROW = /^\| ([A-Z]+\d+) \| (.*?) \| (\S*) \| (.*?) \|$/gm;

/** Ids by series: B is the feature bar, K the RTMP facts, E the Enhanced RTMP ones. */
export const FEATURE_IDS: readonly string[] = [
  ...series("B", 20),
  ...series("K", 32),
  ...series("E", 14),
  ...series("T", 12),
  ...series("G", 12),
];

function series(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
}

export function checkFeatures(root: string, ids: readonly string[] = FEATURE_IDS): Finding[] {
  if (!existsSync(join(root, PATH))) return [refused(PATH, "is missing")];
  const rows = [...readFileSync(join(root, PATH), "utf8").matchAll(ROW)].map(
    (match) => match.slice(1) as [string, string, string, string],
  );
  const found = rows.map(([id]) => id);
  const testNames = rows.some(([, , status]) => status !== "not") ? readTestTexts(root) : "";
  return [
    ...ids.filter((id) => !found.includes(id)).map((id) => refused(PATH, `${id} has no row`)),
    ...found.filter((id, i) => found.indexOf(id) !== i).map((id) => refused(PATH, `${id} has two rows`)),
    ...rows.flatMap(([id, , status, tests]) => checkRow(root, id, status, tests, testNames)),
  ];
}

/** The row of a done or partly done feature names test files or words of test names in backticks; each must exist. */
function checkRow(root: string, id: string, status: string, tests: string, testTexts: string): Finding[] {
  if (!STATUSES.includes(status))
    return [refused(PATH, `${id} has status "${status}", which is not one of ${STATUSES.join(", ")}`)];
  if (status === "not") return [];
  const cited = [...tests.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
  if (cited.length === 0) return [refused(PATH, `${id} is ${status} but cites no test in backticks`)];
  const missing = cited.filter(
    (name) => !(/\.tsx?$/.test(name) ? existsSync(join(root, name)) : testTexts.includes(name)),
  );
  return missing.map((name) => refused(PATH, `${id} cites "${name}", which is no test`));
}

function readTestTexts(root: string): string {
  const exclude = (path: string): boolean => path.endsWith("node_modules") || path.endsWith("dist");
  const paths = globSync(["packages/*/test/**/*.{ts,tsx}", "tools/test/**/*.ts", "e2e/**/*.ts"], {
    cwd: root,
    exclude,
  });
  return paths.map((path) => readFileSync(join(root, path), "utf8")).join("\n");
}
