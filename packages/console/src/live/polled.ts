// One answer of the server, asked for again and again while a visible page shows it.
import { ApiAnswerError, messageOf } from "../api/api-errors.ts";
import { Observable, type Readable, type Unsubscribe } from "../base/observable.ts";
import type { Connection } from "./live-feed.ts";
import { Refresher } from "./refresher.ts";

export type PolledState<T> =
  | { readonly at: "loading" }
  | { readonly at: "ready"; readonly value: T }
  /** The server says that there is no such thing. */
  | { readonly at: "missing" }
  | { readonly at: "failed"; readonly reason: string };

export interface PolledParts<T> {
  readonly ask: () => Promise<T>;
  readonly connection: Readable<Connection>;
  readonly isPageVisible: Readable<boolean>;
  /** Milliseconds between two requests. */
  readonly interval: number;
  /** Milliseconds from an answer to the next request, however often it is wanted in between. */
  readonly spacing: number;
}

export class Polled<T> {
  readonly #parts: PolledParts<T>;
  readonly #refresher: Refresher;
  readonly #state = new Observable<PolledState<T>>({ at: "loading" });
  #watchers = 0;
  #polling: ReturnType<typeof setInterval> | undefined;

  constructor(parts: PolledParts<T>) {
    this.#parts = parts;
    this.#refresher = new Refresher({
      ask: () => this.#ask(),
      connection: parts.connection,
      spacing: parts.spacing,
    });
  }

  get state(): Readable<PolledState<T>> {
    return this.#state;
  }

  /** Polls while the page is visible, until every watcher has left. */
  watch(): Unsubscribe {
    this.#watchers++;
    const turn = (): void => this.#turn();
    const leave = this.#parts.isPageVisible.subscribe(turn);
    turn();
    return () => {
      this.#watchers--;
      leave();
      turn();
    };
  }

  /** Something changed: requests soon, if somebody watches. */
  noteChange(): void {
    if (this.#isWatched()) this.#refresher.want();
  }

  #isWatched(): boolean {
    return this.#watchers > 0 && this.#parts.isPageVisible.get();
  }

  #turn(): void {
    clearInterval(this.#polling);
    if (!this.#isWatched()) return this.#refresher.forget();
    this.#polling = setInterval(() => this.#refresher.want(), this.#parts.interval);
    this.#refresher.want();
  }

  async #ask(): Promise<void> {
    try {
      this.#state.set({ at: "ready", value: await this.#parts.ask() });
    } catch (error) {
      if (error instanceof ApiAnswerError && error.context.status === 404) return this.#state.set({ at: "missing" });
      // What is known stays on screen: the banner already says that the view is stale.
      if (this.#state.get().at !== "ready") this.#state.set({ at: "failed", reason: messageOf(error) });
      throw error;
    }
  }
}
