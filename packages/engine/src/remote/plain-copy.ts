/** Copies bytes into memory of their own: `slice` on a Buffer, which any Uint8Array may be, gives a view. */

export function plainCopy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
