/** Servers of one cluster, each a process with a configuration file that a test rewrites. */
import { writeFileSync } from "node:fs";
import type { LinkRow, NodeRow, NodesAnswer } from "@sluice/client/admin-contract";
import { startChild } from "@sluice/testkit/child";
import { until } from "@sluice/testkit/until";
import type { WorkFolder } from "./clip.ts";
import { MAIN, portsOf, Server } from "./server.ts";

export interface ClusterServerOptions {
  readonly id: string;
  /** Lines of the section `cluster:`, such as `seeds: 127.0.0.1:7935`. */
  readonly cluster: readonly string[];
  /** Further lines. */
  readonly more?: readonly string[];
}

export class ClusterServer extends Server {
  readonly id: string;
  readonly #folder: WorkFolder;

  private constructor(server: Server, ports: Readonly<Record<string, number>>, id: string, folder: WorkFolder) {
    super(server.child, ports);
    this.id = id;
    this.#folder = folder;
  }

  /** Resolves when it is ready. Its data stays in the folder when it is started again. */
  static async start(folder: WorkFolder, options: ClusterServerOptions): Promise<ClusterServer> {
    writeConfig(folder, options);
    const child = startChild([process.execPath, MAIN, "serve", "--config", folder.file(`${options.id}.yaml`)]);
    const ports = portsOf(await child.waitForEvent("ready"));
    return new ClusterServer(new Server(child, ports), ports, options.id, folder);
  }

  /** Where others dial it. */
  get address(): string {
    return `127.0.0.1:${this.port("cluster")}`;
  }

  /** Other lines, and SIGHUP; resolves when it has reread. */
  async reread(cluster: readonly string[], more: readonly string[] = []): Promise<void> {
    const said = (): number => this.child.output("stderr").split('"Configuration reread"').length;
    const before = said();
    writeConfig(this.#folder, { id: this.id, cluster, more });
    this.child.kill("SIGHUP");
    await until("the configuration to be reread", () => said() > before);
  }

  /** What keeps it from being ready. */
  async reasons(): Promise<string> {
    const response = await fetch(this.http("/readyz"));
    return ((await response.json()) as { readonly reasons: readonly string[] }).reasons.join("; ");
  }

  nodes(): Promise<NodesAnswer> {
    return this.get<NodesAnswer>("/api/v1/nodes");
  }

  async links(): Promise<readonly LinkRow[]> {
    return (await this.get<{ readonly links: readonly LinkRow[] }>("/api/v1/links")).links;
  }

  /** Once the node's row suits. */
  node(id: string, suits: (row: NodeRow) => boolean): Promise<NodeRow> {
    return until(`node ${id} as ${this.id} sees it`, async () =>
      (await this.nodes()).nodes.find((row) => row.id === id && suits(row)),
    );
  }

  /** Lines of the log with this message, in order. */
  said(msg: string): readonly Readonly<Record<string, unknown>>[] {
    const lines = this.child.output("stderr").split("\n");
    const told = lines
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return told.filter((line) => line["msg"] === msg);
  }

  /** The first line of the log with this message that suits, said already or still to come. */
  heard(
    msg: string,
    suits: (fields: Readonly<Record<string, unknown>>) => boolean = () => true,
  ): Promise<Readonly<Record<string, unknown>>> {
    return until(`"${msg}" in the log of ${this.id}`, () => this.said(msg).find(suits));
  }
}

/** Until each lists all of them as ready and linked. */
export async function allLinked(servers: readonly ClusterServer[]): Promise<void> {
  for (const server of servers) {
    for (const { id } of servers) await server.node(id, ({ state, linked }) => state === "ready" && linked);
  }
}

/** Until each says that so many vote, one of them leads, and the rest uses the engine over links. */
export async function voting(servers: readonly ClusterServer[], voters: number): Promise<void> {
  for (const server of servers) {
    await until(`${voters} voters as ${server.id} sees it`, async () => {
      const roles = (await server.nodes()).nodes.map(({ engine }) => engine);
      const count = (role: string): number => roles.filter((one) => one === role).length;
      return count("leader") === 1 && count("voter") === voters - 1;
    });
  }
}

function writeConfig(folder: WorkFolder, { id, cluster, more = [] }: ClusterServerOptions): void {
  const lines = [
    `node.id: ${id}`,
    `data.dir: ${folder.file(`data-${id}`)}`,
    "listen.host: 127.0.0.1",
    "log.format: json",
    "rtmp.port: 0",
    "http.port: 0",
    ...more,
    "cluster:",
    ...cluster.map((line) => `  ${line}`),
  ];
  writeFileSync(folder.file(`${id}.yaml`), `${lines.join("\n")}\n`);
}
