/** The connections to a Redis server, one for calls and one for subscriptions: their state, and failures mapped to our errors. */
import { Redis, type RedisOptions } from "ioredis";
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Log } from "@sluice/base/log";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { type Call, PendingCalls } from "@sluice/engine/remote/pending-calls";
import { DEFAULT_STORE_NAME, type RemoteEngineOptions, timingsOf } from "@sluice/engine/remote/engine-options";
import { REDIS, toUnavailable } from "./redis-failures.ts";
import { readRedisAddress } from "./redis-address.ts";
import { type RedisNames, redisNames } from "./redis-names.ts";
import { RedisRunner, type ScriptArgument, type ScriptReply, toArgument } from "./redis-runner.ts";
import type { RedisScript } from "./redis-scripts.ts";

export interface RedisClientListener {
  /** The connection for calls is up, and the current generation is known. */
  onUp(): void;
  onDown(): void;
  /** The connection for subscriptions is up, without any subscription yet. */
  onListening(): void;
  onUnsubscribed(): void;
}

export class RedisClient {
  readonly names: RedisNames;
  readonly calls = new PendingCalls(REDIS);
  /** For subscribing only. */
  readonly subscriber: Redis;
  readonly #calls: Redis;
  readonly #options: RemoteEngineOptions;
  readonly #log: Log;
  readonly #runner: RedisRunner;
  #listener: RedisClientListener | undefined;
  #generation = 0;
  #finding: Promise<void> | undefined;
  #isClosing = false;
  #lastError: Error | undefined;

  constructor(options: RemoteEngineOptions) {
    this.#options = options;
    this.#log = options.log;
    this.names = redisNames(options.name ?? DEFAULT_STORE_NAME);
    this.#calls = this.#connection();
    this.#runner = new RedisRunner(this.#calls);
    this.subscriber = this.#connection();
    this.#calls.on("ready", () => void this.#becomeUp());
    this.#calls.on("close", () => this.#becomeDown());
    this.subscriber.on("ready", () => this.#listener?.onListening());
    this.subscriber.on("close", () => this.#listener?.onUnsubscribed());
  }

  get generation(): number {
    return this.#generation;
  }

  get canSubscribe(): boolean {
    return this.subscriber.status === "ready";
  }

  listen(listener: RedisClientListener): void {
    this.#listener = listener;
  }

  /** @throws {EngineUnavailableError} when no server answers */
  async open(): Promise<void> {
    try {
      await Promise.race([Promise.all([this.#calls.connect(), this.subscriber.connect()]), this.#outOfTime()]);
      await this.find();
      this.calls.open();
    } catch (error) {
      await this.close();
      // The client's own error is less specific than the failure recorded on the way.
      throw toUnavailable({ action: "open", isWrite: false, bytes: 0 }, this.#lastError ?? error);
    }
  }

  /**
   * Runs one of our scripts, a second time if the store was founded anew meanwhile: a script with an outdated
   * generation changes nothing.
   *
   * @throws {EngineUnavailableError}
   */
  async script(
    call: Call,
    script: RedisScript,
    args: readonly ScriptArgument[],
    extraKeys: readonly string[] = [],
  ): Promise<ScriptReply> {
    const run = (): Promise<ScriptReply> =>
      this.call(call, () =>
        this.#runner.run(script, [this.#epochKey, ...extraKeys], [this.names.root, this.#generation, ...args]),
      );
    const reply = await run();
    if (reply[0] !== "moved") return reply;
    await this.find();
    const second = await run();
    if (second[0] !== "moved") return second;
    const reason = "its store keeps being founded anew";
    throw new EngineUnavailableError({ engine: REDIS, action: call.action, reason, isUnknown: false });
  }

  /** Any other command. */
  command(call: Call, ...parts: readonly [string, ...(string | Uint8Array)[]]): Promise<unknown> {
    const [name, ...args] = parts;
    return this.call(call, () => this.#calls.callBuffer(name, ...args.map(toArgument)));
  }

  call<T>(call: Call, run: () => Promise<T>): Promise<T> {
    return this.calls.pass(call, async () => {
      try {
        return await run();
      } catch (error) {
        throw toUnavailable(call, error);
      }
    });
  }

  /** Finds the current generation; founds the store, with a higher generation than any known, if there is none. */
  find(): Promise<void> {
    this.#finding ??= this.#find().finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  /** The server is silent, or refuses writes: closes the connections, so that the clients dial again. */
  hangUp(): void {
    if (this.#isClosing) return;
    this.#calls.disconnect(true);
    this.subscriber.disconnect(true);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.calls.close("the engine is closing");
    this.#calls.disconnect();
    this.subscriber.disconnect();
  }

  /** With Sentinels the client alone would retry for ever. */
  async #outOfTime(): Promise<never> {
    const { clock } = this.#options;
    await clock.sleep(timingsOf(this.#options).answer, new AbortController().signal);
    throw new Error("no server answered in time");
  }

  async #find(): Promise<void> {
    const least = Math.max(this.#options.clock.wall(), this.#generation + 1);
    this.#generation = await this.#runner.find(this.#epochKey, least);
  }

  get #epochKey(): string {
    return `${this.names.root}epoch`;
  }

  async #becomeUp(): Promise<void> {
    if (this.#generation === 0 || this.#isClosing) return;
    try {
      await this.find();
    } catch (error) {
      this.#log.debug({ err: error, engine: REDIS }, "engine found its server, but not its store");
      this.hangUp();
      return;
    }
    this.calls.open();
    this.#log.info({ engine: REDIS }, "engine found its server again");
    this.#listener?.onUp();
  }

  #becomeDown(): void {
    if (this.calls.isOpen) this.#log.warn({ engine: REDIS }, "engine lost its server");
    this.calls.close("the connection to its server is gone");
    this.#listener?.onDown();
  }

  #connection(): Redis {
    const { answer, retryFirst: first, retryCap: cap } = timingsOf(this.#options);
    const backoff = new Backoff({ first, cap, factor: 2, random: this.#options.random });
    const address = readRedisAddress(this.#options.url);
    const options = connectionOptions(answer, () => backoff.next());
    const connection =
      address.kind === "direct" ? new Redis(address.url, options) : new Redis({ ...options, ...address.options });
    connection.on("ready", () => backoff.reset());
    // Each failure also ends the connection, which is reported and logged as such.
    connection.on("error", (error: Error) => {
      this.#lastError = error;
      this.#log.debug({ err: error, engine: REDIS }, "connection to the engine's server failed");
    });
    return connection;
  }
}

/** Nothing is resent after a reconnect, and nothing waits for one: the caller decides how to handle an unknown outcome. */
function connectionOptions(
  answer: Millis,
  retryStrategy: () => Millis,
): RedisOptions & { readonly replyMapping: "legacy" } {
  return {
    replyMapping: "legacy",
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: answer,
    commandTimeout: answer,
    disableClientInfo: true,
    protocol: 2,
    retryStrategy,
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: answer,
  };
}
