/** The bare loops in Node and C: the cost of operating system and runtime without a server. */
import { join } from "node:path";
import { nativeProgram } from "../native.ts";
import { PinnedProcess } from "../pinned-process.ts";
import { makeCertificate, type RunningServer, SERVER_CORE, temporaryFolder } from "./running-server.ts";

export interface LoopOptions {
  /** Writes per second and player. */
  readonly writes: number;
  readonly slices: number;
  readonly bytesPerSecond: number;
  readonly tls: boolean;
}

const common = (options: LoopOptions): string[] => [
  ...["--writes", String(options.writes), "--slices", String(options.slices)],
  ...["--bytes-per-second", String(options.bytesPerSecond)],
];

export async function startCLoop(options: LoopOptions): Promise<RunningServer> {
  const child = new PinnedProcess({ core: SERVER_CORE, command: nativeProgram("c-loop"), args: common(options) });
  const ready = await child.take("ready", 5_000);
  return {
    process: child,
    ports: { raw: Number(ready["port"]) },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

export async function startNodeLoop(options: LoopOptions): Promise<RunningServer> {
  const folder = temporaryFolder();
  const { cert, key } = options.tls ? makeCertificate(folder.path) : { cert: "", key: "" };
  const args = [
    join(import.meta.dirname, "..", "node-loop.ts"),
    ...common(options),
    ...(options.tls ? ["--cert", cert, "--key", key] : []),
  ];
  const child = new PinnedProcess({ core: SERVER_CORE, command: process.execPath, args });
  const ready = await child.take("ready", 5_000);
  return {
    process: child,
    ports: { [options.tls ? "raw+tls" : "raw"]: Number(ready["port"]) },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}
