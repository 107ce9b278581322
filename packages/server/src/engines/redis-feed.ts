/** Keeps the mirror true to a Redis store: published changes, counted without gaps, upon a full read; and anew upon any doubt. */
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { type RemoteEngineOptions, timingsOf } from "./engine-options.ts";
import type { RemoteEngineTimings } from "./limits.ts";
import type { Mirror } from "./mirror.ts";
import { plainCopy } from "./plain-copy.ts";
import { REDIS } from "./redis-failures.ts";
import type { RedisLine } from "./redis-line.ts";
import type { RedisMessages } from "./redis-messages.ts";
import { decodeChange, decodeKey, readEpoch } from "./redis-names.ts";

export interface RedisFeedParts {
  readonly line: RedisLine;
  readonly messages: RedisMessages;
  readonly mirror: Mirror;
}

/** One watch from its start to the first doubt. */
interface Watch {
  readonly generation: number;
  readonly end: (reason: string) => void;
  /** Number of the last change heard without a gap; undefined until the server told where it stands. */
  heard: number | undefined;
  /** A number that the server named, and when: all up to it must have been heard soon after. */
  promised: { readonly number: number; readonly since: Millis } | undefined;
}

const PAGE_KEYS = 512;
const PAGE_BYTES = 1024 * 1024;
const CALL = { action: "watch the store", isWrite: false, bytes: 0 };

export class RedisFeed {
  readonly #parts: RedisFeedParts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timings: RemoteEngineTimings;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #pause = new AbortController();
  #watch: Watch | undefined;
  #ended: Promise<void> | undefined;

  constructor(parts: RedisFeedParts, options: RemoteEngineOptions) {
    this.#parts = parts;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#timings = timingsOf(options);
    const { retryFirst: first, retryCap: cap } = this.#timings;
    this.#backoff = new Backoff({ first, cap, factor: 2, random: options.random });
  }

  /** From the first watch on; until then nothing is copied. */
  start(): void {
    if (!this.#closing.signal.aborted) this.#ended ??= this.#run();
  }

  /** Something came back: no need to wait any longer. */
  wake(): void {
    this.#pause.abort();
  }

  /** Ends the present watch; a new one begins with a full read. */
  doubt(reason: string): void {
    this.#watch?.end(reason);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#pause.abort();
    this.doubt("the engine is closing");
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const reason = await this.#follow().catch((error: unknown) => String(error));
      this.#parts.mirror.doubt();
      if (this.#closing.signal.aborted) return;
      this.#log.debug({ engine: REDIS, reason }, "engine reads its store anew");
      await this.#rest();
    }
  }

  async #rest(): Promise<void> {
    this.#pause = new AbortController();
    const signal = AbortSignal.any([this.#pause.signal, this.#closing.signal]);
    await this.#clock.sleep(this.#backoff.next(), signal).catch(() => {});
  }

  /** @returns why it ended */
  async #follow(): Promise<string> {
    const { line, messages, mirror } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<string>();
    const watch: Watch = { generation: line.generation, end: resolve, heard: undefined, promised: undefined };
    this.#watch = watch;
    const early: Uint8Array[] = [];
    const unsubscribe = messages.hear(line.names.changes, (message) => {
      if (watch.heard === undefined) early.push(plainCopy(message));
      else this.#receive(watch, message);
    });
    try {
      await messages.settled();
      mirror.beginReload();
      watch.heard = await this.#position();
      for (const message of early.splice(0)) this.#receive(watch, message);
      await Promise.race([this.#readAll(), promise]);
      mirror.finishReload();
      this.#backoff.reset();
      void this.#beat(watch, promise);
      return await promise;
    } finally {
      this.#watch = undefined;
      resolve("it ended");
      unsubscribe();
    }
  }

  async #position(): Promise<number> {
    const [, number] = await this.#parts.line.script(CALL, "POSITION", []);
    return Number(String(number));
  }

  async #readAll(): Promise<void> {
    const { line, mirror } = this.#parts;
    let from: Uint8Array = new Uint8Array(0);
    do {
      const [, last, ...fields] = await line.script(CALL, "PAGE", [from, PAGE_KEYS, PAGE_BYTES]);
      for (let at = 0; at + 2 < fields.length; at += 3) {
        const [key, revision, value] = fields.slice(at, at + 3) as [Buffer, Buffer, Buffer];
        const [name, epoch] = [decodeKey(key), readEpoch(String(revision))];
        if (name !== undefined && epoch !== undefined)
          mirror.put({ key: name, value: plainCopy(value), revision: epoch });
      }
      from = last ?? new Uint8Array(0);
    } while (from.length > 0);
  }

  #receive(watch: Watch, message: Uint8Array): void {
    const change = decodeChange(message);
    if (change === undefined) return watch.end("a change cannot be read");
    const { generation, number } = change.revision;
    if (generation !== watch.generation) return watch.end("the store was founded anew");
    const heard = watch.heard ?? 0;
    if (number > heard + 1) return watch.end(`changes ${heard + 1} to ${number - 1} are missing`);
    watch.heard = Math.max(heard, number);
    if (change.type === "put") {
      this.#parts.mirror.put({ key: change.key, value: plainCopy(change.value), revision: change.revision });
    } else if (change.type === "deleted") this.#parts.mirror.remove(change.key, change.revision);
  }

  /** Asks now and then how far the server is: silence alone does not tell a quiet store from a dead connection. */
  async #beat(watch: Watch, ended: Promise<string>): Promise<void> {
    const over = new AbortController();
    void ended.then(() => over.abort());
    while (!over.signal.aborted) {
      await this.#clock.sleep(this.#timings.heartbeat, over.signal).catch(() => {});
      if (over.signal.aborted) return;
      await this.#check(watch).catch((error: unknown) => watch.end(String(error)));
    }
  }

  async #check(watch: Watch): Promise<void> {
    const { promised } = watch;
    if (promised !== undefined && (watch.heard ?? 0) >= promised.number) watch.promised = undefined;
    else if (promised !== undefined && this.#clock.now() - promised.since > this.#timings.silence) {
      this.#parts.line.hangUp();
      return watch.end(`change ${promised.number} was not heard`);
    }
    const number = await this.#position();
    if (this.#parts.line.generation !== watch.generation) return watch.end("the store was founded anew");
    if (number > (watch.heard ?? 0)) watch.promised ??= { number, since: this.#clock.now() };
  }
}
