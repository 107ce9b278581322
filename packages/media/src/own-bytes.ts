/** Copies of small bodies that are kept: they come as views of buffers shared with others, which would be held as long as they are. */
import type { Frame } from "./frame.ts";

/** Small copies are cut from one buffer, since one of its own for each costs ten times the cut. */
const SLAB_BYTES = 8 * 1024;

/** The frame in bytes that nobody shares; itself where its body fills its buffer. */
export function inOwnBytes(
  frame: Frame,
  allocate: (byteCount: number) => Uint8Array = (byteCount) => new Uint8Array(byteCount),
): Frame {
  const { body, data } = frame;
  if (body.byteLength === body.buffer.byteLength) return frame;
  const own = allocate(body.length);
  own.set(body);
  const at = data.byteOffset - body.byteOffset;
  return { ...frame, body: own, data: own.subarray(at, at + data.length) };
}

/** Frees the bytes without waiting for the collector, which is in no hurry while memory is filled; nobody may read them again. */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

/** One for each owner, so that nothing but what it keeps is in its slabs. */
export class OwnSlab {
  #slab = new Uint8Array(0);
  #used = 0;

  readonly allocate = (byteCount: number): Uint8Array => {
    if (byteCount > SLAB_BYTES / 4) return new Uint8Array(byteCount);
    if (this.#used + byteCount > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    this.#used += byteCount;
    return this.#slab.subarray(this.#used - byteCount, this.#used);
  };
}
