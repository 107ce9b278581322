// The sessions of the node or of one stream, polled only while a view shows them.
import type { SessionRow } from "@sluice/client/admin-contract";
import type { AdminApi } from "../api/admin-api.ts";
import { messageOf } from "../api/api-errors.ts";
import { Observable, type Readable, type Unsubscribe } from "../base/observable.ts";
import { ByteRates, type Rated } from "./byte-rates.ts";
import type { Connection } from "./live-feed.ts";
import { Refresher } from "./refresher.ts";

export type RatedSession = Rated<SessionRow>;

export type SessionsState =
  | { readonly at: "loading" }
  /** `total` also counts sessions beyond the page. */
  | { readonly at: "ready"; readonly rows: readonly RatedSession[]; readonly total: number }
  | { readonly at: "failed"; readonly reason: string };

/** Short enough for live rates, long enough to be no load. */
const INTERVAL = 2_000;
/** With many sessions the list is refreshed once a second at most. */
const SPACING = 1_000;

export class SessionList {
  readonly #api: Pick<AdminApi, "sessions" | "endSession">;
  readonly #refresher: Refresher;
  readonly #rates = new ByteRates<SessionRow>(({ id }) => id);
  readonly #state = new Observable<SessionsState>({ at: "loading" });
  /** Watchers, each with its stream; "" means all. The latest watcher decides what is requested. */
  readonly #watchers: { readonly key: string }[] = [];
  #key = "";
  #polling: ReturnType<typeof setInterval> | undefined;

  constructor(api: Pick<AdminApi, "sessions" | "endSession">, connection: Readable<Connection>) {
    this.#api = api;
    this.#refresher = new Refresher({ ask: () => this.#ask(), connection, spacing: SPACING });
  }

  get state(): Readable<SessionsState> {
    return this.#state;
  }

  /** Polls until every watcher has left. @param key  a StreamKey; all sessions of the node without one */
  watch(key = ""): Unsubscribe {
    const watcher = { key };
    this.#watchers.push(watcher);
    this.#turn();
    return () => {
      this.#watchers.splice(this.#watchers.indexOf(watcher), 1);
      this.#turn();
    };
  }

  /** Something changed: requests soon, if somebody is watching. */
  noteChange(): void {
    if (this.#watchers.length > 0) this.#refresher.want();
  }

  async end(id: string): Promise<void> {
    await this.#api.endSession(id);
    const state = this.#state.get();
    if (state.at === "ready") {
      const rows = state.rows.filter((row) => row.id !== id);
      this.#state.set({ at: "ready", rows, total: state.total - (state.rows.length - rows.length) });
    }
    this.noteChange();
  }

  #turn(): void {
    clearInterval(this.#polling);
    const last = this.#watchers.at(-1);
    if (last === undefined) return this.#refresher.forget();
    if (last.key !== this.#key) this.#state.set({ at: "loading" });
    this.#key = last.key;
    this.#polling = setInterval(() => this.noteChange(), INTERVAL);
    this.noteChange();
  }

  async #ask(): Promise<void> {
    const key = this.#key;
    try {
      const { sessions, total } = await this.#api.sessions(key);
      if (key === this.#key) this.#take(sessions, total);
      else this.noteChange();
    } catch (error) {
      // Known rows stay on screen: the banner already says that the view is stale.
      if (this.#state.get().at !== "ready") this.#state.set({ at: "failed", reason: messageOf(error) });
      throw error;
    }
  }

  #take(rows: readonly SessionRow[], total: number): void {
    this.#state.set({ at: "ready", rows: this.#rates.take(rows, performance.now()), total });
  }
}
