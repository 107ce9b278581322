/** The digest ("complex") handshake: blocks that carry an HMAC at a place told by four of their own bytes. */
import type { Crypto } from "@sluice/base/crypto";
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import { BLOCK_BYTES } from "./plain.ts";

export type DigestLayout = "digest-first" | "key-first";

const LAYOUTS: readonly DigestLayout[] = ["digest-first", "key-first"];
const DIGEST_BYTES = 32;
const CLIENT_TEXT = "Genuine Adobe Flash Player 001";
const SERVER_TEXT = "Genuine Adobe Flash Media Server 001";
const COMMON_KEY_HEX = "f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae";

export type DigestRole = "client" | "server";

/** 30 or 36 bytes of text sign the first block; with the common 32 behind them they sign the second. */
function keyOf(role: DigestRole, block: "first" | "second"): Uint8Array {
  const text = encodeUtf8(role === "client" ? CLIENT_TEXT : SERVER_TEXT);
  if (block === "first") return text;
  const key = new Uint8Array(text.length + DIGEST_BYTES);
  key.set(text);
  for (let i = 0; i < DIGEST_BYTES; i++)
    key[text.length + i] = Number.parseInt(COMMON_KEY_HEX.slice(2 * i, 2 * i + 2), 16);
  return key;
}

/** Offset of the digest: four bytes summed modulo 728, counted from behind them. */
function digestOffset(block: Uint8Array, layout: DigestLayout): number {
  const at = layout === "digest-first" ? 8 : 772;
  const sum = (block[at] as number) + (block[at + 1] as number) + (block[at + 2] as number) + (block[at + 3] as number);
  return (sum % 728) + at + 4;
}

function digestOf(block: Uint8Array, offset: number, key: Uint8Array, crypto: Crypto): Uint8Array {
  const rest = new Uint8Array(BLOCK_BYTES - DIGEST_BYTES);
  rest.set(block.subarray(0, offset));
  rest.set(block.subarray(offset + DIGEST_BYTES), offset);
  return crypto.hmacSha256(key, rest);
}

/** The layout and digest of a C1 or S1; `undefined` for a plain one. A zero version field (bytes 4 to 7) means plain. */
export function findDigest(
  block: Uint8Array,
  signedBy: DigestRole,
  crypto: Crypto,
): { readonly layout: DigestLayout; readonly digest: Uint8Array } | undefined {
  if (((block[4] as number) | (block[5] as number) | (block[6] as number) | (block[7] as number)) === 0)
    return undefined;
  const key = keyOf(signedBy, "first");
  for (const layout of LAYOUTS) {
    const offset = digestOffset(block, layout);
    const digest = block.slice(offset, offset + DIGEST_BYTES);
    if (areEqual(digestOf(block, offset, key, crypto), digest)) return { layout, digest };
  }
  return undefined;
}

/** C1 or S1: zero time, a version that is not zero, random bytes, the digest at its place. */
export function createDigestBlock(role: DigestRole, layout: DigestLayout, crypto: Crypto): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(role === "client" ? [10, 0, 32, 2] : [4, 5, 0, 1], 4);
  block.set(crypto.randomBytes(BLOCK_BYTES - 8), 8);
  const offset = digestOffset(block, layout);
  block.set(digestOf(block, offset, keyOf(role, "first"), crypto), offset);
  return block;
}

/** C2 or S2: random bytes, then their HMAC under a key that derives from the peer's digest. */
export function createDigestAnswer(role: DigestRole, peerDigest: Uint8Array, crypto: Crypto): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const signedBytes = BLOCK_BYTES - DIGEST_BYTES;
  block.set(crypto.randomBytes(signedBytes));
  const key = crypto.hmacSha256(keyOf(role, "second"), peerDigest);
  block.set(crypto.hmacSha256(key, block.subarray(0, signedBytes)), signedBytes);
  return block;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}
