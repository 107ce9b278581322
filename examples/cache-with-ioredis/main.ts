/** Counts up once a second on whichever member leads: ioredis asks the members as it would ask Sentinels of Redis. */
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";

const ports = process.argv.slice(2).map(Number);
const again = (): number => 100;
const redis = new Redis({
  name: "sluice",
  sentinels: (ports.length > 0 ? ports : [6401, 6402, 6403]).map((port) => ({ host: "127.0.0.1", port })),
  retryStrategy: again,
  sentinelRetryStrategy: again,
  maxRetriesPerRequest: null, // wait for the next leader instead of failing
  socketTimeout: 1000, // leave a leader that says nothing
  connectTimeout: 1000,
  sentinelCommandTimeout: 500,
});
redis.on("error", (error) => console.log(`looking for a leader: ${error.message}`));

for (;;) {
  console.log(`count ${await redis.incr("count")} on port ${redis.stream.remotePort}`);
  await pause(1000);
}
