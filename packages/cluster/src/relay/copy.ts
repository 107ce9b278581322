/** A stream as it is given to one other node: frames leave at once, and what a slow link cannot take is dropped here. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { type Frame, isCoded, type PublicationId } from "@sluice/media/frame";
import type { LiveStream } from "@sluice/media/live-stream";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Tap } from "@sluice/media/tap";
import type { Channel } from "@sluice/mesh/channel";
import { Backlog } from "./backlog.ts";
import type { MeshLink } from "@sluice/mesh/mesh";
import type { FrameEncoder } from "./frame-form.ts";
import { RELAY_LIMITS, RELAY_TIMINGS } from "./limits.ts";
import { encodeAnswer, FRAME_FORM, type StreamAnswer } from "./messages.ts";

/** What was sent and what was not; only differences mean anything. */
export class CopyCounts {
  frames = 0;
  bytes = 0;
  droppedVideo = 0;
  droppedAudio = 0;
  /** Data messages. */
  droppedMessages = 0;

  add(more: CopyCounts): void {
    this.frames += more.frames;
    this.bytes += more.bytes;
    this.droppedVideo += more.droppedVideo;
    this.droppedAudio += more.droppedAudio;
    this.droppedMessages += more.droppedMessages;
  }
}

export interface CopyOptions {
  readonly key: StreamKey;
  readonly channel: Channel;
  /** Of the node that takes it. */
  readonly link: MeshLink;
  /** The nodes that wait for it, the one that takes it first. */
  readonly waiting: readonly string[];
  /** Of the stream: all its copies send the same bytes. */
  readonly encoder: FrameEncoder;
  /** Bytes that all copies of the link have queued. */
  readonly linkBytes: () => number;
  /** This node is stopping. */
  readonly isLeaving: () => boolean;
  readonly clock: Clock;
}

/** `full`: video waits for its next key frame and audio is dropped; `slow`: only video is. */
type Pressure = "none" | "slow" | "full";

export class Copy implements Tap {
  readonly counts = new CopyCounts();
  readonly #options: CopyOptions;
  readonly #backlog = new Backlog();
  /** Video tracks that go on at their next key frame. */
  readonly #skipping = new Set<number>();
  #pressure: Pressure = "none";
  /** Bytes of the GOP that the node was given at once: the limits begin behind them. */
  #allowance = 0;
  #tap: Disposable | undefined;
  /** Set while it is given what is cached, which may be of the publication before. */
  #joining: PublicationId | undefined;
  /** The node was told that there is no source. */
  #isWaiting = false;
  #isClosed = false;

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  get node(): string {
    return this.#options.link.peer.id;
  }

  get key(): StreamKey {
    return this.#options.key;
  }

  get waiting(): readonly string[] {
    return this.#options.waiting;
  }

  get link(): MeshLink {
    return this.#options.link;
  }

  get channel(): Channel {
    return this.#options.channel;
  }

  /** Frames flow, or will with the publisher's next one. */
  get isFlowing(): boolean {
    return this.#tap !== undefined;
  }

  /** How long the oldest queued frame has waited. */
  get lag(): Millis {
    return this.#backlog.age(this.#queuedBytes, this.#options.clock.now());
  }

  /** How old a frame is when the node has it, as far as the link is the cause. */
  get delay(): Millis {
    return (this.lag + (this.link.driver.link?.rtt ?? 0) / 2) as Millis;
  }

  /** This node has a source: set-up and the cached GOP at once, then each frame. Call again when the path changes. */
  start(stream: LiveStream, source: { readonly publication: PublicationId; readonly path: readonly string[] }): void {
    if (this.#isClosed) return;
    this.#isWaiting = false;
    this.#answer({ type: "source", form: FRAME_FORM, ...source });
    if (this.#tap !== undefined) return;
    this.#joining = source.publication;
    this.#tap = stream.openTap(this);
    this.#joining = undefined;
    this.#allowance = this.#queuedBytes;
  }

  /** No source any more, or not yet. */
  wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#untap();
    this.#answer({ type: "waiting" });
  }

  /** Ask these nodes instead. */
  refer(nodes: readonly string[]): void {
    this.#answer({ type: "elsewhere", nodes });
    this.close("refused", "this node is hot");
  }

  take(frame: Frame): void {
    if (this.#joining !== undefined && frame.publication !== this.#joining) return;
    if (this.#joining === undefined && !this.#mayQueue(frame)) return this.#drop(frame);
    const bytes = this.#options.encoder.encode(frame);
    if (this.channel.send(bytes) !== "queued") return this.#drop(frame);
    this.counts.frames++;
    this.counts.bytes += bytes.length;
    this.#backlog.note(bytes.length, this.#queuedBytes, this.#options.clock.now());
  }

  /** The link writes once for all that a turn of the loop queued. */
  deliver(): void {}

  notify(notice: "published" | "unpublished"): void {
    if (notice === "published") return; // `start` says it, with the path
    if (this.#options.isLeaving()) return this.wait();
    this.#isWaiting = true;
    this.#untap();
    this.#answer({ type: "unpublished" });
  }

  end(): void {
    this.close("done", "the stream ended");
  }

  /** May be called twice. */
  close(code: "done" | "refused" = "done", reason = ""): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#untap();
    this.channel.close(code, reason);
  }

  get #queuedBytes(): number {
    return this.channel.queuedBytes;
  }

  #untap(): void {
    this.#tap?.[Symbol.dispose]();
    this.#tap = undefined;
  }

  #answer(answer: StreamAnswer): void {
    if (!this.#isClosed) this.channel.send(encodeAnswer(answer));
  }

  /** Set-up and metadata always: without them nothing after them could be shown. */
  #mayQueue(frame: Frame): boolean {
    if (frame.role === "config" || frame.role === "metadata") return true;
    this.#pressure = this.#measure();
    if (frame.kind !== "video" || !isCoded(frame)) return this.#pressure !== "full";
    if (this.#pressure !== "none") return false;
    if (frame.role === "key") this.#skipping.delete(frame.trackId);
    return !this.#skipping.has(frame.trackId);
  }

  /** Video that was dropped comes back only once half of what is allowed has left. */
  #measure(): Pressure {
    const { linkBytes, clock } = this.#options;
    const queued = this.#queuedBytes;
    if (queued === 0) this.#allowance = 0;
    const bytes = Math.max(0, queued - this.#allowance);
    const now = clock.now();
    const [age, wait] = [this.#backlog.age(queued, now), this.#backlog.wait(queued, now)];
    const part = this.#pressure === "none" ? 1 : 0.5;
    const link = linkBytes() > RELAY_LIMITS.linkLagBytes * part;
    if (bytes > RELAY_LIMITS.audioLagBytes || age > RELAY_TIMINGS.audioLag) return "full";
    if (link || bytes > RELAY_LIMITS.videoLagBytes * part || wait > RELAY_TIMINGS.videoLag * part) return "slow";
    return "none";
  }

  #drop({ kind, trackId }: Frame): void {
    if (kind === "video") {
      this.counts.droppedVideo++;
      this.#skipping.add(trackId);
    } else if (kind === "audio") this.counts.droppedAudio++;
    else this.counts.droppedMessages++;
  }
}
