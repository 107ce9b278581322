/** The state engine on Redis: every change is one script; reports that a fail-over can lose writes. */
import type { Millis } from "@sluice/base/brand";
import { checkKey, checkPrefix, checkTtl, checkValue } from "@sluice/engine/checks";
import type {
  CasResult,
  Engine,
  EngineCapabilities,
  Entry,
  Key,
  Lease,
  WatchEvent,
  WriteOptions,
} from "@sluice/engine/engine";
import { type Epoch, formatEpoch } from "@sluice/engine/epoch";
import { EngineLeaseLostError, EngineUnavailableError } from "@sluice/engine/errors";
import { EngineLifecycle } from "@sluice/engine/remote/engine-lifecycle";
import type { RemoteEngineOptions } from "@sluice/engine/remote/engine-options";
import { Mirror } from "@sluice/engine/remote/mirror";
import { plainCopy } from "@sluice/engine/remote/plain-copy";
import { readRedisCapabilities } from "./redis-capabilities.ts";
import { isElsewhere, REDIS } from "./redis-failures.ts";
import { RedisFeed } from "./redis-feed.ts";
import { RedisLeases } from "./redis-leases.ts";
import { RedisClient } from "./redis-client.ts";
import { RedisLogs } from "./redis-logs.ts";
import { RedisMessages } from "./redis-messages.ts";
import { readEpoch } from "./redis-names.ts";
import type { ScriptArgument, ScriptReply } from "./redis-runner.ts";
import type { RedisScript } from "./redis-scripts.ts";

export class RedisEngine implements Engine {
  readonly logs: RedisLogs;
  readonly #line: RedisClient;
  readonly #capabilities: EngineCapabilities;
  readonly #lifecycle = new EngineLifecycle();
  readonly #mirror = new Mirror();
  readonly #messages: RedisMessages;
  readonly #feed: RedisFeed;
  readonly #leases: RedisLeases;

  constructor(line: RedisClient, capabilities: EngineCapabilities, options: RemoteEngineOptions) {
    this.#line = line;
    this.#capabilities = capabilities;
    this.#messages = new RedisMessages(line);
    this.#feed = new RedisFeed({ line, messages: this.#messages, mirror: this.#mirror }, options);
    this.#leases = new RedisLeases(line, options);
    this.logs = new RedisLogs(line, this.#lifecycle);
    line.listen({
      onUp: () => this.#feed.loop.wake(),
      onDown: () => this.#feed.loop.doubt("the connection is gone"),
      onListening: () => {
        this.#messages.renew();
        this.#feed.loop.wake();
      },
      onUnsubscribed: () => this.#feed.loop.doubt("the listening connection is gone"),
    });
  }

  capabilities(): EngineCapabilities {
    return this.#capabilities;
  }

  async get(key: Key): Promise<Entry | undefined> {
    this.#lifecycle.checkOpen("get");
    checkKey(key);
    const [outcome, revision, value] = await this.#script("get", "GET", [key]);
    return outcome === "entry" ? entryOf(key, revision, value) : undefined;
  }

  async cas(key: Key, expected: Epoch | "absent", value: Uint8Array, options?: WriteOptions): Promise<CasResult> {
    this.#lifecycle.checkOpen("cas");
    checkKey(key);
    checkValue(value);
    const own = plainCopy(value);
    const token = options?.lease?.token;
    const lease = token === undefined ? "" : this.#leases.bind(options?.lease);
    if (lease === undefined) throw new EngineLeaseLostError({ token: token as Epoch });
    const wanted = expected === "absent" ? "" : formatEpoch(expected);
    const reply = await this.#script("cas", "CAS", [key, wanted, own, lease]);
    if (reply[0] === "lost") throw new EngineLeaseLostError({ token: token as Epoch });
    return this.#noteOwn(resultOf("cas", key, reply));
  }

  async remove(key: Key, expected: Epoch): Promise<CasResult> {
    this.#lifecycle.checkOpen("remove");
    checkKey(key);
    return this.#noteOwn(resultOf("remove", key, await this.#script("remove", "REMOVE", [key, formatEpoch(expected)])));
  }

  watch(prefix: Key, signal: AbortSignal): AsyncIterable<WatchEvent> {
    this.#lifecycle.checkOpen("watch");
    checkPrefix(prefix);
    const reader = this.#lifecycle.admit(signal);
    this.#feed.loop.start();
    return this.#mirror.watch(prefix, reader.signal, reader.leave);
  }

  async lease(ttl: Millis): Promise<Lease> {
    this.#lifecycle.checkOpen("lease");
    checkTtl(ttl);
    return this.#leases.grant(ttl);
  }

  async publish(subject: Key, message: Uint8Array): Promise<void> {
    this.#lifecycle.checkOpen("publish");
    checkKey(subject);
    checkValue(message);
    return this.#messages.publish(subject, plainCopy(message));
  }

  subscribe(subject: Key, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.#lifecycle.checkOpen("subscribe");
    checkKey(subject);
    return this.#messages.subscribe(subject, this.#lifecycle.admit(signal));
  }

  /** Releases its leases if the server answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lifecycle.isClosed) return;
    this.#lifecycle.close();
    await this.#leases.releaseAll();
    await this.abandon();
  }

  /** Ends like a killed process: its leases run out. */
  async abandon(): Promise<void> {
    this.#lifecycle.close();
    this.#leases.close();
    await this.#line.close();
    await this.#feed.loop.close();
  }

  #noteOwn(result: CasResult): CasResult {
    if (result.outcome === "written") this.#mirror.made(result.revision);
    return result;
  }

  async #script(action: string, script: RedisScript, args: readonly ScriptArgument[]): Promise<ScriptReply> {
    const bytes = args.reduce<number>((sum, arg) => sum + (arg instanceof Uint8Array ? arg.length : 0), 0);
    try {
      return await this.#line.script({ action, isWrite: script !== "GET", bytes }, script, args);
    } catch (error) {
      if (isElsewhere(error)) this.#line.hangUp();
      throw error;
    }
  }
}

/**
 * @throws {EngineUnavailableError} when no server answers
 * @throws {EngineServerUnfitError} when it is too old
 */
export async function openRedisEngine(options: RemoteEngineOptions): Promise<RedisEngine> {
  const line = new RedisClient(options);
  await line.open();
  try {
    return new RedisEngine(line, await readRedisCapabilities(line, options.log), options);
  } catch (error) {
    await line.close();
    throw error;
  }
}

function resultOf(action: string, key: Key, [outcome, revision, value]: ScriptReply): CasResult {
  if (outcome === "conflict") return { outcome, current: revision && entryOf(key, revision, value) };
  const written = readEpoch(String(revision));
  if (outcome === "written" && written !== undefined) return { outcome, revision: written };
  const reason = `its answer is ${JSON.stringify(outcome)}`;
  throw new EngineUnavailableError({ engine: REDIS, action, reason, isUnknown: true });
}

function entryOf(key: Key, revision: Buffer | undefined, value: Buffer | undefined): Entry | undefined {
  const epoch = readEpoch(String(revision));
  return epoch && value && { key, value: plainCopy(value), revision: epoch };
}
