/** Real nats-server and redis-server processes for a test: on free loopback ports, with their data in a folder that goes with them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { type Child, startChild } from "@sluice/testkit/child";
import { freePort } from "@sluice/testkit/free-port";
import { killChild } from "@sluice/testkit/process-faults";
import { until } from "@sluice/testkit/until";

export type EngineServerKind = "nats" | "redis";

const STARTING_MILLIS = 15_000;

/** Three servers that share two cores with everything else elect within seconds, or within half a minute. */
export const ELECTION_MILLIS = 60_000;

/** Dispose it (`await using`), and the server is dead and its data gone. */
export class EngineServer implements AsyncDisposable {
  readonly kind: EngineServerKind;
  readonly port: number;
  readonly #folder: string;
  readonly #extra: readonly string[];
  #child: Child;

  private constructor(kind: EngineServerKind, port: number, folder: string, extra: readonly string[]) {
    this.kind = kind;
    this.port = port;
    this.#folder = folder;
    this.#extra = extra;
    this.#child = startChild(commandOf(kind, port, folder, extra));
  }

  /** @throws {Error} when the program is missing or does not come up: tools/setup/programs.sh installs it */
  static async start(kind: EngineServerKind, extra: readonly string[] = []): Promise<EngineServer> {
    const folder = await mkdtemp(join(tmpdir(), `sluice-${kind}-`));
    const server = new EngineServer(kind, await freePort(), folder, extra);
    await server.#ready();
    return server;
  }

  get url(): string {
    return this.urlAt(this.port);
  }

  get child(): Child {
    return this.#child;
  }

  /** As a client behind a proxy on that port dials it. */
  urlAt(port: number): string {
    return `${this.kind}://127.0.0.1:${port}`;
  }

  /** SIGKILL, and again on the same port and data. */
  async restart(pauseMillis = 0): Promise<void> {
    await killChild(this.#child);
    await new Promise((resolve) => setTimeout(resolve, pauseMillis));
    this.#child = startChild(commandOf(this.kind, this.port, this.#folder, this.#extra));
    await this.#ready();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await killChild(this.#child);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const sign = this.kind === "nats" ? "Server is ready" : "Ready to accept connections";
    await this.#child.waitForLine((line) => (line.includes(sign) ? true : undefined), STARTING_MILLIS);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1", () => resolve(void socket.destroy()));
      socket.once("error", reject);
    });
  }
}

function commandOf(kind: EngineServerKind, port: number, folder: string, extra: readonly string[]): string[] {
  if (kind === "nats") return ["nats-server", "-a", "127.0.0.1", "-p", `${port}`, "-js", "-sd", folder, ...extra];
  const flags = { port, bind: "127.0.0.1", dir: folder, appendonly: "yes", save: "", daemonize: "no" };
  return ["redis-server", ...Object.entries(flags).flatMap(([key, value]) => [`--${key}`, `${value}`]), ...extra];
}

/** Tells which of some Redis servers is the primary, and makes another one that when it is gone. Dispose it. */
export async function startSentinel(primaryPort: number): Promise<{ readonly port: number } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-sentinel-"));
  const [port, file] = [await freePort(), join(folder, "sentinel.conf")];
  const settings = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor primary 127.0.0.1 ${primaryPort} 1`,
    "sentinel down-after-milliseconds primary 500",
    "sentinel failover-timeout primary 2000",
  ];
  await writeFile(file, settings.join("\n"));
  const child = startChild(["redis-server", file, "--sentinel"]);
  await child.waitForLine((line) => (line.includes("+monitor") ? true : undefined), STARTING_MILLIS);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await killChild(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Three nats-servers that replicate: dispose it, and all are dead and their data gone. */
export class NatsCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #commands: readonly (readonly string[])[];
  readonly ports: readonly number[];
  readonly members: Child[];

  private constructor(folder: string, ports: readonly number[], commands: readonly (readonly string[])[]) {
    this.#folder = folder;
    this.ports = ports;
    this.#commands = commands;
    this.members = commands.map((command) => startChild(command));
  }

  static async start(): Promise<NatsCluster> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-nats-cluster-"));
    const ports: number[] = [];
    while (ports.length < 6) ports.push(await freePort());
    const routes = ports.slice(3).map((port) => `nats://127.0.0.1:${port}`);
    const commands = routes.map((route, index) => [
      ...commandOf("nats", ports[index] as number, join(folder, `${index}`), ["-n", `n${index}`]),
      ...["--cluster_name", "sluice", "--cluster", route, "--routes", routes.join(",")],
    ]);
    const cluster = new NatsCluster(folder, ports.slice(0, 3), commands);
    await Promise.all(cluster.members.map((member) => member.waitForLine(isJetStreamUp, STARTING_MILLIS)));
    return cluster;
  }

  get url(): string {
    return this.ports.map((port) => `nats://127.0.0.1:${port}`).join(",");
  }

  async kill(index: number): Promise<void> {
    await killChild(this.members[index] as Child);
  }

  revive(index: number): void {
    this.members[index] = startChild(this.#commands[index] as readonly string[]);
  }

  /** Until every stream has a leader and two followers that hold all it holds: only then may another member go. */
  async becomesWhole(): Promise<void> {
    const connection = await connectNats({ servers: this.url.split(",") });
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false });
      await until("a whole cluster", () => isWhole(manager).catch(() => undefined), ELECTION_MILLIS);
    } finally {
      await connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => killChild(member)));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function isWhole({ streams }: JetStreamManager): Promise<true | undefined> {
  let count = 0;
  for await (const { cluster } of streams.list()) {
    const followers = cluster?.replicas?.filter(({ current, offline }) => current && !offline) ?? [];
    if (cluster?.leader === undefined || followers.length < 2) return undefined;
    count++;
  }
  return count > 0 ? true : undefined;
}

function isJetStreamUp(line: string): true | undefined {
  return line.includes("Server is ready") ? true : undefined;
}
