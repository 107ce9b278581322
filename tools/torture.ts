/** Random trouble for a simulated cluster: `npm run torture -- --seed N --minutes M`, or `--seeds A..B`; the same seed does the same again. */
import { parseArgs } from "node:util";
import { Torture, TortureError } from "../packages/server/test/sim/torture.ts";

const USAGE = `npm run torture -- [--seed N | --seeds A..B] [--minutes M] [--nodes N] [--verbose]
  --seed N      the one to run; 1 when left out
  --seeds A..B  all of these, one after the other
  --minutes M   of virtual time for each; 10 when left out
  --nodes N     nodes at the start; drawn from the seed when left out
  --verbose     every event as it comes`;

interface Wanted {
  readonly seeds: readonly number[];
  readonly minutes: number;
  readonly nodes: number | undefined;
  readonly isVerbose: boolean;
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      seeds: { type: "string" },
      minutes: { type: "string", default: "10" },
      nodes: { type: "string" },
      verbose: { type: "boolean", default: false },
    },
  });
  const [first, last] = (values.seeds ?? `${values.seed}..${values.seed}`).split("..").map(Number);
  const nodes = values.nodes === undefined ? undefined : Number(values.nodes);
  const minutes = Number(values.minutes);
  if (![first, last, minutes, nodes ?? 1].every((number) => Number.isFinite(number))) throw new RangeError(USAGE);
  const count = (last as number) - (first as number) + 1;
  const seeds = Array.from({ length: Math.max(1, count) }, (_, index) => (first as number) + index);
  return { seeds, minutes, nodes, isVerbose: values.verbose };
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function runSeed(seed: number, { minutes, nodes, isVerbose, seeds }: Wanted): Promise<void> {
  const isOnly = seeds.length === 1;
  const torture = new Torture({
    seed,
    minutes,
    ...(nodes !== undefined && { nodes }),
    ...(isVerbose && { print }),
    ...(isOnly && { progress: print }),
  });
  // Rejections that the server did not handle.
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", (error) => {
    torture.world.fail("Unhandled rejection", error);
  });
  const { rounds, counts, digest, events, faults } = await torture.run();
  if (isOnly) print([...faults].map(([name, count]) => `${name}: ${count}`).join(", "));
  print(
    `seed ${seed} passed: ${rounds} rounds, ${counts.acknowledged} answers of the engine, ${counts.terms} terms, ${counts.confirmed} homes, ${counts.partial} of ${counts.queries} queries partial, ${events} events, digest ${digest}`,
  );
}

const wanted = readArguments();
for (const seed of wanted.seeds) {
  try {
    await runSeed(seed, wanted);
  } catch (error) {
    if (!(error instanceof TortureError)) throw error;
    if (!wanted.isVerbose) for (const line of error.last) print(line);
    print(`seed ${seed} FAILED: ${error.message}`);
    process.exitCode = 1;
    break;
  }
}
