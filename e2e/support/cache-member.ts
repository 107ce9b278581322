/** A real cache process for a test: started on its own ports and folder, killed and started again on them. */
import { join } from "node:path";
import type { NodeReport } from "@sluice/gcache/node/cluster-admin";
import { type Child, type ChildOptions, startChild } from "@sluice/testkit/child";
import { killChild } from "@sluice/testkit/process-faults";
import { Redis } from "ioredis";
import { MAIN } from "./server.ts";

export interface CacheMemberOptions {
  readonly id: string;
  /** `id=host:port,…`; `join` is said with this member alone in it. */
  readonly members: string;
  readonly respPort: number;
  readonly dir: string;
  /** More of the command line. */
  readonly args?: readonly string[];
  /** Ports that it dials → the ports of the proxies that it shall dial instead. */
  readonly dialThrough?: Readonly<Record<string, number>>;
}

const ASK_MILLIS = 1_000;

export function cacheArgv({ id, members, respPort, dir, args = [], dialThrough }: CacheMemberOptions): string[] {
  const preload = dialThrough === undefined ? [] : ["--import", join(import.meta.dirname, "dial-through.ts")];
  const own = [
    "--id",
    id,
    "--members",
    members,
    "--resp",
    `127.0.0.1:${respPort}`,
    "--dir",
    dir,
    "--log-format",
    "json",
  ];
  return [process.execPath, ...preload, MAIN, "cache", ...own, ...args];
}

/** Dispose it (`await using`), and the process is dead. */
export class CacheMember implements AsyncDisposable {
  readonly id: string;
  readonly respPort: number;
  readonly dir: string;
  /** As it was started, and is again. */
  readonly options: CacheMemberOptions;
  #child: Child;

  constructor(options: CacheMemberOptions) {
    this.id = options.id;
    this.respPort = options.respPort;
    this.dir = options.dir;
    this.options = options;
    this.#child = this.#spawn();
  }

  static async start(options: CacheMemberOptions): Promise<CacheMember> {
    const member = new CacheMember(options);
    await member.ready();
    return member;
  }

  get child(): Child {
    return this.#child;
  }

  async ready(): Promise<void> {
    await this.#child.waitForEvent("ready");
  }

  /** SIGKILL, until it is gone. */
  async kill(): Promise<void> {
    await killChild(this.#child);
  }

  /** After `kill`: the same ports and folder. */
  async restart(): Promise<void> {
    this.#child = this.#spawn();
    await this.ready();
  }

  /** @throws {Error} when it does not answer in time */
  status(): Promise<NodeReport> {
    return askStatus(this.respPort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #spawn(): Child {
    const env = { TEST_DIAL_THROUGH: JSON.stringify(this.options.dialThrough ?? {}) };
    return startChild(cacheArgv(this.options), { env } satisfies ChildOptions);
  }
}

/** Dials once and gives up soon; no error is thrown anywhere but here. */
export function openRedis(port: number): Redis {
  const redis = new Redis({
    host: "127.0.0.1",
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    retryStrategy: () => null,
    connectTimeout: ASK_MILLIS,
    commandTimeout: ASK_MILLIS,
  });
  redis.on("error", () => {});
  return redis;
}

export async function askStatus(port: number): Promise<NodeReport> {
  const redis = openRedis(port);
  try {
    await redis.connect();
    return JSON.parse(String(await redis.call("SLUICE", "STATUS"))) as NodeReport;
  } finally {
    redis.disconnect();
  }
}
