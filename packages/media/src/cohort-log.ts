/** An append-only run of encoded bytes in slabs, read by many cursors and trimmed behind them. */
import type { Millis } from "@sluice/base/brand";

/** Bytes from the first one ever appended; grows without end and stays exact below 2⁵³. */
export type Position = number;

interface Slab {
  readonly start: Position;
  readonly bytes: Uint8Array;
  used: number;
  /** Where each appended piece ends; rising. */
  readonly ends: Position[];
  /** When its last byte was appended. */
  lastAt: Millis;
}

export const MIN_SLAB_BYTES = 16 * 1024;
export const MAX_SLAB_BYTES = 512 * 1024;

/** Views handed out stay valid and never change: slabs are dropped, never reused. */
export class CohortLog {
  readonly #allocate: (byteCount: number) => Uint8Array;
  readonly #maxSlabBytes: number;
  readonly #slabs: Slab[] = [];
  #end: Position = 0;
  #nextSlabBytes = MIN_SLAB_BYTES;

  /**
   * @param allocate  returns uninitialised bytes that nothing else refers to
   * @param maxSlabBytes  what slabs grow to; at least `MIN_SLAB_BYTES`
   */
  constructor(allocate: (byteCount: number) => Uint8Array, maxSlabBytes = MAX_SLAB_BYTES) {
    this.#allocate = allocate;
    this.#maxSlabBytes = maxSlabBytes;
  }

  /** Position of the oldest byte still held. */
  get start(): Position {
    return this.#slabs[0]?.start ?? this.#end;
  }

  /** Position behind the newest byte. */
  get end(): Position {
    return this.#end;
  }

  /** Bytes of memory held, unused tails included. */
  get heldBytes(): number {
    return this.#slabs.reduce((sum, slab) => sum + slab.bytes.length, 0);
  }

  /** Appends exactly `byteCount` bytes, which `fill` writes at the given offset. */
  append(byteCount: number, now: Millis, fill: (target: Uint8Array, offset: number) => void): "same-slab" | "new-slab" {
    let slab = this.#slabs[this.#slabs.length - 1];
    const isNew = slab === undefined || slab.used + byteCount > slab.bytes.length;
    if (slab === undefined || isNew) slab = this.#open(byteCount, now);
    fill(slab.bytes, slab.used);
    slab.used += byteCount;
    slab.lastAt = now;
    this.#end += byteCount;
    slab.ends.push(this.#end);
    return isNew ? "new-slab" : "same-slab";
  }

  /** Views of `[from, to)`, oldest first; `from` must not lie before `start`. */
  views(from: Position, to: Position): Uint8Array[] {
    const views: Uint8Array[] = [];
    for (let i = this.#find(from); from < to; i++) {
      const slab = this.#slabs[i] as Slab;
      const at = from - slab.start;
      const until = Math.min(slab.used, to - slab.start);
      if (until > at) views.push(slab.bytes.subarray(at, until));
      from = slab.start + slab.used;
    }
    return views;
  }

  /** `[from, to)` as one run: a view where it lies in one slab, else a copy. */
  run(from: Position, to: Position): Uint8Array {
    const slab = this.#slabs[this.#slabs.length - 1];
    if (slab !== undefined && from >= slab.start) return slab.bytes.subarray(from - slab.start, to - slab.start);
    const views = this.views(from, to);
    if (views.length === 1) return views[0] as Uint8Array;
    const joined = this.#allocate(to - from);
    let at = 0;
    for (const view of views) {
      joined.set(view, at);
      at += view.length;
    }
    return joined;
  }

  /**
   * The last position in `(from, limit]` at which an appended piece ends, or the end of the first piece where that is
   * longer: a protocol may send messages of its own between pieces. `from` must lie before `end`.
   */
  cut(from: Position, limit: Position): Position {
    let cut: Position | undefined;
    for (let i = this.#find(from); i < this.#slabs.length; i++) {
      for (const end of (this.#slabs[i] as Slab).ends) {
        if (end <= from) continue;
        if (cut !== undefined && end > limit) return cut;
        cut = end;
      }
    }
    return cut ?? this.#end;
  }

  /** Drops slabs that end at or before `needed`, and those too old or too far behind; none that ends after `kept`. */
  trim(options: {
    readonly needed: Position;
    readonly kept: Position;
    readonly olderThan: Millis;
    readonly maxBytes: number;
  }): void {
    while (this.#slabs.length > 1) {
      const slab = this.#slabs[0] as Slab;
      const slabEnd = slab.start + slab.used;
      const isOverdue = slab.lastAt < options.olderThan || this.#end - slabEnd > options.maxBytes;
      if (slabEnd > options.kept || (slabEnd > options.needed && !isOverdue)) return;
      this.#slabs.shift();
    }
  }

  #open(byteCount: number, now: Millis): Slab {
    const slab: Slab = {
      start: this.#end,
      bytes: this.#allocate(Math.max(this.#nextSlabBytes, byteCount)),
      used: 0,
      ends: [],
      lastAt: now,
    };
    this.#slabs.push(slab);
    this.#nextSlabBytes = Math.min(this.#maxSlabBytes, this.#nextSlabBytes * 2);
    return slab;
  }

  #find(position: Position): number {
    let i = this.#slabs.length - 1;
    while (i > 0 && (this.#slabs[i] as Slab).start > position) i--;
    return i;
  }
}
