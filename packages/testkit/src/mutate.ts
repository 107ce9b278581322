/** Changes bytes like a broken or hostile peer: flips, cuts, repeats, splices, and boundary values. */
import { randomBelow } from "./random.ts";

/** Bytes that often break parsers: zero, ones, sign bits, and their neighbours. */
const EDGES = [0x00, 0x01, 0x02, 0x03, 0x0a, 0x11, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

/** Returns a new array of at most `maxBytes`. */
export function mutate(
  seed: Uint8Array,
  others: readonly Uint8Array[],
  random: () => number,
  maxBytes = 65_536,
): Uint8Array {
  let bytes: Uint8Array = seed.slice();
  const count = 1 + randomBelow(random, 6);
  for (let i = 0; i < count; i++) bytes = mutateOnce(bytes, others, random);
  return bytes.length > maxBytes ? bytes.slice(0, maxBytes) : bytes;
}

export function randomBytes(random: () => number, maxBytes: number): Uint8Array {
  const bytes = new Uint8Array(randomBelow(random, maxBytes + 1));
  for (let i = 0; i < bytes.length; i++) bytes[i] = randomBelow(random, 256);
  return bytes;
}

function mutateOnce(bytes: Uint8Array, others: readonly Uint8Array[], random: () => number): Uint8Array {
  const at = randomBelow(random, bytes.length + 1);
  const until = Math.min(bytes.length, at + 1 + randomBelow(random, 16));
  switch (randomBelow(random, 8)) {
    case 0:
      return withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << randomBelow(random, 8)));
    case 1:
      return withByte(bytes, at, randomBelow(random, 256));
    case 2:
      return withByte(bytes, at, EDGES[randomBelow(random, EDGES.length)] as number);
    case 3:
      return bytes.slice(0, at);
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(until));
    case 5:
      return joined(bytes.subarray(0, until), bytes.subarray(at));
    case 6:
      return joined(bytes.subarray(0, at), randomBytes(random, 8), bytes.subarray(at));
    default: {
      const other = others[randomBelow(random, others.length)] ?? bytes;
      return joined(bytes.subarray(0, at), other.subarray(randomBelow(random, other.length + 1)));
    }
  }
}

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at < bytes.length) bytes[at] = value;
  return bytes;
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
