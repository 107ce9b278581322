/** The frames from the last key frame on, as they came, so that a new wire form can be encoded for its first viewer. */
import type { Millis } from "@sluice/base/brand";
import { serialDistance } from "@sluice/base/serial-number";
import type { Frame } from "./frame.ts";
import type { GopLimits } from "./limits.ts";

/** Without video every audio unit can start a player; a cache of this span fills its buffer. */
const AUDIO_SPAN = 1_000 as Millis;

/** What adding a frame did: it opened a GOP, went on with one, or there is none that a joiner could start with. */
export type GopStep = "opened" | "continued" | "none";

export class GopCache {
  readonly #limits: GopLimits;
  #frames: Frame[] = [];
  #bytes = 0;
  #hasVideo = false;
  /** Its key frames open GOPs: the lowest video track that sent one, as not every stream has a track 0. */
  #leadTrack = Number.POSITIVE_INFINITY;
  #isOpen = false;
  #overflows = 0;

  constructor(limits: GopLimits) {
    this.#limits = limits;
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

  /** Keeps every frame from the one that opens; changes of set-up too, so that they are heard in their place. */
  add(frame: Frame): GopStep {
    if (frame.kind === "video" && frame.role !== "config") this.#hasVideo = true;
    const opens = this.#opens(frame);
    if (this.#limits.maxFrames === 0) return opens ? "opened" : "none";
    if (opens) this.#reset(true);
    if (!this.#isOpen) return "none";
    this.#frames.push(frame);
    this.#bytes += frame.body.length;
    if (this.#isOverLimit(frame)) {
      this.#overflows++;
      this.#reset(false);
      return opens ? "opened" : "none";
    }
    return opens ? "opened" : "continued";
  }

  clear(): void {
    this.#reset(false);
    this.#hasVideo = false;
    this.#leadTrack = Number.POSITIVE_INFINITY;
  }

  #opens(frame: Frame): boolean {
    if (frame.kind === "video") {
      if (frame.role !== "key" || frame.trackId > this.#leadTrack) return false;
      this.#leadTrack = frame.trackId;
      return true;
    }
    if (this.#hasVideo || frame.kind !== "audio" || (frame.role !== "key" && frame.role !== "delta")) return false;
    const first = this.#frames[0];
    return first === undefined || serialDistance(first.dts, frame.dts) >= AUDIO_SPAN;
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
