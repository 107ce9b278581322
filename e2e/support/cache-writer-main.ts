/**
 * Writes to a cache from inside a network namespace: `node cache-writer-main.ts host:port,…`. Told `stop` on standard
 * input it reads everything back, judges the history, and says how it went as one JSON line.
 */
import { createInterface } from "node:readline";
import { checkHistory } from "@sluice/testkit/linearizability";
import { CacheLedger, findMissing, openSentinelRedis } from "./cache-ledger.ts";
import { CacheRegisters } from "./cache-registers.ts";

const sentinels = (process.argv[2] ?? "").split(",").map((address) => {
  const [host = "", port] = address.split(":");
  return { host, port: Number(port) };
});
const ledger = new CacheLedger(sentinels);
const registers = new CacheRegisters(sentinels);
const say = (event: string, more: object = {}): void =>
  void process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

let round = 0;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "stop") break;
  registers.nextKeys();
  await ledger.writesAgain();
  say(`written-${++round}`, { longestGap: Math.round(ledger.takeLongestGap()) });
}
await Promise.all([ledger.stop(), registers.stop()]);
const redis = openSentinelRedis(sentinels);
const missing = await findMissing(redis, ledger.acknowledged);
await registers.readAll(redis);
redis.disconnect();
const { verdict } = checkHistory(registers.recorder.history());
say("result", { acknowledged: ledger.acknowledged.length, missing, verdict, heard: registers.recorder.answeredCount });
process.exit(0);
