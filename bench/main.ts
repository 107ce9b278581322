// npm run bench: compares Sluice with its peers and the bare loops. docs/performance.md says how to read it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchOptions, parseOptions } from "./options.ts";
import { fanout } from "./scenarios/fanout.ts";

const OUT = join(import.meta.dirname, "out");

type Scenario = (options: BenchOptions) => Promise<unknown>;
const SCENARIOS: Readonly<Record<string, Scenario>> = { fanout };

const options = parseOptions(process.argv.slice(2));
const scenario = SCENARIOS[options.scenario];
if (scenario === undefined) {
  console.error(`Unknown scenario ${options.scenario}; there are: ${Object.keys(SCENARIOS).join(", ")}`);
  process.exit(2);
}
const results = await scenario(options);
mkdirSync(OUT, { recursive: true });
const file = join(OUT, `${options.scenario}-${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.json`);
writeFileSync(file, `${JSON.stringify({ options, results }, undefined, 2)}\n`);
console.error(`Written: ${file}`);
