/** All live streams of a node by key, and who may publish to them: refuse, replace, grace. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { LiveStream, type LiveStreamOptions } from "./live-stream.ts";
import { HeldMemory } from "./held-memory.ts";
import type { DirectoryLimits, MemoryLimits } from "./limits.ts";
import type { StreamKey } from "./stream-key.ts";

/** What happens to a stream as a whole. */
export type StreamNotice = {
  readonly type: "live" | "grace" | "ended";
  readonly stream: StreamEntry;
  readonly reason: string;
};

export interface PublishPolicy {
  /** A second publisher is refused, or takes the stream over. */
  readonly whenTaken: "refuse" | "replace";
  /** How long viewers are kept after a publisher was lost; must outlast an encoder's reconnect. */
  readonly grace: Millis;
}

/** Facts about a publisher, for people to see. */
export interface PublisherFacts {
  readonly sessionId: string;
  readonly protocol: string;
  readonly address: string;
  readonly agent: string;
}

/** A publisher's right to send frames to a stream, until it ends or is replaced. */
export interface Publication {
  readonly stream: LiveStream;
  readonly facts: PublisherFacts;
  /** Whether frames are still taken: false once it ended or another publisher took over. */
  readonly isCurrent: boolean;
  /** `unpublished`: it said so, viewers are told. `lost`: it may come back within the grace window. */
  end(how: "unpublished" | "lost"): void;
}

/** The session of a publisher, as the directory calls it. */
export interface PublicationHolder {
  /** Another publisher took over; this one's frames are no longer taken. */
  replaced(): void;
  /** Resolves once the publisher gave a sign of life, or its publication was ended because it gave none for `patience`. */
  confirm(patience: Millis): Promise<void>;
}

/** Bounds on the wait for a sign of life: a dead publisher must not keep its key for longer, nor a live one lose it by a short pause. */
const PATIENCE = { least: 3_000, most: 10_000 } as const;

export interface StreamEntry {
  readonly stream: LiveStream;
  readonly state: "live" | "grace" | "waiting";
  /** Wall clock. */
  readonly since: Millis;
  readonly publisher: PublisherFacts | undefined;
  /** The other node that publishes it, or did within the grace window. */
  readonly publisherAt: string | undefined;
}

/** Streams of other nodes, where this node is one of a cluster. */
export interface RemoteStreams {
  /** Whether another node publishes it. */
  has(key: StreamKey): boolean;
  /** A viewer joined, whether or not this node has a publisher. */
  want(key: StreamKey): void;
  /** The last viewer left. */
  unwant(key: StreamKey): void;
  /** A publication of this node began or ended. */
  publisherChanged(key: StreamKey): void;
  /**
   * Whoever publishes it at another node is asked to give it up: `refuse` only where its publisher gives no sign of life.
   * `free` where nobody does, or where that node cannot answer any more.
   */
  askHolder(key: StreamKey, policy: PublishPolicy): Promise<"free" | "taken">;
}

/** This node's copy of another node's stream; a publisher of this node takes its place. */
export interface MirroredStream extends Disposable {
  readonly stream: LiveStream;
  /** Frames will come from another node. @param publisherAt  the node that has the publisher */
  begin(publisherAt: string): void;
  /** They may come again: viewers are kept within the grace window. */
  lost(): void;
  /** The publisher ended: viewers are told. */
  ended(): void;
}

interface Entry {
  readonly stream: LiveStream;
  state: StreamEntry["state"];
  since: Millis;
  publisher: PublisherFacts | undefined;
  /** An object of its own for each publication. */
  current: { readonly holder: PublicationHolder } | undefined;
  graceTimer: Timer | undefined;
  /** Viewers that hold it, those included that do not yet play. */
  holderCount: number;
  /** Of the relay: keeps the stream. */
  mirror: MirroredStream | undefined;
  publisherAt: string | undefined;
}

export interface StreamDirectoryOptions {
  readonly clock: Clock;
  readonly limits: DirectoryLimits;
  readonly memoryLimits: MemoryLimits;
  /** Per key, since applications differ. */
  readonly streamOptions: (key: StreamKey) => Omit<LiveStreamOptions, "key" | "clock" | "memory">;
  readonly notice: (notice: StreamNotice) => void;
}

export type PublishAnswer =
  | { readonly answer: "accepted"; readonly publication: Publication }
  | { readonly answer: "taken" | "too-many-streams" };

export class StreamDirectory {
  readonly #options: StreamDirectoryOptions;
  /** Counts what its streams hold for joiners and slow viewers. */
  readonly memory: HeldMemory;
  readonly #entries = new Map<StreamKey, Entry>();
  /** Those in their grace window, the oldest first. */
  readonly #inGrace = new Set<Entry>();
  #waitingCount = 0;
  #remote: RemoteStreams | undefined;

