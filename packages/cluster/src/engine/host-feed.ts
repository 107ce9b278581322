/** Feeds one client with every change of the engine and the messages of its subjects, at the client's pace. */
import type { Clock } from "@sluice/base/clock";
import type { Engine, EngineReplica, Key } from "@sluice/engine/engine";
import type { Channel } from "@sluice/mesh/channel";
import type { ChannelUser } from "./engine-links.ts";
import { EngineFrameError } from "./errors.ts";
import { decodeFeedRequest, encodeFeedFrame } from "./feed-frames.ts";
import type { EngineLinkLimits } from "./limits.ts";

export interface HostFeedOptions {
  readonly engine: Engine;
  readonly replica: EngineReplica;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly limits: EngineLinkLimits;
  /** A message was dropped. */
  readonly dropped: () => void;
  /** Closes the channel from this side. */
  readonly end: (reason: string) => void;
}

export class HostFeed implements ChannelUser {
  readonly #options: HostFeedOptions;
  readonly #ending = new AbortController();
  readonly #subjects = new Map<number, AbortController>();
  /** Resolved by `drained`. */
  #room: PromiseWithResolvers<void> | undefined;
  /** Every event that the engine has reported so far was sent. */
  #isIdle = false;
  /** The latest `sync` without an answer yet. */
  #syncDue: number | undefined;

  constructor(options: HostFeedOptions) {
    this.#options = options;
    options.channel.send(encodeFeedFrame({ type: "about", capabilities: options.engine.capabilities() }));
    this.#run().catch((error: unknown) => this.#fail(String(error)));
  }

  message(message: Uint8Array): void {
    const request = decodeFeedRequest(message);
    switch (request?.type) {
      case "listen":
        return this.#listen(request.number, request.subject);
      case "unlisten":
        this.#subjects.get(request.number)?.abort();
        this.#subjects.delete(request.number);
        return;
      case "sync":
        return this.#onSync(request.number);
      case undefined: // of a later version
    }
  }

  drained(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  closed(): void {
    this.#ending.abort();
    for (const ending of this.#subjects.values()) ending.abort();
    this.#subjects.clear();
    this.drained();
  }

  /** While the client is slow the watch keeps only the latest event of each key. */
  async #run(): Promise<void> {
    const { engine, replica, channel } = this.#options;
    await replica.catchUp();
    this.#isIdle = true;
    for await (const event of engine.watch("", this.#ending.signal)) {
      this.#isIdle = false;
      if (event.type === "stale") return this.#fail("its engine hears no leader");
      channel.send(encodeFeedFrame(event));
      if (this.#isFull) await this.#untilRoom();
      this.#isIdle = true;
    }
    this.#fail("its engine is closed");
  }

  #onSync(number: number): void {
    const isAnswering = this.#syncDue !== undefined;
    this.#syncDue = number;
    if (!isAnswering) this.#sync().catch((error: unknown) => this.#fail(String(error)));
  }

  /** Answers the latest sync, which also answers the earlier ones. */
  async #sync(): Promise<void> {
    const { replica, channel, clock } = this.#options;
    let number = this.#syncDue as number;
    do {
      number = this.#syncDue as number;
      await replica.catchUp();
      // Reads everything the engine has reported before the next poll, unless the client is slow.
      do await new Promise<void>((resolve) => clock.afterPoll(resolve));
      while (!this.#isIdle && !this.#ending.signal.aborted);
    } while (number !== this.#syncDue);
    this.#syncDue = undefined;
    channel.send(encodeFeedFrame({ type: "synced", number }));
  }

  #listen(number: number, subject: Key): void {
    const { limits } = this.#options;
    if (this.#subjects.has(number) || this.#subjects.size >= limits.subjects) {
      throw new EngineFrameError({ detail: `subject ${number}, of which there are ${this.#subjects.size}` });
    }
    const ending = new AbortController();
    this.#subjects.set(number, ending);
    this.#pass(number, subject, ending.signal).catch((error: unknown) => this.#fail(String(error)));
  }

  async #pass(number: number, subject: Key, signal: AbortSignal): Promise<void> {
    const { engine, channel, dropped } = this.#options;
    for await (const message of engine.subscribe(subject, signal)) {
      if (this.#isFull) dropped();
      else channel.send(encodeFeedFrame({ type: "message", subject: number, message }));
    }
  }

  get #isFull(): boolean {
    return this.#options.channel.queuedBytes >= this.#options.limits.feedBytes;
  }

  #untilRoom(): Promise<void> {
    const { channel, limits } = this.#options;
    channel.tellDrained(limits.feedBytes / 2);
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  #fail(reason: string): void {
    if (this.#ending.signal.aborted) return;
    this.closed();
    this.#options.end(reason);
  }
}
