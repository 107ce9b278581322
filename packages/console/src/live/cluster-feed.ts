// Nodes and links of the cluster, polled only while a visible page shows them; events update them at once.
import type { LinkRow } from "@sluice/client/admin-contract";
import type { AdminApi } from "../api/admin-api.ts";
import { messageOf } from "../api/api-errors.ts";
import { Observable, type Readable, type Unsubscribe } from "../base/observable.ts";
import { ByteRates } from "./byte-rates.ts";
import { changedBy, type ClusterEvent, type ClusterView } from "./cluster-view.ts";
import type { Connection } from "./live-feed.ts";
import { Refresher } from "./refresher.ts";

export type ClusterState =
  | { readonly at: "loading" }
  | { readonly at: "ready"; readonly view: ClusterView }
  | { readonly at: "failed"; readonly reason: string };

export interface ClusterFeedParts {
  readonly api: Pick<AdminApi, "nodes" | "links" | "engine">;
  readonly connection: Readable<Connection>;
  readonly isPageVisible: Readable<boolean>;
}

/** Every answer costs a call to each node of the cluster. */
const INTERVAL = 2_000;
const SPACING = 1_000;

export class ClusterFeed {
  readonly #parts: ClusterFeedParts;
  readonly #refresher: Refresher;
  readonly #rates = new ByteRates<LinkRow>(({ peer }) => peer);
  readonly #state = new Observable<ClusterState>({ at: "loading" });
  #watchers = 0;
  #polling: ReturnType<typeof setInterval> | undefined;
  /** Events since the present request was sent: its answer may be older. */
  #sinceAsked: ClusterEvent[] = [];

  constructor(parts: ClusterFeedParts) {
    this.#parts = parts;
    this.#refresher = new Refresher({ ask: () => this.#ask(), connection: parts.connection, spacing: SPACING });
    parts.isPageVisible.subscribe(() => this.#turn());
  }

  get state(): Readable<ClusterState> {
    return this.#state;
  }

  /** Polls while the page is visible, until every watcher has left. */
  watch(): Unsubscribe {
    this.#watchers++;
    this.#turn();
    return () => {
      this.#watchers--;
      this.#turn();
    };
  }

  /** Applies the event at once, and polls for the rest if somebody watches. */
  noteEvent(event: ClusterEvent): void {
    const state = this.#state.get();
    this.#sinceAsked.push(event);
    if (state.at === "ready") this.#state.set({ at: "ready", view: changedBy(state.view, event) });
    if (this.#isWatched()) this.#refresher.want();
    else this.#sinceAsked = [];
  }

  #isWatched(): boolean {
    return this.#watchers > 0 && this.#parts.isPageVisible.get();
  }

  #turn(): void {
    clearInterval(this.#polling);
    if (!this.#isWatched()) return this.#refresher.forget();
    this.#polling = setInterval(() => this.#refresher.want(), INTERVAL);
    this.#refresher.want();
  }

  async #ask(): Promise<void> {
    this.#sinceAsked = [];
    try {
      const { api } = this.#parts;
      const [answer, links, engine] = await Promise.all([api.nodes(), api.links(), api.engine()]);
      const fresh: ClusterView = { ...answer, engine, links: this.#rates.take(links, performance.now()) };
      this.#state.set({ at: "ready", view: this.#sinceAsked.reduce(changedBy, fresh) });
    } catch (error) {
      // Known rows stay on screen: the banner already says that the view is stale.
      if (this.#state.get().at !== "ready") this.#state.set({ at: "failed", reason: messageOf(error) });
      throw error;
    }
  }
}
