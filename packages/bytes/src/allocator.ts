/** Allocation of buffers for assembled messages: a port, filled with the fastest way of the runtime. */

/** Returns uninitialised bytes. Small buffers may share a slab: copy a small view before keeping it for long. */
export interface ByteAllocator {
  allocate(byteCount: number): Uint8Array;
}

const SLAB_BYTES = 64 * 1024;

/** Cuts small buffers from slabs, since one `new Uint8Array` per message costs ten times as much. */
export class SlabAllocator implements ByteAllocator {
  #slab = new Uint8Array(0);
  #used = 0;

  allocate(byteCount: number): Uint8Array {
    if (byteCount > SLAB_BYTES / 8) return new Uint8Array(byteCount);
    if (this.#used + byteCount > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += byteCount;
    return this.#slab.subarray(at, at + byteCount);
  }
}
