/**
 * Load generator: publishers of stamped synthetic streams, and players that check every frame and measure its latency.
 *
 *   node tools/loadgen/main.ts publish --url rtmp://127.0.0.1/live/load [--count 1] [--seconds 0]
 *   node tools/loadgen/main.ts play --url rtmp://127.0.0.1/live/load [--count 1] [--rate 50] [--seconds 10]
 *
 * Several publishers append -0, -1, … to the name. Play takes rtmp, rtmps, http and https (FLV) addresses. Seconds 0 means
 * until interrupted. Latency needs both on one machine: stamps use its monotonic clock.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { FrameMint } from "./frame-stamp.ts";
import { type PlayerCounts, startPlayer } from "./player.ts";
import { startPublisher } from "./publisher.ts";
import { quantile } from "./quantile.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: "rtmp://127.0.0.1/live/load" },
    count: { type: "string", default: "1" },
    rate: { type: "string", default: "50" },
    seconds: { type: "string" },
  },
});

const mint = new FrameMint();
const count = Number(values.count);
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());
process.once("SIGTERM", () => interrupted.abort());

const pause = (seconds: number): Promise<unknown> =>
  sleep(seconds > 0 ? seconds * 1_000 : 2 ** 31 - 1, undefined, { signal: interrupted.signal }).catch(() => undefined);

const countStates = (all: readonly { readonly state: string }[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(all, (one) => one.state)].map(([state, some]) => [state, some.length]));

function urlOf(index: number): URL {
  const url = new URL(values.url);
  if (count > 1) url.pathname += `-${index}`;
  return url;
}

async function publish(): Promise<void> {
  const publishers = Array.from({ length: count }, (_, index) => startPublisher(urlOf(index), mint));
  await pause(Number(values.seconds ?? 0));
  const counts = publishers.map((publisher) => publisher.counts);
  const frames = counts.reduce((sum, one) => sum + one.frames, 0);
  console.log(JSON.stringify({ publishers: count, states: countStates(counts), frames }));
  for (const publisher of publishers) publisher.stop();
}

function summarise(all: readonly PlayerCounts[]): Record<string, unknown> {
  const sum = (field: "frames" | "bytes" | "damaged" | "holes"): number =>
    all.reduce((total, one) => total + one[field], 0);
  const latencies = all.flatMap((one) => one.latenciesMs);
  const joins = all.flatMap((one) => (one.joinMs === undefined ? [] : [one.joinMs]));
  const both = (list: readonly number[]): Record<string, number> => ({
    p50: quantile(list, 0.5),
    p99: quantile(list, 0.99),
  });
  return {
    players: all.length,
    states: countStates(all),
    ...{ frames: sum("frames"), bytes: sum("bytes"), damaged: sum("damaged"), holes: sum("holes") },
    latencyMs: both(latencies),
    joinMs: both(joins),
  };
}

async function play(): Promise<void> {
  const players: ReturnType<typeof startPlayer>[] = [];
  for (let index = 0; index < count && !interrupted.signal.aborted; index++) {
    players.push(startPlayer(new URL(values.url), mint));
    await sleep(1_000 / Number(values.rate));
  }
  await pause(Number(values.seconds ?? 10));
  console.log(JSON.stringify(summarise(players.map((player) => player.counts))));
  for (const player of players) player.stop();
}

const command = { publish, play }[positionals[0] ?? ""];
if (command === undefined) {
  console.error("Say publish or play; the head of tools/loadgen/main.ts lists the options.");
  process.exit(2);
}
await command();
process.exit(0);
