/** Cryptography as a port; the server fills it with node:crypto. */

export interface Crypto {
  randomBytes(byteCount: number): Uint8Array;
  /** 32 bytes. */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
}
