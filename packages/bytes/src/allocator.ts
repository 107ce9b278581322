/** Where buffers for assembled messages come from: a port, filled with the runtime's fastest way. */

/** Hands out uninitialised bytes. Small ones may share a slab: whoever keeps a small view for long copies it. */
export interface ByteAllocator {
  allocate(byteCount: number): Uint8Array;
}

const SLAB_BYTES = 64 * 1024;

/** Cuts small buffers from slabs, since one `new Uint8Array` per message costs ten times the cut. */
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
