/** A real server process for a test: started on free ports, asked over its own API, dead afterwards. */
import { join } from "node:path";
import type { SessionRow, StreamRow } from "@sluice/client/admin-contract";
import { type Child, startChild } from "@sluice/testkit/child";
import { until } from "@sluice/testkit/until";

export const ROOT = join(import.meta.dirname, "../..");
export const MAIN = join(ROOT, "packages/server/dist/main.js");

export interface ServerOptions {
  /** `key=value`, over loopback and free ports. */
  readonly set?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class Server implements AsyncDisposable {
  readonly child: Child;
  readonly #ports: Readonly<Record<string, number>>;

  constructor(child: Child, ports: Readonly<Record<string, number>>) {
    this.child = child;
    this.#ports = ports;
  }

  /** Of the listener of that name. */
  port(name: "rtmp" | "rtmps" | "http" | "https" | "cluster" | "resp" = "rtmp"): number {
    const port = this.#ports[name];
    if (port === undefined) throw new Error(`Cannot find listener ${name}: the ready line has none`);
    return port;
  }

  rtmp(path: string): string {
    return `rtmp://127.0.0.1:${this.port("rtmp")}/${path}`;
  }

  http(path: string): string {
    return `http://127.0.0.1:${this.port("http")}${path}`;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.http(path));
    if (!response.ok) throw new Error(`Cannot get ${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  async streams(): Promise<readonly StreamRow[]> {
    return (await this.get<{ readonly streams: readonly StreamRow[] }>("/api/v1/streams")).streams;
  }

  async sessions(): Promise<readonly SessionRow[]> {
    return (await this.get<{ readonly sessions: readonly SessionRow[] }>("/api/v1/sessions")).sessions;
  }

  /** The stream's row, once there is one that suits. */
  stream(key: string, suits: (row: StreamRow) => boolean = () => true, waitMillis?: number): Promise<StreamRow> {
    const find = async (): Promise<StreamRow | undefined> =>
      (await this.streams()).find((row) => row.key === key && suits(row));
    return until(`stream ${key}`, find, waitMillis);
  }

  /** Until nothing is known of the stream any more. */
  gone(key: string): Promise<true> {
    return until(`the end of ${key}`, async () =>
      (await this.streams()).every((row) => row.key !== key) ? true : undefined,
    );
  }

  viewers(key: string, count: number, waitMillis?: number): Promise<StreamRow> {
    return this.stream(key, (row) => row.viewers.here === count, waitMillis);
  }

  /** Sum of all samples of a metric whose labels hold `labels`, such as `code="LIMIT_RTMP"`; 0 when there is none. */
  async metric(name: string, labels = ""): Promise<number> {
    const page = await (await fetch(this.http("/metrics"))).text();
    const samples = page.split("\n").filter((line) => line.split(/[{ ]/, 1)[0] === name && line.includes(labels));
    return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
  }
}

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const defaults = ["listen.host=127.0.0.1", "rtmp.port=0", "http.port=0", "log.format=json", "log.level=debug"];
  const sets = [...defaults, ...(options.set ?? [])].flatMap((set) => ["--set", set]);
  const child = startChild([process.execPath, MAIN, "serve", "--config", "none", ...sets], { env: options.env ?? {} });
  const ready = await child.waitForEvent("ready");
  return new Server(child, portsOf(ready));
}

/** Listener name → port, of a ready line. */
export function portsOf(ready: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const listeners = ready["listeners"] as Readonly<Record<string, string>>;
  return Object.fromEntries(
    Object.entries(listeners).map(([name, bound]) => [name, Number(bound.slice(bound.lastIndexOf(":") + 1))]),
  );
}