  constructor(options: StreamDirectoryOptions) {
    this.#options = options;
    this.memory = new HeldMemory(options.memoryLimits);
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): readonly StreamEntry[] {
    return [...this.#entries.values()];
  }

  /** Tolerates changes between its steps: streams that stay are given once, new ones at the end. */
  [Symbol.iterator](): IterableIterator<StreamEntry> {
    return this.#entries.values();
  }

  findEntry(key: StreamKey): StreamEntry | undefined {
    return this.#entries.get(key);
  }

  /** Whether somebody publishes, at this node or another, or did within the grace window. */
  isPublished(key: StreamKey): boolean {
    return this.#isFlowing(key) || this.#remote?.has(key) === true;
  }

  /** State of a stream that this node has the publisher of; `undefined` for any other. */
  ownState(key: StreamKey): "live" | "grace" | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.publisherAt !== undefined || entry.state === "waiting"
      ? undefined
      : entry.state;
  }

  /** From now on viewers get streams of other nodes too; those that wait are reported. */
  follow(remote: RemoteStreams): void {
    this.#remote = remote;
    for (const { stream, holderCount } of this.#entries.values()) if (holderCount > 0) remote.want(stream.key);
  }

  /** For frames of another node; `undefined` at a limit. One at a time for each key. */
  openMirror(key: StreamKey, grace: Millis): MirroredStream | undefined {
    const entry = this.#entries.get(key) ?? this.#openWaiting(key);
    if (entry === undefined) return undefined;
    const mirror: MirroredStream = {
      stream: entry.stream,
      begin: (publisherAt) => this.#beginMirror(entry, publisherAt),
      lost: () => {
        if (entry.publisherAt !== undefined && entry.state === "live") this.#enterGrace(entry, grace);
      },
      ended: () => {
        if (entry.publisherAt !== undefined && entry.state !== "waiting") this.#unpublish(entry, "unpublished");
      },
      [Symbol.dispose]: () => {
        if (entry.mirror !== mirror) return;
        entry.mirror = undefined;
        if (entry.publisherAt !== undefined && entry.state !== "waiting") this.#unpublish(entry, "no longer watched");
        else this.#forgetUnused(entry);
      },
    };
    return (entry.mirror = mirror);
  }

  /**
   * Call before a publish: a publisher of this node or another that gives no sign of life loses the key.
   *
   * @returns `taken`: another node has a publisher that does; of this node `publish` says it
   */
  async confirmHolder(key: StreamKey, policy: PublishPolicy): Promise<"free" | "taken"> {
    if (policy.whenTaken === "refuse") await this.#confirmOwn(key, policy);
    return (await this.#remote?.askHolder(key, policy)) ?? "free";
  }

  /** Another node asks for the key, for a publisher of its own. @returns whether it may have it from now on */
  async yieldTo(node: string, key: StreamKey, policy: PublishPolicy): Promise<boolean> {
    if (policy.whenTaken === "refuse") await this.#confirmOwn(key, policy);
    const isTaken = this.ownState(key) === "live" && policy.whenTaken === "refuse";
    if (!isTaken) this.giveUp(key, node, policy.grace);
    return !isTaken;
  }

  /** Another node has the stream now: this one's publisher is told, and its viewers are kept for the grace window. */
  giveUp(key: StreamKey, node: string, grace: Millis): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.ownState(key) === undefined) return;
    const { current, state } = entry;
    entry.current = undefined;
    entry.publisherAt = node;
    entry.stream.releaseConnection();
    if (state === "live") this.#enterGrace(entry, grace);
    current?.holder.replaced();
    this.#remote?.publisherChanged(key);
  }

  publish(key: StreamKey, policy: PublishPolicy, facts: PublisherFacts, holder: PublicationHolder): PublishAnswer {
    if (!this.#isFlowing(key) && !this.#makeRoom()) return { answer: "too-many-streams" };
    const entry = this.#entries.get(key) ?? this.#open(key);
    if (entry.current !== undefined) {
      if (policy.whenTaken === "refuse") return { answer: "taken" };
      const replaced = entry.current;
      entry.current = undefined;
      replaced.holder.replaced();
    }
    return { answer: "accepted", publication: this.#begin(entry, policy, facts, holder) };
  }

  /** The stream to join, opened to wait for its publisher if need be; `undefined` at that limit. Release it once when done. */
  acquire(key: StreamKey): LiveStream | undefined {
    const entry = this.#entries.get(key) ?? this.#openWaiting(key);
    if (entry === undefined) return undefined;
    entry.holderCount++;
    this.#remote?.want(key);
    return entry.stream;
  }

  /** A viewer has left: a stream without publisher is forgotten with its last one. */
  release(key: StreamKey): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.holderCount--;
    if (entry.holderCount === 0) this.#remote?.unwant(key);
    this.#forgetUnused(entry);
  }

  /** Ends every subscriber and forgets every stream. */
  close(): void {
    for (const [key, entry] of this.#entries) {
      this.#leaveGrace(entry);
      entry.current = undefined;
      this.#entries.delete(key);
      entry.stream.endSubscribers("server-stopping");
      entry.stream.close();
    }
  }

  /** Whether one more can be published; at the limit the oldest grace window is ended for it. */
  #makeRoom(): boolean {
    if (this.#entries.size - this.#waitingCount < this.#options.limits.streams) return true;
    const [oldest] = this.#inGrace;
    if (oldest !== undefined) this.#unpublish(oldest, "stream limit reached");
    return oldest !== undefined;
  }

  async #confirmOwn(key: StreamKey, { grace }: PublishPolicy): Promise<void> {
    const patience = Math.min(Math.max(grace, PATIENCE.least), PATIENCE.most) as Millis;
    await this.#entries.get(key)?.current?.holder.confirm(patience);
  }

