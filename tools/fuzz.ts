/** Fuzzes decoders for a given time: `npm run fuzz -- [TARGET] [--seconds N] [--seed N]`; lists the targets without one. */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

const ROOT = join(import.meta.dirname, "..");
const REGISTERED = /\bfuzz\(\s*(["'`])([^"'`]+)\1/g;

interface TargetFile {
  readonly path: string;
  /** Room and file, as in `rtmp/chunk-reader`. */
  readonly target: string;
  /** Names given to `fuzz`. */
  readonly names: readonly string[];
}

function findTargets(): TargetFile[] {
  const exclude = (path: string): boolean => ["node_modules", "dist"].includes(basename(path));
  return globSync("packages/*/test/**/*.{fuzz,test}.ts", { cwd: ROOT, exclude })
    .sort()
    .map((path) => {
      const names = [...readFileSync(join(ROOT, path), "utf8").matchAll(REGISTERED)].map((match) => match[2] as string);
      return { path, target: `${path.split("/")[1]}/${basename(path).replace(/\.(fuzz|test)\.ts$/, "")}`, names };
    })
    .filter(({ path, names }) => names.length > 0 || path.endsWith(".fuzz.ts"));
}

function run(files: readonly TargetFile[], pattern: string, env: Readonly<Record<string, string>>): number {
  const argv = ["--test", "--test-concurrency=1", `--test-name-pattern=${pattern}`, "--test-reporter=spec"];
  const result = spawnSync(process.execPath, [...argv, ...files.map(({ path }) => path)], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  return result.status ?? 1;
}

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: "string" }, seed: { type: "string" } },
  });
  const targets = findTargets();
  const wanted = positionals[0];
  if (wanted === undefined) {
    for (const { target, names } of targets) console.log(`${target}\n${names.map((name) => `  ${name}`).join("\n")}`);
    return 0;
  }
  const byFile = targets.filter(({ target }) => target === wanted || target.startsWith(`${wanted}/`));
  const files = byFile.length > 0 ? byFile : targets.filter(({ names }) => names.includes(wanted));
  if (files.length === 0) {
    console.error(`No fuzz target "${wanted}": run without a target for a list`);
    return 1;
  }
  const pattern = byFile.length > 0 ? "^fuzz " : `^fuzz ${wanted.replace(/[^\w ]/g, "\\$&")}$`;
  const seed = values.seed ?? process.env["FUZZ_SEED"];
  return run(files, pattern, {
    FUZZ_SECONDS: values.seconds ?? "60",
    ...(seed === undefined ? {} : { FUZZ_SEED: seed }),
  });
}

process.exitCode = main();
