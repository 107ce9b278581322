/** Copies small bodies that are kept: they arrive as views of shared buffers, which the views would keep alive. */
import type { Frame } from "./frame.ts";

/** Small copies are cut from one slab: a buffer for each costs ten times as much. */
const SLAB_BYTES = 16 * 1024;

/** The frame in a buffer of its own; the frame itself where its body fills its buffer already. */
export function inOwnBytes(frame: Frame, slab?: OwnSlab): Frame {
  const { body, data } = frame;
  if (body.byteLength === body.buffer.byteLength) return frame;
  const own = slab?.cut(body.length) ?? new Uint8Array(body.length);
  own.set(body);
  const at = own.byteOffset + data.byteOffset - body.byteOffset;
  return { ...frame, body: own, data: new Uint8Array(own.buffer, at, data.length) };
}

/** Frees the bytes without waiting for the garbage collector, which runs late while memory fills; do not read them again. */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

/** One for each owner, so that its slabs hold nothing else. */
export class OwnSlab {
  readonly #allocate: (byteCount: number) => Uint8Array;
  #slab: Uint8Array | undefined;
  #used = SLAB_BYTES;

  /** @param allocate  returns uninitialised bytes that nothing else refers to */
  constructor(allocate: (byteCount: number) => Uint8Array) {
    this.#allocate = allocate;
  }

  cut(byteCount: number): Uint8Array {
    if (byteCount > SLAB_BYTES / 4) return this.#allocate(byteCount);
    if (this.#slab === undefined || this.#used + byteCount > SLAB_BYTES) {
      this.#slab = this.#allocate(SLAB_BYTES);
      this.#used = 0;
    }
    this.#used += byteCount;
    const { buffer, byteOffset } = this.#slab;
    return new Uint8Array(buffer, byteOffset + this.#used - byteCount, byteCount);
  }
}
