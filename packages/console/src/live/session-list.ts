// The sessions of the node, asked for only while some view shows them.
import type { SessionRow } from "@sluice/client/admin-contract";
import type { AdminApi } from "../api/admin-api.ts";
import { messageOf } from "../api/api-errors.ts";
import { Observable, type Readable, type Unsubscribe } from "../base/observable.ts";
import { sleep } from "../base/sleep.ts";

export interface RatedSession extends SessionRow {
  /** Bits per second between the last two answers; 0 in the first. */
  readonly inRate: number;
  readonly outRate: number;
}

export type SessionsState =
  | { readonly at: "loading" }
  | { readonly at: "ready"; readonly rows: readonly RatedSession[] }
  | { readonly at: "failed"; readonly reason: string };

/** Often enough for moving rates, seldom enough to be no load. */
const INTERVAL = 2_000;

export class SessionList {
  readonly #api: AdminApi;
  readonly #state = new Observable<SessionsState>({ at: "loading" });
  #watchers = 0;
  #polling = new AbortController();
  #answered = 0;

  constructor(api: AdminApi) {
    this.#api = api;
  }

  get state(): Readable<SessionsState> {
    return this.#state;
  }

  /** Polls until every watcher has left. */
  watch(): Unsubscribe {
    if (this.#watchers++ === 0) {
      this.#polling = new AbortController();
      void this.#poll(this.#polling.signal);
    }
    return () => {
      if (--this.#watchers === 0) this.#polling.abort();
    };
  }

  /** Asks at once when somebody is watching: after a kick, or when a session came or went. */
  async refresh(): Promise<void> {
    if (this.#watchers === 0) return;
    try {
      this.#take(await this.#api.sessions());
    } catch (error) {
      // Known rows stay on screen: the banner already says that the view is stale.
      if (this.#state.get().at !== "ready") this.#state.set({ at: "failed", reason: messageOf(error) });
    }
  }

  async end(id: string): Promise<void> {
    await this.#api.endSession(id);
    await this.refresh();
  }

  async #poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh();
      await sleep(INTERVAL, signal);
    }
  }

  #take(rows: readonly SessionRow[]): void {
    const now = performance.now();
    const seconds = (now - this.#answered) / 1000;
    const state = this.#state.get();
    // Answers close together would turn jitter into rates: keep the old ones.
    const isTooSoon = seconds < 0.5;
    if (!isTooSoon) this.#answered = now;
    const before = new Map(state.at === "ready" ? state.rows.map((row) => [row.id, row]) : []);
    this.#state.set({ at: "ready", rows: rows.map((row) => rated(row, before.get(row.id), isTooSoon ? 0 : seconds)) });
  }
}

function rated(row: SessionRow, before: RatedSession | undefined, seconds: number): RatedSession {
  if (!before) return { ...row, inRate: 0, outRate: 0 };
  if (seconds === 0)
    return {
      ...row,
      bytesIn: before.bytesIn,
      bytesOut: before.bytesOut,
      inRate: before.inRate,
      outRate: before.outRate,
    };
  const rate = (now: number, then: number) => (Math.max(0, now - then) * 8) / seconds;
  return { ...row, inRate: rate(row.bytesIn, before.bytesIn), outRate: rate(row.bytesOut, before.bytesOut) };
}
