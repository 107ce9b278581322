/** Three voting cache processes, sharing both cores. */
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { PinnedProcess } from "../pinned-process.ts";
import { startMember } from "./cache-server.ts";
import { askStatus, type VoterStatus } from "./cache-status.ts";
import { freePort, temporaryFolder } from "./running-server.ts";

interface Voter {
  readonly id: string;
  readonly port: number;
  process: PinnedProcess;
}

const SIZE = 3;
const SETTLING_MS = 20_000;

export class CacheVoters implements AsyncDisposable {
  readonly #voters: Voter[] = [];
  readonly #folder = temporaryFolder();
  readonly #members: string;
  readonly #ack: string;

  private constructor(members: string, ack: string) {
    this.#members = members;
    this.#ack = ack;
  }

  static async start(ack: string): Promise<CacheVoters> {
    const ids = Array.from({ length: SIZE }, (_, index) => `n${index + 1}`);
    const members: string[] = [];
    for (const id of ids) members.push(`${id}=127.0.0.1:${await freePort()}`);
    const voters = new CacheVoters(members.join(","), ack);
    for (const id of ids) {
      const port = await freePort();
      voters.#voters.push({ id, port, process: voters.#spawn(id, port) });
    }
    await voters.settled();
    return voters;
  }

  get sentinels(): { host: string; port: number }[] {
    return this.#voters.map(({ port }) => ({ host: "127.0.0.1", port }));
  }

  get ids(): readonly string[] {
    return this.#voters.map(({ id }) => id);
  }

  portOf(id: string): number {
    return this.#get(id).port;
  }

  /** Sends SIGKILL and waits for the end. */
  async kill(id: string): Promise<void> {
    const { pid } = this.#get(id).process;
    process.kill(pid, "SIGKILL");
    for (;;) {
      if (this.#get(id).process.hasEnded) return;
      await sleep(2);
    }
  }

  restart(id: string): void {
    const voter = this.#get(id);
    voter.process = this.#spawn(id, voter.port);
  }

  signal(id: string, signal: "SIGSTOP" | "SIGCONT"): void {
    process.kill(this.#get(id).process.pid, signal);
  }

  /** Statuses of the nodes that answer. */
  async statuses(): Promise<VoterStatus[]> {
    const asked = await Promise.all(this.#voters.map(({ port }) => askStatus(port)));
    return asked.filter((status) => status !== undefined);
  }

  /** Waits until one leads and the others have everything committed. @returns its id */
  async settled(): Promise<string> {
    for (const end = performance.now() + SETTLING_MS; performance.now() < end; await sleep(100)) {
      const statuses = await this.statuses();
      const leader = statuses.find(({ role }) => role === "leader");
      if (leader === undefined || statuses.length < SIZE) continue;
      const agree = statuses.every((one) => one.leader === leader.node && one.term === leader.term);
      const hold = leader.members.every(({ id, held }) => id === leader.node || (held ?? 0) + 5_000 >= leader.commit);
      if (agree && hold) return leader.node;
    }
    throw new Error(`The voters do not agree on a leader after ${SETTLING_MS} ms`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id, process } of this.#voters) if (!process.hasEnded) await this.kill(id);
    this.#folder.remove();
  }

  #spawn(id: string, port: number): PinnedProcess {
    const dir = join(this.#folder.path, id);
    return startMember({ core: "0,1", id, members: this.#members, port, dir, ack: this.#ack });
  }

  #get(id: string): Voter {
    const voter = this.#voters.find((one) => one.id === id);
    if (voter === undefined) throw new RangeError(`Cannot find voter ${id}`);
    return voter;
  }
}

/** A client of all three that follows the leader, with a short reconnect delay. */
export async function openSentinelClient(voters: CacheVoters): Promise<Redis> {
  const redis = new Redis({
    sentinels: voters.sentinels,
    name: "sluice",
    retryStrategy: () => 20,
    sentinelRetryStrategy: () => 20,
    socketTimeout: 1_000,
    maxRetriesPerRequest: null,
    reconnectOnError: (error) => (error.message.startsWith("READONLY") ? 2 : false),
  });
  redis.on("error", () => undefined);
  await once(redis, "ready");
  return redis;
}
