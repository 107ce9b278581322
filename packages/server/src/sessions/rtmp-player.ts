/** One `play` of an RTMP session: its place among a stream's subscribers, its mutes and pauses. */
import type { Millis } from "@sluice/base/brand";
import type { Protocol } from "@sluice/client/admin-contract";
import type { LiveStream } from "@sluice/media/live-stream";
import { applicationOf, type StreamKey } from "@sluice/media/stream-key";
import type { Subscriber } from "@sluice/media/subscriber";
import type { SubscriberSink } from "@sluice/media/subscriber-sink";
import type { WireForm } from "@sluice/media/wire-form";
import type { ViewerFilter } from "../forms/viewer-filter.ts";
import type { ByteTransport } from "./byte-transport.ts";
import type { SessionEnd } from "./session.ts";
import type { SessionPorts } from "./session-ports.ts";

export interface RtmpPlayerOptions {
  readonly id: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly ports: SessionPorts;
  readonly transport: ByteTransport;
  readonly key: StreamKey;
  readonly stream: LiveStream;
  readonly sink: SubscriberSink;
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
  readonly #since: Millis;
  readonly #bytesBefore: number;
  #filter: ViewerFilter;
  #isPatient: boolean;
  #subscriber: Subscriber | undefined;
  /** Of subscriptions before a pause. */
  #earlierSkips = 0;

  constructor(options: RtmpPlayerOptions) {
    this.key = options.key;
    this.#options = options;
    this.#since = options.ports.clock.now();
    this.#bytesBefore = options.transport.socket.bytesWritten;
    this.#filter = options.filter;
    this.#isPatient = options.bufferMs >= PATIENT_BUFFER_MS;
  }

  get isLagging(): boolean {
    return this.#subscriber?.isLagging ?? false;
  }

  get skips(): number {
    return this.#earlierSkips + (this.#subscriber?.skips ?? 0);
  }

  /** It waited for a publisher as long as it may. */
  isOverdue(now: Millis): boolean {
    const { wait, ports, key } = this.#options;
    return wait !== "forever" && now - this.#since > wait && !ports.streams.isPublished(key);
  }

  /** @returns false when the stream has no room for another subscriber */
  start(): boolean {
    return this.#subscribe("cached-gop");
  }

  pause(): void {
    if (this.#subscriber === undefined) return;
    this.#earlierSkips += this.#subscriber.skips;
    this.#options.stream.unsubscribe(this.#subscriber);
    this.#subscriber = undefined;
  }

  /** Time must not go back, so a live stream goes on at its next key frame. */
  unpause(): void {
    if (this.#subscriber === undefined) this.#subscribe("next-key");
  }

  /** Muting takes effect at once; video comes back at a key frame, with its headers. */
  setKind(kind: "audio" | "video", state: "on" | "muted"): void {
    if (this.#filter[kind] === state) return;
    this.#filter = { ...this.#filter, [kind]: state };
    if (this.#subscriber === undefined) return;
    const startAt = kind === "video" && state === "on" ? "next-key" : "live-edge";
    this.#options.stream.switchForm(this.#subscriber, this.#options.formFor(this.#filter), startAt);
  }

  setBuffer(milliseconds: number): void {
    this.#isPatient = milliseconds >= PATIENT_BUFFER_MS;
    if (this.#subscriber !== undefined) this.#options.stream.setPatience(this.#subscriber, this.#isPatient);
  }

  stop(reason: SessionEnd): void {
    const { id, protocol, address, ports, stream, key, transport } = this.#options;
    if (this.#subscriber !== undefined) stream.unsubscribe(this.#subscriber);
    this.#subscriber = undefined;
    ports.streams.release(key);
    ports.guard.done({
      action: "play",
      protocol,
      app: applicationOf(key),
      key,
      address,
      sessionId: id,
      reason,
      durationMs: ports.clock.now() - this.#since,
      bytesIn: 0,
      bytesOut: transport.socket.bytesWritten - this.#bytesBefore,
    });
  }

  #subscribe(startAt: "cached-gop" | "next-key"): boolean {
    const { stream, sink, formFor } = this.#options;
    this.#subscriber = stream.subscribe({ sink, form: formFor(this.#filter), isPatient: this.#isPatient, startAt });
    return this.#subscriber !== undefined;
  }
}
