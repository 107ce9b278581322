/** Copies bytes into separate memory: `slice` on a Buffer, which any Uint8Array may be, returns a view. */

export function plainCopy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
