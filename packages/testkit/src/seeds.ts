/** Runs a simulation for many seeds; the one that fails says how to run it alone. */
import { test } from "node:test";

/** How many seeds each simulation runs, and the only one that is to run. */
const COUNT_VARIABLE = "SIM_SEEDS";
const SEED_VARIABLE = "SIM_SEED";

export interface SeedOptions {
  /** Unless the environment says otherwise. */
  readonly count: number;
  readonly first?: number;
  /** The file to run again, from the root of the repository. */
  readonly file: string;
}

/** Registers a node:test test that runs `simulate` with each seed. What it returns, if anything, goes to the test's notes. */
export function everySeed(name: string, options: SeedOptions, simulate: (seed: number) => unknown): void {
  test(name, async (t) => {
    const seeds = chosenSeeds(options);
    for (const seed of seeds) await runSeed(name, options.file, seed, simulate);
    t.diagnostic(`${seeds.length} seeds from ${seeds[0]}`);
  });
}

/** @throws {Error} naming the seed and the command, with what `simulate` threw as its cause */
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

/** All of them, or the one that `SIM_SEED` names. */
export function chosenSeeds(options: { readonly count: number; readonly first?: number }): readonly number[] {
  const only = numberFrom(SEED_VARIABLE);
  if (only !== undefined) return [only];
  const count = numberFrom(COUNT_VARIABLE) ?? options.count;
  return Array.from({ length: count }, (_, index) => (options.first ?? 1) + index);
}

/** A pattern that matches the name and nothing longer, in single quotes for a shell. */
function quoted(name: string): string {
  const pattern = name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replaceAll("'", ".");
  return `'^${pattern}$'`;
}

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  return text === undefined || text === "" ? undefined : Number(text);
}
