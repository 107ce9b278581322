/** A snapshot that a follower gathers, part by part, from its leader. */
import type { ReplicaLimits } from "./limits.ts";
import type { SnapshotPart } from "./member-message.ts";

/** What a piece weighs besides its bytes, roughly. */
const PIECE_OVERHEAD_BYTES = 64;

export class SnapshotArrival {
  readonly transfer: number;
  readonly term: number;
  readonly pieces: Uint8Array[] = [];
  #nextPart = 0;
  #byteCount = 0;

  constructor(first: SnapshotPart) {
    this.transfer = first.transfer;
    this.term = first.term;
  }

  get nextPart(): number {
    return this.#nextPart;
  }

  isOf(part: SnapshotPart): boolean {
    return part.transfer === this.transfer && part.term === this.term;
  }

  /** A part of a transfer that this one took the place of. */
  isAfter(part: SnapshotPart): boolean {
    return part.term === this.term && part.transfer < this.transfer;
  }

  take(part: SnapshotPart, limits: Pick<ReplicaLimits, "snapshotBytes">): "more" | "whole" | "too-large" {
    if (part.part !== this.#nextPart) return "more";
    this.#nextPart++;
    for (const piece of part.pieces) {
      this.#byteCount += piece.length + PIECE_OVERHEAD_BYTES;
      this.pieces.push(piece);
    }
    if (this.#byteCount > limits.snapshotBytes) return "too-large";
    return part.isLast ? "whole" : "more";
  }
}
