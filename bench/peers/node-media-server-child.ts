/** Runs Node-Media-Server with the configuration in the first argument and reports when it listens. */
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

interface Server {
  run(): Promise<void>;
}

const require = createRequire(import.meta.url);
const logger = require("node-media-server/src/core/logger.js") as { log: (message: string) => void };
logger.log = () => undefined;
const NodeMediaServer = require("node-media-server") as new (config: unknown) => Server;

await new NodeMediaServer(JSON.parse(process.argv[2] ?? "{}")).run();
await sleep(300); // its listeners open in the background without an event
console.log(JSON.stringify({ event: "ready" }));
process.on("SIGTERM", () => process.exit(0));
