/** How writers notice a killed leader, and a paused follower. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { quantile } from "../../tools/loadgen/quantile.ts";
import type { BenchOptions } from "../options.ts";
import { CacheVoters, openSentinelClient } from "../peers/cache-voters.ts";
import { formatTable, short } from "../table.ts";
import { judge, readBudget, type ScenarioResult } from "../verdict.ts";

const LANES = 4;
const PAUSE_MS = 2_000;

/** Writes continuously and keeps the longest time without an acknowledgement. */
class Writer implements AsyncDisposable {
  longestGap = 0;
  lastAck = performance.now();
  readonly #redis: Redis;
  readonly #lanes: readonly Promise<void>[];
  #isStopping = false;

  constructor(redis: Redis) {
    this.#redis = redis;
    this.#lanes = Array.from({ length: LANES }, (_, lane) => this.#run(lane));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    this.#redis.disconnect();
    await Promise.all(this.#lanes);
  }

  async #run(lane: number): Promise<void> {
    for (let count = 0; !this.#isStopping; count++) {
      try {
        await this.#redis.set(`lane:${lane}`, String(count));
        const now = performance.now();
        this.longestGap = Math.max(this.longestGap, now - this.lastAck);
        this.lastAck = now;
      } catch {
        await sleep(5); // not confirmed: try the next
      }
    }
  }
}

async function gapOfKill(voters: CacheVoters, writer: Writer): Promise<number> {
  const leader = await voters.settled();
  await sleep(500);
  writer.longestGap = 0;
  const at = performance.now();
  await voters.kill(leader);
  while (writer.lastAck <= at + 50) await sleep(5);
  await sleep(200);
  const gap = writer.longestGap;
  voters.restart(leader);
  return gap;
}

export async function cacheGaps(options: BenchOptions): Promise<ScenarioResult> {
  await using voters = await CacheVoters.start("quorum");
  await using writer = new Writer(await openSentinelClient(voters));
  const gaps: number[] = [];
  for (let kill = 0; kill < options.kills; kill++) gaps.push(await gapOfKill(voters, writer));
  const sorted = [...gaps].sort((a, b) => a - b);
  const [p50, p99, most] = [quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.at(-1) ?? Number.NaN];
  console.log(
    formatTable(
      ["kill -9 of the leader", "p50 ms", "p99 ms", "max ms"],
      [[`${gaps.length} times`, short(p50), short(p99), short(most)]],
    ),
  );
  return { results: gaps, verdicts: [judge(readBudget(), "cache.gap.p99Ms", "no writes after kill -9: p99 ms", p99)] };
}

export async function cachePause(_options: BenchOptions): Promise<ScenarioResult> {
  await using voters = await CacheVoters.start("quorum");
  await using writer = new Writer(await openSentinelClient(voters));
  const elections = async (): Promise<number> =>
    (await voters.statuses()).reduce((sum, status) => sum + status.elections + status.term, 0);
  const leader = await voters.settled();
  const followers = voters.ids.filter((id) => id !== leader);
  const before = await elections();
  writer.longestGap = 0;
  for (const id of followers) {
    voters.signal(id, "SIGSTOP");
    await sleep(PAUSE_MS);
    voters.signal(id, "SIGCONT");
    await sleep(1_000);
  }
  await voters.settled();
  const more = (await elections()) - before;
  console.log(
    formatTable(
      ["pause of each follower", "elections", "longest gap ms"],
      [[`${PAUSE_MS} ms`, String(more), short(writer.longestGap)]],
    ),
  );
  const verdict = judge(readBudget(), "cache.pause.elections", `${PAUSE_MS} ms pause of a follower: elections`, more);
  return { results: [{ elections: more, longestGapMs: writer.longestGap }], verdicts: [verdict] };
}
