/** A client's copy of the engine's contents, and its messages, fed by one host at a time. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { aborted } from "@sluice/base/scope";
import type { EngineCapabilities, Key, WatchEvent } from "@sluice/engine/engine";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import { FeedLoop, type WatchAttempt } from "@sluice/engine/remote/feed-loop";
import { Mirror } from "@sluice/engine/remote/mirror";
import type { Channel } from "@sluice/mesh/channel";
import { type EngineLinks, FEED_SERVICE } from "./engine-links.ts";
import { decodeFeedFrame, encodeFeedRequest, type FeedFrame } from "./feed-frames.ts";
import type { HostOrder } from "./host-order.ts";
import type { EngineLinkTimings } from "./limits.ts";

export interface LinkFeedOptions {
  readonly links: EngineLinks;
  readonly order: HostOrder;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly timings: EngineLinkTimings;
}

interface Subject {
  readonly number: number;
  readonly listeners: Set<(message: Uint8Array) => void>;
}

/** One channel, from opening to end. */
interface Feeding {
  readonly host: string;
  readonly channel: Channel;
  readonly attempt: WatchAttempt;
  /** This node's last change before it asked the host: the first `current` includes it. */
  readonly madeBefore: Epoch;
}

const BEFORE_ALL: Epoch = { generation: 0, number: 0 };

export class LinkFeed {
  readonly #options: LinkFeedOptions;
  readonly #mirror = new Mirror();
  readonly #loop: FeedLoop;
  readonly #linked: Disposable;
  readonly #subjects = new Map<Key, Subject>();
  readonly #byNumber = new Map<number, Subject>();
  readonly #known = Promise.withResolvers<void>();
  #capabilities: EngineCapabilities | undefined;
  #feeding: Feeding | undefined;
  #loading: Timer | undefined;
  #nextNumber = 0;
  #made = BEFORE_ALL;
  #heard = BEFORE_ALL;
  /** Syncs sent to the present host, each with this node's last change before it. */
  readonly #syncs = new Map<number, Epoch>();

  constructor(options: LinkFeedOptions) {
    const { clock, log, random, links, timings } = options;
    this.#options = options;
    this.#loop = new FeedLoop(
      { engine: "link", mirror: this.#mirror, follow: (attempt, hasRead) => this.#follow(attempt, hasRead) },
      { clock, log, random, timings: { retryFirst: timings.retryFirst, retryCap: timings.retryCap } },
    );
    this.#linked = links.onLinked(() => this.#loop.wake());
    this.#loop.start();
  }

  /** Resolves once a host has reported what its engine can do. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  /** As the present host reported last; undefined before any has. */
  get capabilities(): EngineCapabilities | undefined {
    return this.#capabilities;
  }

  /** The host that feeds this node. */
  get host(): string | undefined {
    return this.#feeding?.host;
  }

