/** The frames from the last key frame on, as they came, so that a new wire form can be encoded for its first viewer. */
import type { Millis } from "@sluice/base/brand";
import { serialDistance } from "@sluice/base/serial-number";
import { type Frame, isCoded, type Timestamp } from "./frame.ts";
import type { GopLimits } from "./limits.ts";
import { giveBack, inOwnBytes, OwnSlab } from "./own-bytes.ts";

/** Without video every audio unit can start a player; a cache of this span fills its buffer. */
const AUDIO_SPAN = 1_000 as Millis;

/** After so long without pictures, as when a camera is off, audio alone opens GOPs. */
const VIDEO_QUIET = 10_000 as Millis;

/** What adding a frame did: it opened a GOP, continued one, or there is none for a joiner to start with. */
export type GopStep = "opened" | "continued" | "none";

export class GopCache {
  readonly #limits: GopLimits;
  #frames: Frame[] = [];
  #bytes = 0;
  readonly #own: OwnSlab;
  /** Of the last picture. */
  #videoAt: Timestamp | undefined;
  /** Its key frames open GOPs: the lowest video track that sent one, as not every stream has a track 0. */
  #leadTrack = Number.POSITIVE_INFINITY;
  #isOpen = false;
  #overflows = 0;

  /** @param allocate  returns uninitialised bytes that nothing else refers to */
  constructor(
    limits: GopLimits,
    allocate: (byteCount: number) => Uint8Array = (byteCount) => new Uint8Array(byteCount),
  ) {
    this.#limits = limits;
    this.#own = new OwnSlab(allocate);
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Timeline span held. */
  get duration(): Millis {
    const first = this.#frames[0];
    const last = this.#frames[this.#frames.length - 1];
    return (first && last ? Math.max(0, serialDistance(first.dts, last.dts)) : 0) as Millis;
  }

  /** Times that a limit emptied it before a key frame came. */
  get overflows(): number {
    return this.#overflows;
  }

  /** Keeps every frame from the one that opens, changes of set-up included, so that joiners get those in their place. */
  add(frame: Frame): GopStep {
    if (frame.kind === "video" && isCoded(frame)) this.#videoAt = frame.dts;
    const opens = this.#opens(frame);
    if (this.#limits.maxFrames === 0) return opens ? "opened" : "none";
    if (opens) this.#reset(true);
    if (!this.#isOpen) return "none";
    this.#frames.push(inOwnBytes(frame, this.#own));
    this.#bytes += frame.body.length;
    if (this.#isOverLimit(frame)) {
      this.#overflows++;
      this.#reset(false);
      return opens ? "opened" : "none";
    }
    return opens ? "opened" : "continued";
  }

  /** Frees the cached frames at once; the next key frame opens a new GOP. */
  drop(): void {
    const dropped = this.#frames.slice(0, -1); // the last may be on its way to viewers
    this.#reset(false);
    for (const frame of dropped) if (isCoded(frame)) giveBack(frame.body);
  }

  clear(): void {
    this.#reset(false);
    this.#videoAt = undefined;
    this.#leadTrack = Number.POSITIVE_INFINITY;
  }

  #opens(frame: Frame): boolean {
    if (frame.kind === "video") {
      if (frame.role !== "key" || frame.trackId > this.#leadTrack) return false;
      this.#leadTrack = frame.trackId;
      return true;
    }
    if (frame.kind !== "audio" || !isCoded(frame) || this.#awaitsVideo(frame)) return false;
    const first = this.#frames[0];
    return first === undefined || serialDistance(first.dts, frame.dts) >= AUDIO_SPAN;
  }

  #awaitsVideo({ dts }: Frame): boolean {
    if (this.#videoAt === undefined) return false;
    return this.#isOpenedByVideo || serialDistance(this.#videoAt, dts) < VIDEO_QUIET;
  }

  get #isOpenedByVideo(): boolean {
    return this.#isOpen && this.#frames[0]?.kind === "video";
  }

  #reset(isOpen: boolean): void {
    this.#frames = [];
    this.#bytes = 0;
    this.#isOpen = isOpen;
  }

  #isOverLimit(frame: Frame): boolean {
    const { maxFrames, maxBytes, maxDuration } = this.#limits;
    const first = this.#frames[0] as Frame;
    return (
      this.#frames.length > maxFrames || this.#bytes > maxBytes || serialDistance(first.dts, frame.dts) > maxDuration
    );
  }
}
