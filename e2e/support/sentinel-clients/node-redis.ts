/** A program with node-redis in Sentinel mode. Arguments: the package, `guided` to set it as the guide says, the ports. */
import { writeForEver } from "./writing.ts";

/** What both versions have in common, as far as it is used here. */
interface Client {
  on(event: "error", listener: (error: Error) => void): void;
  connect(): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
}

const [name = "node-redis6", settings, ...ports] = process.argv.slice(2);
const library = (await import(name)) as { readonly createSentinel: (options: object) => Client };
const sentinelTimeout = name === "node-redis5" ? 1_000 : 300;

const guided = {
  nodeClientOptions: {
    disableClientInfo: true,
    pingInterval: 300,
    socket: { connectTimeout: 1_000, socketTimeout: 1_000, reconnectStrategy: false },
  },
  sentinelClientOptions: {
    disableClientInfo: true,
    pingInterval: 200,
    socket: { connectTimeout: sentinelTimeout, socketTimeout: sentinelTimeout },
  },
};
const redis = library.createSentinel({
  name: "sluice",
  sentinelRootNodes: ports.map((port) => ({ host: "127.0.0.1", port: Number(port) })),
  ...(settings === "guided" ? guided : {}),
});
redis.on("error", () => {});
await redis.connect();
await writeForEver((text) => redis.set(text, text));
