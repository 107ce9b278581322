// Asks the server again when something changed: one question at a time, spaced, paused while the server is away, later and later after failures.
import type { Readable } from "../base/observable.ts";
import { type RetryPolicy, retryDelay } from "../base/retry-delay.ts";
import type { Connection } from "./live-feed.ts";

export interface RefresherParts {
  /** Rejects when there was no answer. */
  readonly ask: () => Promise<void>;
  readonly connection: Readable<Connection>;
  /** Milliseconds from one answer to the next question, however often it is wanted in between. */
  readonly spacing: number;
}

/** A server that answers one question with an error may be busy with others. */
const RETRY: RetryPolicy = { first: 2_000, longest: 30_000 };

export class Refresher {
  readonly #parts: RefresherParts;
  #isWanted = false;
  #isAsking = false;
  #failures = 0;
  /** Runs until the next question may be asked. */
  #wait: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: RefresherParts) {
    this.#parts = parts;
    parts.connection.subscribe(() => this.#heed(parts.connection.get()));
  }

  /** Now if it may be, else as soon as it may; wanted often, it is asked once. */
  want(): void {
    this.#isWanted = true;
    this.#askIfDue();
  }

  /** Takes back what was wanted; a question under way is answered. */
  forget(): void {
    this.#isWanted = false;
  }

  /** Back again: what failed on the way down says nothing about the server that came up. */
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
