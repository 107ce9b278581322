/** Encodes many small operations into shared buffers: one buffer each would cost more than the rest of a write. */
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { EntryPlaces } from "./entry-places.ts";
import type { CacheName, Operation } from "./operation.ts";
import { encodeOperation, writeRequest } from "./operation-codec.ts";
import { isPlainCache, PLAIN_SET_BYTES, writePlainSet } from "./plain-set.ts";

const SLAB_BYTES = 64 * 1024;
/** Larger ones get a buffer of their own. */
const MAX_SHARED_BYTES = 4 * 1024;
/** Approximate bytes of an operation besides its keys and values. */
const ROOM_BYTES = 128;

export class OperationEncoder {
  /** For `encodePlainSet`: point it at key and value first. */
  readonly places = new EntryPlaces();
  #slab = new ByteWriter(SLAB_BYTES);

  /**
   * The bytes share a buffer with others and are never overwritten; keeping a small one keeps 64 KiB.
   * @throws {OperationBytesError} for a name or key that is too long
   */
  encode(operation: Operation): Uint8Array {
    const size = sizeOf(operation);
    if (size > MAX_SHARED_BYTES) return encodeOperation(operation);
    const start = this.#makeRoom(size);
    writeRequest(this.#slab, operation);
    return this.#slab.from(start);
  }

  /**
   * Encodes the key and value that `places` points at, then clears it.
   * @returns `undefined` if the short form cannot express it, or it would take too much of a shared buffer
   */
  encodePlainSet(cache: CacheName): Uint8Array | undefined {
    const { places } = this;
    const size = PLAIN_SET_BYTES + places.keyLength + places.valueLength;
    const isShort = size <= MAX_SHARED_BYTES && isPlainCache(cache);
    const start = isShort ? this.#makeRoom(size) : 0;
    if (isShort) writePlainSet(this.#slab, cache, places);
    places.forget();
    return isShort ? this.#slab.from(start) : undefined;
  }

  #makeRoom(size: number): number {
    if (this.#slab.length + size > SLAB_BYTES) this.#slab = new ByteWriter(SLAB_BYTES);
    return this.#slab.length;
  }
}

/** An upper bound for small operations; an overestimate for those that get their own buffer anyway. */
function sizeOf(operation: Operation): number {
  switch (operation.type) {
    case "set":
    case "append":
      return ROOM_BYTES + 3 * operation.cache.length + operation.key.length + operation.value.length;
    case "expire":
    case "increment":
      return ROOM_BYTES + 3 * operation.cache.length + operation.key.length;
    case "delete":
      return operation.keys.length > 8 ? Number.POSITIVE_INFINITY : sumOf(operation.keys) + 3 * operation.cache.length;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

function sumOf(keys: readonly Uint8Array[]): number {
  let sum = ROOM_BYTES;
  for (const key of keys) sum += 2 + key.length;
  return sum;
}