  #isFlowing(key: StreamKey): boolean {
    const state = this.#entries.get(key)?.state;
    return state === "live" || state === "grace";
  }

  #openWaiting(key: StreamKey): Entry | undefined {
    return this.#waitingCount < this.#options.limits.waitingStreams ? this.#open(key) : undefined;
  }

  /** In state `waiting`, until it is published. */
  #open(key: StreamKey): Entry {
    const { clock, streamOptions } = this.#options;
    const stream = new LiveStream({ key, clock, memory: this.memory, ...streamOptions(key) });
    const entry: Entry = {
      stream,
      state: "waiting",
      since: clock.wall(),
      publisher: undefined,
      current: undefined,
      graceTimer: undefined,
      holderCount: 0,
      mirror: undefined,
      publisherAt: undefined,
    };
    this.#entries.set(key, entry);
    this.#waitingCount++;
    return entry;
  }

  #forgetUnused(entry: Entry): void {
    const isUsed = entry.state !== "waiting" || entry.holderCount > 0 || entry.mirror !== undefined;
    if (!isUsed && this.#entries.get(entry.stream.key) === entry) this.#forget(entry);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.stream.key);
    this.#waitingCount--;
    entry.stream.close();
  }

  #leaveGrace(entry: Entry): void {
    entry.graceTimer?.cancel();
    entry.graceTimer = undefined;
    this.#inGrace.delete(entry);
  }

  #begin(entry: Entry, policy: PublishPolicy, facts: PublisherFacts, holder: PublicationHolder): Publication {
    const { clock } = this.#options;
    const current = { holder };
    const wasWaiting = entry.state === "waiting";
    if (wasWaiting) this.#waitingCount--;
    this.#leaveGrace(entry);
    entry.current = current;
    entry.state = "live";
    entry.since = clock.wall();
    entry.publisher = facts;
    entry.publisherAt = undefined;
    entry.stream.startPublication(facts.sessionId === "" ? undefined : facts.sessionId);
    if (wasWaiting) entry.stream.notify("published");
    this.#tell("live", entry, "published");
    this.#remote?.publisherChanged(entry.stream.key);
    const end = (how: "unpublished" | "lost"): void => {
      if (entry.current !== current) return;
      entry.current = undefined;
      entry.stream.releaseConnection();
      if (how === "lost" && policy.grace > 0) this.#enterGrace(entry, policy.grace);
      else this.#unpublish(entry, how);
    };
    return {
      stream: entry.stream,
      facts,
      get isCurrent() {
        return entry.current === current;
      },
      end,
    };
  }

  #beginMirror(entry: Entry, node: string): void {
    if (entry.current !== undefined) return;
    const wasWaiting = entry.state === "waiting";
    if (wasWaiting) this.#waitingCount--;
    this.#leaveGrace(entry);
    const isNews = entry.state !== "live" || entry.publisherAt === undefined;
    entry.state = "live";
    entry.publisher = undefined;
    entry.publisherAt = node;
    if (!isNews) return;
    entry.since = this.#options.clock.wall();
    if (wasWaiting) entry.stream.notify("published");
    this.#tell("live", entry, `published at node ${node}`);
  }

  #enterGrace(entry: Entry, grace: Millis): void {
    entry.state = "grace";
    entry.since = this.#options.clock.wall();
    entry.publisher = undefined;
    this.#inGrace.add(entry);
    entry.graceTimer = this.#options.clock.after(grace, () => this.#unpublish(entry, "grace window over"));
    this.#tell("grace", entry, "publisher lost");
  }

  #unpublish(entry: Entry, reason: string): void {
    this.#leaveGrace(entry);
    entry.state = "waiting";
    this.#waitingCount++;
    entry.since = this.#options.clock.wall();
    entry.publisher = undefined;
    entry.stream.forgetPublication();
    entry.stream.notify("unpublished");
    this.#tell("ended", entry, reason);
    if (this.#waitingCount > this.#options.limits.waitingStreams) entry.stream.endSubscribers("stream-ended");
    if (entry.publisherAt === undefined) this.#remote?.publisherChanged(entry.stream.key);
    entry.publisherAt = undefined;
    this.#forgetUnused(entry);
  }

  #tell(type: StreamNotice["type"], entry: Entry, reason: string): void {
    this.#options.notice({ type, stream: entry, reason });
  }
}
