/** A program with ioredis or its fork iovalkey in Sentinel mode, set as the guide says. Arguments: the package, the ports. */
import type { Redis as Client, RedisOptions } from "ioredis";
import { writeForEver } from "./writing.ts";

const [name = "ioredis", ...ports] = process.argv.slice(2);
const { Redis } = (await import(name)) as { readonly Redis: new (options: RedisOptions) => Client };

const redis = new Redis({
  name: "sluice",
  sentinels: ports.map((port) => ({ host: "127.0.0.1", port: Number(port) })),
  maxRetriesPerRequest: null,
  retryStrategy: () => 100,
  sentinelRetryStrategy: () => 100,
  socketTimeout: 1_000,
  connectTimeout: 1_000,
  sentinelCommandTimeout: 500,
  reconnectOnError: (error) => (error.message.startsWith("READONLY") ? 2 : false),
});
redis.on("error", () => {});
await writeForEver((text) => redis.set(text, text));
