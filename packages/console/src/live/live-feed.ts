// Keeps the console's view of the node current: first by a request, then by server-sent events, again after every loss.
import type { AdminEvent, OwnNodeRow, StreamRow } from "@sluice/client/admin-contract";
import type { AdminApi } from "../api/admin-api.ts";
import { ApiAnswerError, messageOf } from "../api/api-errors.ts";
import { listenToEvents } from "../api/event-source.ts";
import { Observable, type Readable } from "../base/observable.ts";
import { retryDelay } from "../base/retry-delay.ts";
import type { History } from "./history.ts";
import { StreamRows } from "./stream-rows.ts";

export type Connection =
  | { readonly at: "connecting" }
  | { readonly at: "open" }
  /** `retryAt` in milliseconds of `Date.now()`; `undefined` while a retry is under way. */
  | { readonly at: "lost"; readonly reason: string; readonly retryAt: number | undefined }
  /** The server requires a token. */
  | { readonly at: "refused" };

/** The server's last data. It stays after a loss of the connection: stale, but still shown. */
export interface NodeView {
  /** Milliseconds since 1970 by the server's clock, so that uptimes do not depend on the browser's. */
  readonly at: number;
  readonly node: OwnNodeRow;
  readonly nodeCount: number;
  readonly streams: readonly StreamRow[];
}

/** `stats` comes every second: three missed in a row mean a lost connection, one or two a busy moment. */
const SILENCE = 4_500;
const RETRY = { first: 1_000, longest: 15_000 };

export class LiveFeed {
  readonly #api: AdminApi;
  readonly #history: History;
  readonly #onEvent: (event: AdminEvent) => void;
  readonly #connection = new Observable<Connection>({ at: "connecting" });
  readonly #rows = new StreamRows();
  readonly #view = new Observable<NodeView | undefined>(undefined);
  #wake = new AbortController();

  constructor(parts: {
    readonly api: AdminApi;
    readonly history: History;
    readonly onEvent: (event: AdminEvent) => void;
  }) {
    this.#api = parts.api;
    this.#history = parts.history;
    this.#onEvent = parts.onEvent;
  }

  get connection(): Readable<Connection> {
    return this.#connection;
  }

  get view(): Readable<NodeView | undefined> {
    return this.#view;
  }

  /** Ends the present wait before a retry. */
  retryNow(): void {
    this.#wake.abort();
  }

  /** Runs until the signal aborts or the server asks for a token. */
  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      const outcome = await this.#connectOnce(signal);
      if (outcome.at === "refused") return this.#connection.set({ at: "refused" });
      if (outcome.wasOpen) attempt = 0;
      await this.#pause(outcome.reason, retryDelay(RETRY, attempt, Math.random()), signal);
    }
  }

  async #connectOnce(signal: AbortSignal): Promise<Outcome> {
    const seen = { isOpen: false };
    try {
      await this.#askOnce();
      await listenToEvents({
        url: this.#api.eventsUrl,
        silenceMillis: SILENCE,
        signal,
        onEvent: (event) => {
          seen.isOpen = true;
          this.#receive(event);
        },
      });
      return { at: "lost", wasOpen: seen.isOpen, reason: "The event stream ended" };
    } catch (error) {
      if (error instanceof ApiAnswerError && error.isUnauthorized) return { at: "refused" };
      return { at: "lost", wasOpen: seen.isOpen, reason: messageOf(error) };
    }
  }

  async #askOnce(): Promise<void> {
    const [{ nodes }, streams] = await Promise.all([this.#api.nodes(), this.#api.streams()]);
    const node = nodes.find((row): row is OwnNodeRow => row.self);
    if (!node) return;
    this.#view.set({ at: Date.now(), node, nodeCount: nodes.length, streams: this.#rows.take(streams, "whole") });
  }

  #receive(event: AdminEvent): void {
    this.#connection.set({ at: "open" });
    if (event.type === "stats") this.#takeStats(event);
    else this.#onEvent(event);
  }

  #takeStats({ at, node, streams, part }: Extract<AdminEvent, { type: "stats" }>): void {
    const millis = Date.parse(at);
    this.#history.record(millis / 1000, node, streams);
    const nodeCount = this.#view.get()?.nodeCount ?? 1;
    this.#view.set({ at: millis, node, nodeCount, streams: this.#rows.take(streams, part) });
  }

  async #pause(reason: string, millis: number, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    this.#connection.set({ at: "lost", reason, retryAt: Date.now() + millis });
    await sleep(millis, AbortSignal.any([signal, this.#wake.signal]));
    this.#connection.set({ at: "lost", reason, retryAt: undefined });
  }
}

type Outcome = { readonly at: "refused" } | { readonly at: "lost"; readonly wasOpen: boolean; readonly reason: string };

/** Resolves after `millis` or as soon as the signal aborts; never rejects: callers check the signal. */
function sleep(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, signal.aborted ? 0 : millis);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
