/** The streams of the cluster as this node shows them: rows of its own, joined with what other nodes and the directory say. */
import type { Clock } from "@sluice/base/clock";
import type { StreamRow, StreamsAnswer } from "@sluice/client/admin-contract";
import type { StreamDirectory, StreamEntry } from "@sluice/media/stream-directory";
import { findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import type { AdminStreams, Page } from "../admin/admin-source.ts";
import { DEFAULT_ADMIN_LIMITS } from "../admin/limits.ts";
import type { NodeStream, StreamList } from "../cluster/stream-list.ts";
import { StreamCensus } from "../streams/stream-census.ts";
import { ConfigDescriptions } from "./config-descriptions.ts";
import { streamRow } from "./rows.ts";
import { type StatsPiece, StatsRound } from "./stats-round.ts";
import { StreamRates } from "./stream-rates.ts";
import type { StreamsPart } from "./streams-part.ts";

/** Asks other nodes; rejects where there is no answer in time. */
export interface OtherStreams {
  /** Nodes that should answer. */
  readonly ids: () => readonly string[];
  streams(node: string): Promise<StreamList>;
}

export interface NodeStreamsOptions {
  readonly self: string;
  readonly clock: Clock;
  readonly streams: StreamDirectory;
  readonly part: Pick<StreamsPart, "routeOf" | "findHome">;
}

const NOBODY: OtherStreams = { ids: () => [], streams: () => Promise.reject(new TypeError("There is no other node")) };

export class NodeStreams implements AdminStreams {
  readonly #options: NodeStreamsOptions;
  readonly #rates = new StreamRates();
  readonly #descriptions = new ConfigDescriptions();
  readonly #census: StreamCensus;
  readonly #round: StatsRound<StreamEntry | StreamRow>;
  #others = NOBODY;

  constructor(options: NodeStreamsOptions) {
    const { self, clock, part } = options;
    this.#options = options;
    this.#census = new StreamCensus({
      self,
      clock,
      nodes: () => this.#others.ids(),
      ask: (node) => this.#others.streams(node),
      findHome: (key) => part.findHome(key as StreamKey),
    });
    this.#round = new StatsRound({
      streams: { [Symbol.iterator]: () => this.#everywhere() },
      rowOf: (one) => ("key" in one ? one : this.#row(one)),
      maxBytes: DEFAULT_ADMIN_LIMITS.statsBytes,
    });
  }

  /** This node is one of a cluster. */
  join(others: OtherStreams): void {
    this.#others = others;
  }

  async list({ limit, offset }: Page): Promise<StreamsAnswer> {
    await this.#census.refresh();
    const own = this.#options.streams.entries();
    const elsewhere = this.#elsewhere();
    const rows = own.slice(offset, offset + limit).map((entry) => this.#row(entry));
    const skipped = Math.max(0, offset - own.length);
    return {
      streams: [...rows, ...elsewhere.slice(skipped, skipped + limit - rows.length)],
      total: own.length + elsewhere.length,
      silent: this.#census.silent,
    };
  }

  async find(path: string): Promise<StreamRow | undefined> {
    const key = findStreamKey(path);
    if (key === undefined) return undefined;
    await this.#census.refresh();
    const entry = this.#options.streams.findEntry(key);
    return this.#census.rowOf(key, entry && this.#here(entry));
  }

  /** For other nodes. */
  listHere(limit: number): StreamList {
    const entries = this.#options.streams.entries();
    return { streams: entries.slice(0, limit).map((entry) => this.#here(entry)), more: entries.length > limit };
  }

  /** Once a second. @param isFollowed  somebody reads the event stream */
  beat(isFollowed: boolean): void {
    const { streams, clock } = this.#options;
    this.#rates.sample(
      streams.entries().map((entry) => entry.stream),
      clock.now(),
    );
    if (isFollowed) this.#census.follow();
    else this.#round.reset();
  }

  /** The next piece of `stats`. */
  nextPiece(): StatsPiece {
    return this.#round.next();
  }

  /** Streams may come and go between two steps. */
  *#everywhere(): IterableIterator<StreamEntry | StreamRow> {
    yield* this.#options.streams;
    yield* this.#elsewhere();
  }

  #elsewhere(): readonly StreamRow[] {
    return this.#census.elsewhere((key) => this.#options.streams.findEntry(key as StreamKey) !== undefined);
  }

  #row(entry: StreamEntry): StreamRow {
    const own = this.#here(entry);
    return this.#census.rowOf(entry.stream.key, own) ?? own.row;
  }

  /** As this node alone knows it. */
  #here(entry: StreamEntry): NodeStream {
    const { self, part } = this.#options;
    const { path, copies } = part.routeOf(entry.stream.key);
    const rates = this.#rates.read(entry.stream);
    const row = streamRow(entry, { rates, descriptions: this.#descriptions, self });
    const given = copies.map(({ node, delay, dropped }) => ({ node, delayMs: Math.max(0, delay), drops: dropped }));
    return { row, path: path.length === 0 && row.publisherAt === self ? [self] : path, given };
  }
}
