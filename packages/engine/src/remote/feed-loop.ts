/** Feeds a mirror: one watch after another, each a full read followed by changes, until its correctness is in doubt. */
import { Backoff } from "@sluice/base/backoff";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { type RemoteEngineOptions, timingsOf } from "./engine-options.ts";
import { type Mirror, TOO_MANY_ENTRIES } from "./mirror.ts";

/** One watch, from its start to the first doubt. */
export class WatchAttempt {
  readonly #doubted = new AbortController();
  #reason = "it ended";

  /** Aborts at the first doubt. */
  get signal(): AbortSignal {
    return this.#doubted.signal;
  }

  get reason(): string {
    return this.#reason;
  }

  doubt(reason: string): void {
    if (this.signal.aborted) return;
    this.#reason = reason;
    this.#doubted.abort(new Error(reason));
  }
}

export interface FeedLoopParts {
  readonly engine: string;
  readonly mirror: Mirror;
  /** Reads everything, calls `hasRead`, then follows changes until the attempt is in doubt. Rejecting is a doubt too. */
  readonly follow: (attempt: WatchAttempt, hasRead: () => void) => Promise<void>;
}

type FeedLoopOptions = Pick<RemoteEngineOptions, "clock" | "log" | "random" | "timings">;

export class FeedLoop {
  readonly #parts: FeedLoopParts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #backoff: Backoff;
  readonly #loaded = Promise.withResolvers<void>();
  readonly #closing = new AbortController();
  #pause = new AbortController();
  #attempt: WatchAttempt | undefined;
  #ended: Promise<void> | undefined;

  constructor(parts: FeedLoopParts, options: FeedLoopOptions) {
    const { retryFirst: first, retryCap: cap } = timingsOf(options);
    this.#parts = parts;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#backoff = new Backoff({ first, cap, factor: 2, random: options.random });
    parts.mirror.onFull = () => this.#onFull();
  }

  /** Resolves after the first full read. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  /** May be called twice. */
  start(): void {
    if (!this.#closing.signal.aborted) this.#ended ??= this.#run();
  }

  /** The server is reachable again: ends the wait before the next attempt. */
  wake(): void {
    this.#pause.abort();
  }

  /** Ends the present watch; the next one begins with a full read. */
  doubt(reason: string): void {
    this.#attempt?.doubt(reason);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.wake();
    this.doubt("the engine is closing");
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { engine, mirror, follow } = this.#parts;
    while (!this.#closing.signal.aborted) {
      const attempt = new WatchAttempt();
      this.#attempt = attempt;
      await follow(attempt, () => this.#hasRead()).catch((error: unknown) => attempt.doubt(String(error)));
      attempt.doubt("it ended");
      mirror.doubt();
      this.#log.debug({ engine, reason: attempt.reason }, "engine's watch ended");
      await this.#rest();
    }
  }

  #hasRead(): void {
    this.#parts.mirror.finishReload();
    if (!this.#parts.mirror.isCurrent) return;
    this.#backoff.reset();
    this.#loaded.resolve();
  }

  #onFull(): void {
    const { engine, mirror } = this.#parts;
    this.#log.error({ engine, limit: mirror.limit }, TOO_MANY_ENTRIES);
    this.doubt("it has too many entries");
  }

  async #rest(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#pause = new AbortController();
    await this.#clock.sleep(this.#backoff.next(), this.#pause.signal).catch(() => {});
  }
}
