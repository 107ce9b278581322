/** What the other nodes of the cluster have of streams: asked for while somebody looks, and kept until the next answer. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { StreamRow } from "@sluice/client/admin-contract";
import type { NodeStream, StreamList } from "../cluster/stream-list.ts";
import { mergeStream, type StreamAtNode, type StreamHomeFacts } from "./merge-streams.ts";

export interface StreamCensusOptions {
  readonly self: string;
  readonly clock: Clock;
  /** Nodes that should answer; empty outside a cluster. */
  readonly nodes: () => readonly string[];
  /** Rejects where there is no answer in time. */
  readonly ask: (node: string) => Promise<StreamList>;
  readonly findHome: (key: string) => StreamHomeFacts | undefined;
}

/** How old answers may be for whoever asks for a list. */
const FRESH = 1_000 as Millis;
/** While somebody follows the event stream, answers are asked for so often. */
const FOLLOWED = 2_000 as Millis;

export class StreamCensus {
  readonly #options: StreamCensusOptions;
  /** By key, what each other node has of it. */
  #elsewhere: ReadonlyMap<string, readonly StreamAtNode[]> = new Map();
  #silent: readonly string[] = [];
  #asking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: StreamCensusOptions) {
    this.#options = options;
  }

  /** Nodes without an answer at the last time. */
  get silent(): readonly string[] {
    return this.#silent;
  }

  /** Streams that only other nodes have, in the order of their keys. @param isHere  whether this node has one */
  elsewhere(isHere: (key: string) => boolean): readonly StreamRow[] {
    const keys = [...this.#elsewhere.keys()].filter((key) => !isHere(key)).sort();
    return keys.map((key) => this.#merged(this.#elsewhere.get(key) ?? [], key));
  }

  /** @param own  of this node; undefined: it has no such stream */
  rowOf(key: string, own: NodeStream | undefined): StreamRow | undefined {
    const reports = this.#elsewhere.get(key) ?? [];
    if (own === undefined) return reports.length === 0 ? undefined : this.#merged(reports, key);
    return this.#merged([{ node: this.#options.self, stream: own }, ...reports], key);
  }

  /** Resolves once answers are fresh enough for a list. */
  async refresh(): Promise<void> {
    if (this.#options.clock.now() - this.#askedAt < FRESH) return;
    await this.#ask();
  }

  /** Somebody follows the event stream: called once a second. */
  follow(): void {
    if (this.#options.clock.now() - this.#askedAt >= FOLLOWED) void this.#ask();
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#askAll().finally(() => {
      this.#asking = undefined;
      this.#askedAt = this.#options.clock.now();
    });
    return this.#asking;
  }

  async #askAll(): Promise<void> {
    const { nodes, ask } = this.#options;
    const silent: string[] = [];
    const elsewhere = new Map<string, StreamAtNode[]>();
    const asked = nodes().map(async (node) => {
      const list = await ask(node).catch(() => void silent.push(node));
      for (const stream of list?.streams ?? []) {
        const reports = elsewhere.get(stream.row.key) ?? [];
        if (reports.length === 0) elsewhere.set(stream.row.key, reports);
        reports.push({ node, stream });
      }
    });
    await Promise.all(asked);
    this.#elsewhere = elsewhere;
    this.#silent = silent.sort();
  }

  #merged(reports: readonly StreamAtNode[], key: string): StreamRow {
    const { self, findHome } = this.#options;
    return mergeStream(reports, { self, home: findHome(key) });
  }
}
