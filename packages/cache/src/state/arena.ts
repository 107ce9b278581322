/** Blocks of bytes inside a few large buffers, so that a million entries cost the garbage collector nothing. */

/** Blocks are counted in units, so that 32 bits of address reach 64 GiB. */
const UNIT_BYTES = 16;
const UNIT_BITS = 4;
/** Log2 of the units in a slab: slabs of 256 KiB. */
const SLAB_UNIT_BITS = 14;
const SLAB_BYTES = UNIT_BYTES << SLAB_UNIT_BITS;
const UNIT_MASK = (1 << SLAB_UNIT_BITS) - 1;
/** Up to this size every multiple of a unit has its own class; above, four classes per doubling. */
const FINE_BYTES = 1_024;
/** Larger blocks get their own buffer. */
const MAX_SHARED_BYTES = SLAB_BYTES / 8;
const NONE = 0xffffffff;

/** Address of a block: slab number in the upper bits, unit within it in the lower. */
export type Address = number;

/** A buffer cut into blocks of one size, or, if `blockBytes` is 0, one large block. */
interface Slab {
  readonly bytes: Uint8Array;
  readonly number: number;
  readonly blockBytes: number;
  /** Unit of the first free block, `NONE` for none; each holds the next one's unit in its first four bytes. */
  freeUnit: number;
  /** From here on nothing was allocated yet. */
  cutBytes: number;
  liveBlocks: number;
  isOffered: boolean;
  isGone: boolean;
}

export class Arena {
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #goneNumbers: number[] = [];
  /** By size of block: slabs that may have room. */
  readonly #offered = new Map<number, Slab[]>();
  #heldBytes = 0;

  /** Bytes of all buffers. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Uninitialised; at least `byteCount` bytes, and at least one. */
  allocate(byteCount: number): Address {
    const blockBytes = blockBytesFor(byteCount);
    if (blockBytes > MAX_SHARED_BYTES) return this.#addSlab(blockBytes, 0).number << SLAB_UNIT_BITS;
    const slab = this.#slabWithRoom(blockBytes);
    slab.liveBlocks++;
    return ((slab.number << SLAB_UNIT_BITS) | takeUnit(slab)) >>> 0;
  }

  /** The buffer that contains the block, starting at `offsetOf`. */
  bytesOf(address: Address): Uint8Array {
    return (this.#slabs[address >>> SLAB_UNIT_BITS] as Slab).bytes;
  }

  offsetOf(address: Address): number {
    return (address & UNIT_MASK) << UNIT_BITS;
  }

  free(address: Address): void {
    const slab = this.#slabs[address >>> SLAB_UNIT_BITS] as Slab;
    slab.liveBlocks--;
    if (slab.liveBlocks <= 0) return this.#dropSlab(slab);
    putUnit(slab, address & UNIT_MASK);
    this.#offer(slab);
  }

  #slabWithRoom(blockBytes: number): Slab {
    let offered = this.#offered.get(blockBytes);
    if (offered === undefined) this.#offered.set(blockBytes, (offered = []));
    for (let slab = offered.at(-1); slab !== undefined; slab = offered.at(-1)) {
      if (!slab.isGone && hasRoom(slab)) return slab;
      slab.isOffered = false;
      offered.pop();
    }
    const slab = this.#addSlab(SLAB_BYTES, blockBytes);
    this.#offer(slab);
    return slab;
  }

  #offer(slab: Slab): void {
    if (slab.isOffered) return;
    slab.isOffered = true;
    this.#offered.get(slab.blockBytes)?.push(slab);
  }

  #addSlab(byteCount: number, blockBytes: number): Slab {
    const number = this.#goneNumbers.pop() ?? this.#slabs.length;
    const bytes = new Uint8Array(byteCount);
    const slab: Slab = {
      bytes,
      number,
      blockBytes,
      freeUnit: NONE,
      cutBytes: 0,
      liveBlocks: blockBytes === 0 ? 1 : 0,
      isOffered: false,
      isGone: false,
    };
    this.#slabs[number] = slab;
    this.#heldBytes += byteCount;
    return slab;
  }

  #dropSlab(slab: Slab): void {
    slab.isGone = true;
    this.#slabs[slab.number] = undefined;
    this.#goneNumbers.push(slab.number);
    this.#heldBytes -= slab.bytes.length;
  }
}

/** Real size of a block of this many bytes; two sizes with the same result can share a block. */
export function blockBytesFor(byteCount: number): number {
  if (byteCount <= FINE_BYTES) return Math.max(UNIT_BYTES, (byteCount + UNIT_BYTES - 1) & -UNIT_BYTES);
  const step = 2 ** (29 - Math.clz32(byteCount - 1));
  return Math.ceil(byteCount / step) * step;
}

function hasRoom(slab: Slab): boolean {
  return slab.freeUnit !== NONE || slab.cutBytes + slab.blockBytes <= slab.bytes.length;
}

function takeUnit(slab: Slab): number {
  const unit = slab.freeUnit;
  if (unit !== NONE) {
    const at = unit << UNIT_BITS;
    const b = slab.bytes;
    const low = (b[at] as number) | ((b[at + 1] as number) << 8) | ((b[at + 2] as number) << 16);
    slab.freeUnit = (low | ((b[at + 3] as number) << 24)) >>> 0;
    return unit;
  }
  const at = slab.cutBytes;
  slab.cutBytes += slab.blockBytes;
  return at >>> UNIT_BITS;
}

function putUnit(slab: Slab, unit: number): void {
  const at = unit << UNIT_BITS;
  const next = slab.freeUnit;
  slab.bytes[at] = next;
  slab.bytes[at + 1] = next >>> 8;
  slab.bytes[at + 2] = next >>> 16;
  slab.bytes[at + 3] = next >>> 24;
  slab.freeUnit = unit;
}
