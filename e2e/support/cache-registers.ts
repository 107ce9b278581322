/** Clients that read, write, claim and delete the same few keys at random, and record what they heard. */
import { setTimeout as pause } from "node:timers/promises";
import { HistoryRecorder, type OperationHandle, type RegisterCall } from "@sluice/testkit/history";
import type { Redis } from "ioredis";
import { openSentinelRedis, type Sentinels } from "./cache-ledger.ts";

const CLIENTS = 5;
const KEYS = 3;
const ANSWER_MILLIS = 700;
const LONGEST_PAUSE_MILLIS = 12;

/** Each of these says that nothing was done. */
const REFUSED = /^(READONLY|MASTERDOWN|TRYAGAIN|MISCONF|LOADING)/;

/** Dispose it (`await using`), and it is stopped. */
export class CacheRegisters implements AsyncDisposable {
  readonly recorder = new HistoryRecorder(() => `${Math.round(performance.now())} ms`);
  readonly #clients: readonly Redis[];
  readonly #runs: readonly Promise<void>[];
  #group = 0;
  #values = 0;
  #isStopping = false;

  constructor(sentinels: Sentinels) {
    // Never sent twice: a put that is done again later would be two.
    const open = (): Redis =>
      openSentinelRedis(sentinels, {
        autoResendUnfulfilledCommands: false,
        commandTimeout: ANSWER_MILLIS,
        reconnectOnError: (error) => /^(READONLY|MASTERDOWN)/.test(error.message),
      });
    this.#clients = Array.from({ length: CLIENTS }, open);
    this.#runs = this.#clients.map((redis, index) => this.#run(redis, `c${index}`));
  }

  /** Other keys from now on: short histories are quick to judge. */
  nextKeys(): void {
    this.#group++;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#runs);
    for (const client of this.#clients) client.disconnect();
  }

  /** Every key that was ever used, once more, as the last thing of the history. */
  async readAll(redis: Redis): Promise<void> {
    for (const key of this.#keys()) await this.#ask(redis, "last", key, { type: "get" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #keys(): string[] {
    const groups = Array.from({ length: this.#group + 1 }, (_, group) => group);
    return groups.flatMap((group) => Array.from({ length: KEYS }, (_, key) => `register:${group}:${key}`));
  }

  async #run(redis: Redis, client: string): Promise<void> {
    while (!this.#isStopping) {
      const key = `register:${this.#group}:${Math.floor(Math.random() * KEYS)}`;
      await this.#ask(redis, client, key, this.#randomCall());
      await pause(1 + Math.random() * LONGEST_PAUSE_MILLIS);
    }
  }

  #randomCall(): RegisterCall {
    const dice = Math.random();
    const value = `v${this.#values++}`;
    if (dice < 0.4) return { type: "get" };
    if (dice < 0.65) return { type: "put", value };
    return dice < 0.85 ? { type: "cas", expected: null, value } : { type: "delete" };
  }

  async #ask(redis: Redis, client: string, key: string, call: RegisterCall): Promise<void> {
    const handle = this.recorder.begin(client, key, call);
    try {
      await perform(redis, key, call, handle);
    } catch (error) {
      if (REFUSED.test((error as Error).message)) handle.refused();
      else handle.unknown();
    }
  }
}

/** A cas from nothing is what SET NX does. */
async function perform(redis: Redis, key: string, call: RegisterCall, handle: OperationHandle): Promise<void> {
  switch (call.type) {
    case "get":
      return handle.answered({ type: "found", value: await redis.get(key) });
    case "put":
      await redis.set(key, call.value);
      return handle.answered({ type: "done" });
    case "cas":
      return handle.answered({ type: "success", success: (await redis.set(key, call.value, "NX")) === "OK" });
    case "delete":
      return handle.answered({ type: "success", success: (await redis.del(key)) === 1 });
  }
}
