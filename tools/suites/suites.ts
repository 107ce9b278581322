/** The checks and test suites, with their time limits. */
import { existsSync, globSync, readdirSync } from "node:fs";
import { join } from "node:path";

const MINUTE = 60_000;
/** Browser tests are beside a package's unit tests, and run with the end-to-end suites. */
const BROWSER_TEST = ".browser.test.ts";

/** A command that passes or fails as one. */
export interface CheckStep {
  readonly name: string;
  readonly argv: readonly string[];
}

/** Files for one run of `node --test`. */
export interface Suite {
  readonly name: string;
  readonly files: readonly string[];
  readonly concurrency: number;
  readonly testLimitMillis: number;
  readonly limitMillis: number;
  /** `dot` is short while all is well; `spec` shows the progress of slow suites. */
  readonly reporter: "dot" | "spec";
}

export function checkSteps(root: string): CheckStep[] {
  const node = process.execPath;
  const tsc = [node, "node_modules/typescript/bin/tsc"];
  return [
    { name: "build", argv: [...tsc, "-b"] },
    { name: "lint", argv: ["oxlint", "--type-aware", "--deny-warnings", ...sourceFolders(root)] },
    { name: "format", argv: ["biome", "format", "."] },
    ...testProjects(root).map((project) => ({ name: `types of ${project}`, argv: [...tsc, "-p", project] })),
    { name: "house", argv: [node, "tools/check-house.ts"] },
    { name: "spec", argv: [node, "tools/check-spec.ts"] },
    { name: "docs", argv: [node, "tools/check-docs.ts"] },
  ];
}

function sourceFolders(root: string): string[] {
  return ["packages", "tools", "e2e", "bench", "examples"].filter((folder) => existsSync(join(root, folder)));
}

/** Folders with their own tsconfig outside the build; skips those without files. */
function testProjects(root: string): string[] {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/test`);
  return [...packages, "tools", "e2e", "bench", "examples"].filter(
    (folder) => existsSync(join(root, folder, "tsconfig.json")) && filesOf(root, `${folder}/**/*.{ts,tsx}`).length > 0,
  );
}

/** Unit tests of every package: no other program, no network. */
export function unitSuites(root: string): Suite[] {
  return readdirSync(join(root, "packages"))
    .sort()
    .map((name) => unitSuite(`packages/${name}`, unitFiles(root, name)))
    .filter((suite) => suite.files.length > 0);
}

function unitFiles(root: string, name: string): string[] {
  return filesOf(root, `packages/${name}/test/**/*.{test,fuzz}.ts`).filter((file) => !file.endsWith(BROWSER_TEST));
}

export function toolSuites(root: string): Suite[] {
  return ["tools", "bench"]
    .map((name) => unitSuite(name, filesOf(root, `${name}/test/**/*.test.ts`)))
    .filter((suite) => suite.files.length > 0);
}

function unitSuite(name: string, files: readonly string[]): Suite {
  return { name, files, concurrency: 2, testLimitMillis: MINUTE, limitMillis: 5 * MINUTE, reporter: "dot" };
}

/** Tests with real programs: few at a time, since each starts decoders and browsers. */
export function endToEndSuites(root: string): Suite[] {
  const files = [...filesOf(root, "e2e/**/*.test.ts"), ...filesOf(root, `packages/*/test/**/*${BROWSER_TEST}`)];
  if (files.length === 0) return [];
  return [
    { name: "e2e", files, concurrency: 1, testLimitMillis: 4 * MINUTE, limitMillis: 25 * MINUTE, reporter: "spec" },
  ];
}

function filesOf(root: string, pattern: string): string[] {
  return globSync(pattern, { cwd: root, exclude: (name) => name === "node_modules" || name === "dist" }).sort();
}
