/** Updates the mirror from a Redis store: a full read, then published changes without gaps; starts again on any doubt. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { type RemoteEngineOptions, timingsOf } from "@sluice/engine/remote/engine-options";
import { FeedLoop, type WatchAttempt } from "@sluice/engine/remote/feed-loop";
import type { RemoteEngineTimings } from "@sluice/engine/remote/remote-limits";
import type { Mirror } from "@sluice/engine/remote/mirror";
import { plainCopy } from "@sluice/engine/remote/plain-copy";
import { REDIS } from "./redis-failures.ts";
import type { RedisClient } from "./redis-client.ts";
import type { RedisMessages } from "./redis-messages.ts";
import { decodeChange, decodeKey, readEpoch } from "./redis-names.ts";

export interface RedisFeedParts {
  readonly line: RedisClient;
  readonly messages: RedisMessages;
  readonly mirror: Mirror;
}

/** A watch in progress. */
interface Watch {
  readonly attempt: WatchAttempt;
  readonly generation: number;
  /** Number of the last change received without a gap; undefined until the server has reported its position. */
  heard: number | undefined;
  /** A number that the server reported, and when: all changes up to it must arrive soon after. */
  promised: { readonly number: number; readonly since: Millis } | undefined;
}

const PAGE_KEYS = 512;
const PAGE_BYTES = 1024 * 1024;
const CALL = { action: "watch the store", isWrite: false, bytes: 0 };

export class RedisFeed {
  readonly loop: FeedLoop;
  readonly #parts: RedisFeedParts;
  readonly #clock: Clock;
  readonly #timings: RemoteEngineTimings;

  constructor(parts: RedisFeedParts, options: RemoteEngineOptions) {
    this.#parts = parts;
    this.#clock = options.clock;
    this.#timings = timingsOf(options);
    const follow = (attempt: WatchAttempt, hasRead: () => void): Promise<void> => this.#follow(attempt, hasRead);
    this.loop = new FeedLoop({ engine: REDIS, mirror: parts.mirror, follow }, options);
  }

  async #follow(attempt: WatchAttempt, hasRead: () => void): Promise<void> {
    const { line, messages, mirror } = this.#parts;
    const watch: Watch = { attempt, generation: line.generation, heard: undefined, promised: undefined };
    const early: Uint8Array[] = [];
    const unsubscribe = messages.hear(line.names.changes, (message) => {
      if (watch.heard === undefined) early.push(plainCopy(message));
      else this.#receive(watch, message);
    });
    try {
      await messages.settled();
      mirror.beginReload();
      watch.heard = await this.#position();
      mirror.heard({ generation: watch.generation, number: watch.heard });
      for (const message of early.splice(0)) this.#receive(watch, message);
      await this.#readAll(attempt);
      if (attempt.signal.aborted) return;
      hasRead();
      await this.#beat(watch);
    } finally {
      unsubscribe();
    }
  }

  async #position(): Promise<number> {
    const [, number] = await this.#parts.line.script(CALL, "POSITION", []);
    return Number(String(number));
  }

  async #readAll(attempt: WatchAttempt): Promise<void> {
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
    } while (from.length > 0 && !attempt.signal.aborted);
  }

  #receive(watch: Watch, message: Uint8Array): void {
    if (watch.attempt.signal.aborted) return;
    const change = decodeChange(message);
    if (change === undefined) return watch.attempt.doubt("a change cannot be read");
    const { generation, number } = change.revision;
    if (generation !== watch.generation) return watch.attempt.doubt("the store was founded anew");
    const heard = watch.heard ?? 0;
    if (number > heard + 1) return watch.attempt.doubt(`changes ${heard + 1} to ${number - 1} are missing`);
    watch.heard = Math.max(heard, number);
    if (change.type === "put") {
      this.#parts.mirror.put({ key: change.key, value: plainCopy(change.value), revision: change.revision });
    } else if (change.type === "deleted") this.#parts.mirror.remove(change.key, change.revision);
    this.#parts.mirror.heard(change.revision);
  }

  /** Asks the server for its position at intervals: silence alone cannot tell an idle store from a dead connection. */
  async #beat(watch: Watch): Promise<void> {
    const { signal } = watch.attempt;
    while (!signal.aborted) {
      await this.#clock.sleep(this.#timings.heartbeat, signal).catch(() => {});
      if (!signal.aborted) await this.#check(watch);
    }
  }

  async #check(watch: Watch): Promise<void> {
    const { promised } = watch;
    if (promised !== undefined && (watch.heard ?? 0) >= promised.number) watch.promised = undefined;
    else if (promised !== undefined && this.#clock.now() - promised.since > this.#timings.silence) {
      this.#parts.line.hangUp();
      return watch.attempt.doubt(`change ${promised.number} did not arrive`);
    }
    const number = await this.#position();
    if (this.#parts.line.generation !== watch.generation) return watch.attempt.doubt("the store was founded anew");
    if (number > (watch.heard ?? 0)) watch.promised ??= { number, since: this.#clock.now() };
  }
}