  /** This node made a change: watches opened from now on must include it. */
  made(revision: Epoch): void {
    if (compareEpochs(revision, this.#made) > 0) this.#made = revision;
    this.#mirror.made(revision);
  }

  watch(prefix: Key, signal: AbortSignal, onEnd: () => void): AsyncIterable<WatchEvent> {
    this.#sync();
    return this.#mirror.watch(prefix, signal, onEnd);
  }

  /** @param heard  receives each message, valid during the call only. @returns a function that stops listening */
  listen(subject: Key, heard: (message: Uint8Array) => void): () => void {
    const known = this.#subjects.get(subject) ?? this.#addSubject(subject);
    known.listeners.add(heard);
    return () => {
      known.listeners.delete(heard);
      if (known.listeners.size > 0 || this.#subjects.get(subject) !== known) return;
      this.#subjects.delete(subject);
      this.#byNumber.delete(known.number);
      this.#feeding?.channel.send(encodeFeedRequest({ type: "unlisten", number: known.number }));
    };
  }

  /** The host does not answer: switch to another. */
  doubt(host: string, reason: string): void {
    if (this.#feeding?.host === host) this.#feeding.attempt.doubt(reason);
  }

  async close(): Promise<void> {
    this.#linked[Symbol.dispose]();
    await this.#loop.close();
  }

  async #follow(attempt: WatchAttempt, hasRead: () => void): Promise<void> {
    const { order, links } = this.#options;
    const host = order.candidates()[0];
    if (host === undefined) throw new Error("no host of the engine is linked");
    const channel = links.open(host, FEED_SERVICE, {
      message: (message) => this.#onMessage(message, hasRead),
      drained() {},
      closed: (reason) => {
        order.failed(host);
        attempt.doubt(reason);
      },
    });
    if (channel === undefined) {
      order.failed(host);
      throw new Error(`no channel to "${host}"`);
    }
    this.#feeding = { host, channel, attempt, madeBefore: this.#made };
    for (const [subject, { number }] of this.#subjects) {
      channel.send(encodeFeedRequest({ type: "listen", number, subject }));
    }
    this.#awaitMore();
    await aborted(attempt.signal);
    this.#loading?.cancel();
    this.#feeding = undefined;
    this.#syncs.clear();
    links.close(channel);
  }

  #onMessage(message: Uint8Array, hasRead: () => void): void {
    const frame = decodeFeedFrame(message);
    if (frame === undefined || this.#feeding?.attempt.signal.aborted !== false) return;
    if (this.#loading !== undefined) this.#awaitMore();
    this.#onFrame(frame, this.#feeding, hasRead);
  }

  #onFrame(frame: FeedFrame, feeding: Feeding, hasRead: () => void): void {
    switch (frame.type) {
      case "about":
        this.#capabilities = frame.capabilities;
        return this.#known.resolve();
      case "reset":
        return this.#mirror.beginReload();
      case "put":
        return this.#mirror.put({ ...frame.entry, value: frame.entry.value.slice() });
      case "deleted":
        return this.#mirror.remove(frame.key, frame.revision);
      case "current":
        this.#loading?.cancel();
        this.#loading = undefined;
        this.#hearTo(feeding.madeBefore);
        hasRead();
        return this.#sync();
      case "message":
        for (const heard of this.#byNumber.get(frame.subject)?.listeners ?? []) heard(frame.message);
        return;
      case "synced":
        return this.#onSynced(frame.number);
    }
  }

  /** During the first full read, drops a host that sends nothing for too long. */
  #awaitMore(): void {
    const { clock, timings, order } = this.#options;
    const feeding = this.#feeding;
    this.#loading?.cancel();
    this.#loading = clock.after(timings.stuckAfter as Millis, () => {
      if (feeding === undefined) return;
      order.failed(feeding.host);
      feeding.attempt.doubt("the host sends nothing");
    });
  }

  /** Own changes may not have arrived yet: asks the host to report when they have. */
  #sync(): void {
    if (this.#feeding === undefined || this.#loading !== undefined) return;
    if (compareEpochs(this.#made, this.#heard) <= 0) return;
    for (const made of this.#syncs.values()) if (compareEpochs(made, this.#made) >= 0) return;
    const number = this.#takeNumber();
    this.#syncs.set(number, this.#made);
    this.#feeding.channel.send(encodeFeedRequest({ type: "sync", number }));
  }

  #onSynced(number: number): void {
    const made = this.#syncs.get(number);
    if (made === undefined) return;
    for (const [earlier, epoch] of this.#syncs) if (compareEpochs(epoch, made) <= 0) this.#syncs.delete(earlier);
    this.#hearTo(made);
  }

  #hearTo(revision: Epoch): void {
    if (compareEpochs(revision, this.#heard) > 0) this.#heard = revision;
    this.#mirror.heard(revision);
  }

  #addSubject(subject: Key): Subject {
    const added: Subject = { number: this.#takeNumber(), listeners: new Set() };
    this.#subjects.set(subject, added);
    this.#byNumber.set(added.number, added);
    this.#feeding?.channel.send(encodeFeedRequest({ type: "listen", number: added.number, subject }));
    return added;
  }

  #takeNumber(): number {
    do this.#nextNumber = (this.#nextNumber + 1) % 2 ** 32;
    while (this.#byNumber.has(this.#nextNumber) || this.#syncs.has(this.#nextNumber));
    return this.#nextNumber;
  }
}
