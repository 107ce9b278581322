/** Programs with client libraries of others in Sentinel mode, each in a process of its own, writing all the time. */
import { join } from "node:path";
import { type Child, startChild } from "@sluice/testkit/child";

const FOLDER = join(import.meta.dirname, "sentinel-clients");
/** Debian's own, since its redis-py is a package of Debian. */
const PYTHON = "/usr/bin/python3";
/** Beyond any time that a client takes, however busy the machine: one that is not back by then hangs. */
const WAIT_MILLIS = 60_000;

const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "ioredis 6": [process.execPath, join(FOLDER, "ioredis.ts"), "ioredis"],
  "ioredis 5": [process.execPath, join(FOLDER, "ioredis.ts"), "ioredis5"],
  iovalkey: [process.execPath, join(FOLDER, "ioredis.ts"), "iovalkey"],
  "node-redis 6": [process.execPath, join(FOLDER, "node-redis.ts"), "node-redis6", "guided"],
  "node-redis 5": [process.execPath, join(FOLDER, "node-redis.ts"), "node-redis5", "guided"],
  "redis-py": [PYTHON, join(FOLDER, "redis_py.py"), "redis-py"],
};

/** Without time-outs: these know of a silent leader by Sentinel alone. */
const PLAIN_PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "plain node-redis 6": [process.execPath, join(FOLDER, "node-redis.ts"), "node-redis6", "plain"],
  "plain node-redis 5": [process.execPath, join(FOLDER, "node-redis.ts"), "node-redis5", "plain"],
};

export const CLIENT_NAMES = Object.keys(PROGRAMS);
export const PLAIN_CLIENT_NAMES = Object.keys(PLAIN_PROGRAMS);

/** A write that was acknowledged after a mark. */
export interface Written {
  /** Its value too. */
  readonly key: string;
  readonly errors: number;
  /** The longest time without an acknowledgement since the mark before. */
  readonly gapMillis: number;
}

/** Dispose it (`await using`), and the process is dead. */
export class SentinelClient implements AsyncDisposable {
  readonly name: string;
  readonly #child: Child;

  /** @param ports  of the members, in the order in which the client knows them */
  constructor(name: string, ports: readonly number[]) {
    this.name = name;
    this.#child = startChild([...(PROGRAMS[name] ?? PLAIN_PROGRAMS[name] ?? []), ...ports.map(String)]);
  }

  mark(event: string): void {
    this.#child.write(`${event}\n`);
  }

  /** The first write that began after the mark. @throws {Error} with what the program said, when there is none */
  async writtenAfter(mark: string): Promise<Written> {
    return (await this.#child.waitForEvent(mark, WAIT_MILLIS)) as unknown as Written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
