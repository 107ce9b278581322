/** Feeds random bytes to a decoder for a while: it may only throw the errors it declares. */
import { test } from "node:test";
import { briefly } from "./byte-splitter.ts";
import { toHex } from "./hex.ts";
import { mutate, randomBytes } from "./mutate.ts";
import { randomBelow, seededRandom } from "./random.ts";

/** Set by `npm run fuzz`: how long each target runs, and the seed to repeat. */
const SECONDS_VARIABLE = "FUZZ_SECONDS";
const SEED_VARIABLE = "FUZZ_SEED";

const DEFAULT_SECONDS = 0.5;
/** CPU time of this thread, far above what any input needs; a slower decoder has a loop that a peer controls. */
const SLOW_MILLIS = 1_000;

export interface FuzzOptions {
  /** Well-formed inputs to mutate. */
  readonly seeds: readonly Uint8Array[];
  /** Error classes that the decoder may throw, including their subclasses. */
  readonly allowed: readonly ErrorClass[];
  readonly seconds?: number;
  /** Repeats one run. */
  readonly seed?: number;
  readonly maxBytes?: number;
}

export type ErrorClass = abstract new (...args: never[]) => Error;

/** Registers a node:test test named `fuzz NAME`. `decode` gets its own copy; its result is ignored. */
export function fuzz(name: string, decode: (bytes: Uint8Array) => unknown, options: FuzzOptions): void {
  test(`fuzz ${name}`, async (t) => {
    const seconds = numberFrom(SECONDS_VARIABLE) ?? options.seconds ?? DEFAULT_SECONDS;
    const seed = numberFrom(SEED_VARIABLE) ?? options.seed ?? randomBelow(Math.random, 2 ** 32);
    const inputCount = await runFuzz(name, decode, { ...options, seconds, seed });
    t.diagnostic(`${inputCount} inputs, seed ${seed}`);
  });
}

/** The loop itself. @returns how many inputs were tried. @throws {Error} with the seed and the input that failed */
export async function runFuzz(
  name: string,
  decode: (bytes: Uint8Array) => unknown,
  options: FuzzOptions & { readonly seconds: number; readonly seed: number },
): Promise<number> {
  const { seeds, seed, maxBytes } = options;
  const random = seededRandom(seed);
  const end = performance.now() + options.seconds * 1_000;
  let inputCount = 0;
  for (const bytes of seeds) await tryInput(bytes.slice());
  while (performance.now() < end) {
    const start = seeds[randomBelow(random, seeds.length)];
    const isMutation = start !== undefined && random() < 0.9;
    await tryInput(
      isMutation ? mutate(start, seeds, random, maxBytes) : randomBytes(random, Math.min(maxBytes ?? 256, 256)),
    );
  }
  return inputCount;

  async function tryInput(bytes: Uint8Array): Promise<void> {
    inputCount++;
    const started = process.threadCpuUsage();
    try {
      const answer = decode(bytes.slice());
      if (answer instanceof Promise) await answer;
    } catch (error) {
      if (!options.allowed.some((allowed) => error instanceof allowed)) throw finding(bytes, error);
    }
    const { user, system } = process.threadCpuUsage(started);
    if (user + system > SLOW_MILLIS * 1_000) throw finding(bytes, new Error(`Took over ${SLOW_MILLIS} ms`));
  }

  function finding(bytes: Uint8Array, cause: unknown): Error {
    const what = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    const again = `${SEED_VARIABLE}=${seed} npm run fuzz -- "${name}"`;
    const input = bytes.length <= 4_096 ? toHex(bytes) : briefly(bytes);
    return new Error(
      `Fuzzing "${name}" found ${what}; input ${inputCount} of seed ${seed}: ${input}; again: ${again}`,
      {
        cause,
      },
    );
  }
}

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  return text === undefined || text === "" ? undefined : Number(text);
}
