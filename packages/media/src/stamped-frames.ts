/** Frames that come stamped from another node: which of them are new, and which pictures can be shown. */
import { type Frame, isCoded, type PublicationId } from "./frame.ts";

/** A publication that never sends a key frame (gradual refresh) is passed on after this many pictures. */
const KEY_HOPE_FRAMES = 300;

/**
 * - `opens`: the first frame of another publication;
 * - `follows`: new, of the same;
 * - `seen`: taken before, as when a node begins anew with its cached GOP;
 * - `broken`: a picture behind a hole, before its track's next key frame.
 */
export type StampVerdict = "opens" | "follows" | "seen" | "broken";

export class StampedFrames {
  #publication: PublicationId | undefined;
  /** Of the last frame. */
  #sequence = -1;
  #holeCount = 0;
  /** By track: count of holes when it last could be shown. */
  readonly #wholeAt = new Map<number, number>();
  #brokenInARow = 0;

  /** The stream's own frames continue it, or those of nobody: what comes next stamped is another publication. */
  reset(): void {
    this.#publication = undefined;
  }

  judge(frame: Frame): StampVerdict {
    const isNew = frame.publication !== this.#publication;
    if (isNew) this.#open(frame.publication);
    else if (frame.sequence <= this.#sequence) return "seen";
    if (frame.sequence !== this.#sequence + 1) this.#holeCount++;
    this.#sequence = frame.sequence;
    if (frame.kind === "video" && isCoded(frame) && !this.#isWhole(frame)) return isNew ? "opens" : "broken";
    return isNew ? "opens" : "follows";
  }

  #open(publication: PublicationId): void {
    this.#publication = publication;
    this.#sequence = -1;
    this.#holeCount = 0;
    this.#wholeAt.clear();
    this.#brokenInARow = 0;
  }

  /** A key frame mends its track. */
  #isWhole({ role, trackId }: Frame): boolean {
    if (role !== "key" && (this.#wholeAt.get(trackId) ?? 0) < this.#holeCount) {
      if (++this.#brokenInARow < KEY_HOPE_FRAMES) return false;
    } else this.#brokenInARow = 0;
    this.#wholeAt.set(trackId, this.#holeCount);
    return true;
  }
}
