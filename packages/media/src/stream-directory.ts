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
}

interface Entry {
  readonly stream: LiveStream;
  state: StreamEntry["state"];
  since: Millis;
  publisher: PublisherFacts | undefined;
  /** An object of its own for each publication. */
  current: { readonly holder: PublicationHolder } | undefined;
  graceTimer: Timer | undefined;
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

  /** Whether somebody publishes, or did within the grace window. */
  isPublished(key: StreamKey): boolean {
    const state = this.#entries.get(key)?.state;
    return state === "live" || state === "grace";
  }

  /** Call before a publish that another publisher would cause to be refused: one that gives no sign of life loses the key. */
  async confirmHolder(key: StreamKey, policy: PublishPolicy): Promise<void> {
    if (policy.whenTaken === "replace") return;
    const patience = Math.min(Math.max(policy.grace, PATIENCE.least), PATIENCE.most) as Millis;
    await this.#entries.get(key)?.current?.holder.confirm(patience);
  }

  publish(key: StreamKey, policy: PublishPolicy, facts: PublisherFacts, holder: PublicationHolder): PublishAnswer {
    if (!this.isPublished(key) && !this.#makeRoom()) return { answer: "too-many-streams" };
    const entry = this.#entries.get(key) ?? this.#open(key);
    if (entry.current !== undefined) {
      if (policy.whenTaken === "refuse") return { answer: "taken" };
      const replaced = entry.current;
      entry.current = undefined;
      replaced.holder.replaced();
    }
    return { answer: "accepted", publication: this.#begin(entry, policy, facts, holder) };
  }

  /** The stream to join, opened to wait for its publisher if need be; `undefined` at that limit. Release it when done. */
  acquire(key: StreamKey): LiveStream | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined) return known.stream;
    return this.#waitingCount < this.#options.limits.waitingStreams ? this.#open(key).stream : undefined;
  }

  /** A subscriber has left: a stream without publisher is forgotten with its last one. */
  release(key: StreamKey): void {
    const entry = this.#entries.get(key);
    if (entry?.state === "waiting" && entry.stream.subscriberCount === 0) this.#forget(entry);
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
    };
    this.#entries.set(key, entry);
    this.#waitingCount++;
    return entry;
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
    entry.stream.startPublication(facts.sessionId === "" ? undefined : facts.sessionId);
    if (wasWaiting) entry.stream.notify("published");
    this.#tell("live", entry, "published");
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
    this.release(entry.stream.key);
  }

  #tell(type: StreamNotice["type"], entry: Entry, reason: string): void {
    this.#options.notice({ type, stream: entry, reason });
  }
}
