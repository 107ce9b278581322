// Repeats a request after changes: one at a time, spaced, paused while the server is away, with backoff after failures.
import type { Readable } from "../base/observable.ts";
import { type RetryPolicy, retryDelay } from "../base/retry-delay.ts";
import type { Connection } from "./live-feed.ts";

export interface RefresherParts {
  /** Rejects when there was no answer. */
  readonly ask: () => Promise<void>;
  readonly connection: Readable<Connection>;
  /** Milliseconds from one answer to the next request, however often it is wanted in between. */
  readonly spacing: number;
}

/** A server that answers with an error may be busy. */
const RETRY: RetryPolicy = { first: 2_000, longest: 30_000 };

export class Refresher {
  readonly #parts: RefresherParts;
  #isWanted = false;
  #isAsking = false;
  #failures = 0;
  /** Runs until the next request may be sent. */
  #wait: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: RefresherParts) {
    this.#parts = parts;
    parts.connection.subscribe(() => this.#heed(parts.connection.get()));
  }

  /** Requests now if allowed, else as soon as possible; several calls give one request. */
  want(): void {
    this.#isWanted = true;
    this.#askIfDue();
  }

  /** Cancels a pending request; one in progress is still answered. */
  forget(): void {
    this.#isWanted = false;
  }

  /** After a reconnect, earlier failures no longer count. */
  #heed({ at }: Connection): void {
    if (at !== "open") return;
    if (this.#failures > 0) {
      this.#failures = 0;
      clearTimeout(this.#wait);
      this.#wait = undefined;
    }
    this.#askIfDue();
  }

  #askIfDue(): void {
    const { at } = this.#parts.connection.get();
    const isAway = at === "lost" || at === "refused";
    if (this.#isWanted && !this.#isAsking && this.#wait === undefined && !isAway) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#isWanted = false;
    this.#isAsking = true;
    try {
      await this.#parts.ask();
      this.#failures = 0;
    } catch {
      this.#failures++;
      this.#isWanted = true;
    }
    this.#isAsking = false;
    const { spacing } = this.#parts;
    const delay = this.#failures === 0 ? spacing : retryDelay(RETRY, this.#failures - 1, Math.random());
    this.#wait = setTimeout(() => {
      this.#wait = undefined;
      this.#askIfDue();
    }, delay);
  }
}
