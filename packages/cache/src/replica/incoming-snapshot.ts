/** A snapshot that a follower collects, part by part, from its leader. */
import type { ReplicaLimits } from "./limits.ts";
import type { SnapshotPart } from "./member-message.ts";

/** Approximate memory of a piece besides its bytes. */
const PIECE_OVERHEAD_BYTES = 64;

type TakeOutcome = "more" | "whole" | "too-large";

export class IncomingSnapshot {
  readonly transfer: number;
  readonly term: number;
  readonly pieces: Uint8Array[] = [];
  #nextPart = 0;
  #byteCount = 0;
  readonly #waiting = new Map<number, SnapshotPart>();

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

  /** Whether this transfer replaced that of the part. */
  isAfter(part: SnapshotPart): boolean {
    return part.term === this.term && part.transfer < this.transfer;
  }

  /** Parts that arrive out of order are kept until their predecessors arrive. */
  take(part: SnapshotPart, limits: Pick<ReplicaLimits, "snapshotBytes" | "snapshotMessagesInFlight">): TakeOutcome {
    const isNear = part.part >= this.#nextPart && part.part < this.#nextPart + limits.snapshotMessagesInFlight;
    if (isNear) this.#waiting.set(part.part, part);
    for (let next = this.#waiting.get(this.#nextPart); next !== undefined; next = this.#waiting.get(this.#nextPart)) {
      this.#waiting.delete(this.#nextPart++);
      this.#keep(next.pieces);
      if (this.#byteCount > limits.snapshotBytes) return "too-large";
      if (next.isLast) return "whole";
    }
    return "more";
  }

  #keep(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#byteCount += piece.length + PIECE_OVERHEAD_BYTES;
      this.pieces.push(piece);
    }
  }
}
