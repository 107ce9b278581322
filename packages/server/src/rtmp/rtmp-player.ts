/** One `play` of an RTMP session: its place among a stream's subscribers, its mutes and pauses. */
import type { Millis } from "@sluice/base/brand";
import type { LiveStream } from "@sluice/media/live-stream";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Subscriber } from "@sluice/media/subscriber";
import type { SubscriberSink } from "@sluice/media/subscriber-sink";
import type { WireForm } from "@sluice/media/wire-form";
import type { Grant } from "../auth/access.ts";
import type { ViewerFilter } from "../streams/viewer-filter.ts";
import type { ByteTransport } from "../sessions/byte-transport.ts";
import type { SessionEnd } from "../sessions/session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";

export interface RtmpPlayerOptions {
  readonly ports: SessionPorts;
  readonly grant: Grant;
  readonly transport: ByteTransport;
  readonly key: StreamKey;
  readonly stream: LiveStream;
  readonly sink: SubscriberSink;
  /** See `LiveStream.subscribe`. */
  readonly sharing: "cohort" | "alone";
  readonly filter: ViewerFilter;
  readonly formFor: (filter: ViewerFilter) => WireForm;
  /** The player's own buffer as announced; 0 when it said nothing. */
  readonly bufferMs: number;
  /** How long it may wait for a publisher. */
  readonly wait: Millis | "forever";
}

/** A player that announced at least this much buffer shows nothing sooner for a narrow window. */
const PATIENT_BUFFER_MS = 1_000;

export class RtmpPlayer {
  readonly key: StreamKey;
  readonly #options: RtmpPlayerOptions;
  readonly #bytesBefore: number;
  #filter: ViewerFilter;
  #isPatient: boolean;
  #isPaused = false;
  #subscriber: Subscriber | undefined;
  /** When the stream was last seen published, or the beginning. */
  #lastPublishedAt: Millis;

  constructor(options: RtmpPlayerOptions) {
    this.key = options.key;
    this.#options = options;
    this.#bytesBefore = options.transport.socket.bytesWritten;
    this.#filter = options.filter;
    this.#lastPublishedAt = options.ports.clock.now();
    this.#isPatient = options.bufferMs >= PATIENT_BUFFER_MS;
  }

  get isLagging(): boolean {
    return this.#subscriber?.isLagging ?? false;
  }

  get skips(): number {
    return this.#subscriber?.skips ?? 0;
  }

  /** Nobody publishes what it is to play. */
  get isWaiting(): boolean {
    return !this.#options.ports.streams.isPublished(this.key);
  }

  /** It has waited for a publisher as long as it may; to be asked about once a second. */
  isOverdue(now: Millis): boolean {
    const { wait } = this.#options;
    if (wait === "forever") return false;
    if (!this.isWaiting) this.#lastPublishedAt = now;
    return now - this.#lastPublishedAt > wait;
  }

  /** @returns false when the stream has no room for another subscriber */
  start(): boolean {
    const { stream, sink, sharing } = this.#options;
    this.#subscriber = stream.subscribe({
      sink,
      sharing,
      form: this.#form(),
      isPatient: this.#isPatient,
      startAt: "cached-gop",
    });
    return this.#subscriber !== undefined;
  }

  /** Stays a subscriber, so that the stream is still there when it goes on, and is sent nothing. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#switch("live-edge");
  }

  /** Time must not go back, so a live stream goes on at its next key frame. */
  unpause(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#switch("next-key");
  }

  /** Muting takes effect at once; video comes back at a key frame, with its headers. */
  setKind(kind: "audio" | "video", state: "on" | "muted"): void {
    if (this.#filter[kind] === state) return;
    this.#filter = { ...this.#filter, [kind]: state };
    if (!this.#isPaused) this.#switch(kind === "video" && state === "on" ? "next-key" : "live-edge");
  }

  setBuffer(milliseconds: number): void {
    this.#isPatient = milliseconds >= PATIENT_BUFFER_MS;
    if (this.#subscriber !== undefined) this.#options.stream.setPatience(this.#subscriber, this.#isPatient);
  }

  stop(reason: SessionEnd): void {
    const { grant, ports, stream, key, transport } = this.#options;
    if (this.#subscriber !== undefined) stream.unsubscribe(this.#subscriber);
    this.#subscriber = undefined;
    ports.streams.release(key);
    grant.end(reason, { bytesIn: 0, bytesOut: transport.socket.bytesWritten - this.#bytesBefore });
  }

  #switch(startAt: "live-edge" | "next-key"): void {
    if (this.#subscriber !== undefined) this.#options.stream.switchForm(this.#subscriber, this.#form(), startAt);
  }

  #form(): WireForm {
    const form = this.#options.formFor(this.#filter);
    return this.#isPaused ? silenced(form) : form;
  }
}

/** Carries nothing; one for all that pause, whatever they see otherwise. */
function silenced(form: WireForm): WireForm {
  return { ...form, id: "paused", carry: () => undefined, opening: () => undefined };
}
