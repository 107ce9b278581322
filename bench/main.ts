/** npm run bench: compares Sluice with its peers and the bare loops. docs/performance.md says how to read it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { type BenchOptions, parseOptions } from "./options.ts";
import { cacheGaps, cachePause } from "./scenarios/cache-faults.ts";
import { cacheMemory } from "./scenarios/cache-memory.ts";
import { cacheSpeed } from "./scenarios/cache-speed.ts";
import { cacheVoters } from "./scenarios/cache-voters.ts";
import { cluster } from "./scenarios/cluster.ts";
import { fanout, realtime, tls } from "./scenarios/fanout.ts";
import { ingest } from "./scenarios/ingest.ts";
import { join } from "./scenarios/join.ts";
import { links } from "./scenarios/links.ts";
import { objectNodes } from "./scenarios/object-nodes.ts";
import { objects } from "./scenarios/objects.ts";
import { cycles, memory, stalled } from "./scenarios/memory.ts";
import { relay } from "./scenarios/relay.ts";
import { formatVerdicts, type ScenarioResult } from "./verdict.ts";

const OUT = joinPath(import.meta.dirname, "out");

type Scenario = (options: BenchOptions) => Promise<ScenarioResult>;
const CACHE: Readonly<Record<string, Scenario>> = {
  "cache-speed": cacheSpeed,
  "cache-voters": cacheVoters,
  "cache-memory": cacheMemory,
  "cache-gaps": cacheGaps,
  "cache-pause": cachePause,
};
const MEDIA: Readonly<Record<string, Scenario>> = { fanout, realtime, tls, join, memory, stalled, cycles, ingest };
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...MEDIA,
  ...CACHE,
  links,
  cluster,
  relay,
  objects,
  "object-nodes": objectNodes,
};
const ALL = Object.keys(SCENARIOS);

const shortened = (options: BenchOptions): BenchOptions => ({
  ...options,
  timing: { ...options.timing, warmupMs: 2_000, measureMs: 6_000 },
});

/** What `npm run bench` runs by default: all scenarios, fan-out over all three protocols. `quick` takes about three minutes. */
function planOf(options: BenchOptions): readonly (readonly [string, BenchOptions])[] {
  if (options.scenario === "quick")
    return [
      ["fanout", shortened(options)],
      ["join", { ...shortened(options), protocols: ["rtmp"], servers: ["sluice"] }],
    ];
  if (options.scenario === "cache") return Object.keys(CACHE).map((name) => [name, options]);
  if (options.scenario !== "all") return [[options.scenario, options]];
  return ALL.map((name) => [
    name,
    name === "fanout" && options.protocols.length === 0 ? { ...options, protocols: ["rtmp", "http", "ws"] } : options,
  ]);
}

const options = parseOptions(process.argv.slice(2));
const plan = planOf(options);
if (plan.some(([name]) => SCENARIOS[name] === undefined)) {
  console.error(`Unknown scenario ${options.scenario}; there are: all, quick, cache, ${ALL.join(", ")}`);
  process.exit(2);
}
const written: Record<string, ScenarioResult> = {};
for (const [name, chosen] of plan) {
  console.log(`\n## ${name}\n`);
  const result = await SCENARIOS[name]?.(chosen);
  if (result === undefined) continue;
  written[name] = result;
  if (result.verdicts.length > 0) console.log(`\n${formatVerdicts(result.verdicts)}`);
}
mkdirSync(OUT, { recursive: true });
const file = joinPath(OUT, `${options.scenario}-${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.json`);
writeFileSync(file, `${JSON.stringify({ options, scenarios: written }, undefined, 2)}\n`);
console.error(`Written: ${file}`);
