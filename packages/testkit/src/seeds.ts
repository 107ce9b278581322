/** Runs a simulation for many seeds; a failure reports how to repeat its seed alone. */
import { test } from "node:test";

/** Environment variables: how many seeds each simulation runs, and a single seed to run. */
const COUNT_VARIABLE = "SIM_SEEDS";
const SEED_VARIABLE = "SIM_SEED";

export interface SeedOptions {
  /** Used unless the environment sets another count. */
  readonly count: number;
  readonly first?: number;
  /** Path of the test file from the root of the repository, for the command to repeat. */
  readonly file: string;
}

/** Registers a node:test test that runs `simulate` with each seed. Its return value, if any, goes to the test's diagnostics. */
export function everySeed(name: string, options: SeedOptions, simulate: (seed: number) => unknown): void {
  test(name, async (t) => {
    const seeds = chosenSeeds(options);
    for (const seed of seeds) await runSeed(name, options.file, seed, simulate);
    t.diagnostic(`${seeds.length} seeds from ${seeds[0]}`);
  });
}

/** @throws {Error} with the seed and the command to repeat it; its cause is the error of `simulate` */
export async function runSeed(
  name: string,
  file: string,
  seed: number,
  simulate: (seed: number) => unknown,
): Promise<void> {
  try {
    await simulate(seed);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const again = `${SEED_VARIABLE}=${seed} node --test --test-name-pattern=${quoted(name)} ${file}`;
    throw new Error(`Seed ${seed} failed: ${what}\nagain: ${again}`, { cause: error });
  }
}

/** All seeds, or only the one in `SIM_SEED`. */
export function chosenSeeds(options: { readonly count: number; readonly first?: number }): readonly number[] {
  const only = numberFrom(SEED_VARIABLE);
  if (only !== undefined) return [only];
  const count = numberFrom(COUNT_VARIABLE) ?? options.count;
  return Array.from({ length: count }, (_, index) => (options.first ?? 1) + index);
}

/** A pattern that matches exactly the name, in single quotes for a shell. */
function quoted(name: string): string {
  const pattern = name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replaceAll("'", ".");
  return `'^${pattern}$'`;
}

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  return text === undefined || text === "" ? undefined : Number(text);
}
