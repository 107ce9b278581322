/** One `publish` of a session: its hold on the stream, and what passed through it. */
import type { Millis } from "@sluice/base/brand";
import type { FrameSource } from "@sluice/media/flush-scheduler";
import type { Publication } from "@sluice/media/stream-directory";
import type { Grant } from "../auth/access.ts";
import { unitOfData, unitsOfMedia } from "./published-unit.ts";
import type { SessionPorts } from "./session-ports.ts";

export interface PublisherOptions {
  readonly publication: Publication;
  readonly ports: SessionPorts;
  /** None for a publisher that holds nothing back. */
  readonly source?: FrameSource;
  readonly grant: Grant;
}

export class Publisher {
  readonly #options: PublisherOptions;
  #lastMediaAt: Millis;
  #bytes = 0;
  #hasUndelivered = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    options.publication.stream.flushes.source = options.source;
    this.#lastMediaAt = options.ports.clock.now();
  }

  get key(): string {
    return this.#options.publication.stream.key;
  }

  get hasMedia(): boolean {
    return this.#bytes > 0;
  }

  /** How long the next frames may stay unread unless the stream asks for them. */
  get holdTime(): Millis {
    return this.#options.publication.stream.flushes.holdTime;
  }

  /** How long nothing has come. */
  silence(now: Millis): Millis {
    return (now - this.#lastMediaAt) as Millis;
  }

  takeMedia(kind: "audio" | "video", timestamp: number, body: Uint8Array, now: Millis): void {
    const { publication } = this.#options;
    if (!publication.isCurrent) return;
    this.#note(body, now);
    for (const unit of unitsOfMedia(kind, timestamp, body)) publication.stream.push(unit);
  }

  takeData(timestamp: number, body: Uint8Array, now: Millis): void {
    const { publication } = this.#options;
    if (!publication.isCurrent) return;
    this.#note(body, now);
    publication.stream.push(unitOfData(timestamp, body));
  }

  clearMetadata(): void {
    const { publication } = this.#options;
    if (publication.isCurrent) publication.stream.clearMetadata();
  }

  /** The units of one arrival are in. */
  deliver(): void {
    if (!this.#hasUndelivered) return;
    this.#hasUndelivered = false;
    this.#options.publication.stream.deliver();
  }

  /** While the node drains there is no grace window, as no publisher may return. @param reason  in words of the log */
  stop(how: "unpublished" | "lost", reason: string): void {
    const { publication, ports, grant, source } = this.#options;
    const { flushes } = publication.stream;
    if (flushes.source === source) flushes.source = undefined;
    publication.end(ports.draining.aborted ? "unpublished" : how);
    ports.releasePublisher();
    grant.end(reason, { bytesIn: this.#bytes, bytesOut: 0 });
  }

  #note(body: Uint8Array, now: Millis): void {
    this.#lastMediaAt = now;
    this.#bytes += body.length;
    this.#hasUndelivered = true;
  }
}
