/** Signed 64-bit numbers as text, in the one form that Redis accepts: no plus sign, no leading zeros, no spaces. */
import { decodeUtf8 } from "@sluice/bytes/byte-reader";

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);
const DIGITS = /^(?:0|-?[1-9]\d{0,18})$/;
/** Up to here digits are exact in a double. */
const SMALL_DIGITS = 15;

export function parseInt64(text: string): bigint | undefined {
  if (!DIGITS.test(text)) return undefined;
  if (text.length <= SMALL_DIGITS) return BigInt(Number(text));
  const value = BigInt(text);
  return value > MAX || value < MIN ? undefined : value;
}

export function isInt64(value: bigint): boolean {
  return value >= MIN && value <= MAX;
}

/** The bytes as characters of U+0000 to U+00FF; for short texts such as numbers and names. */
export function latin1(bytes: Uint8Array): string {
  if (bytes.length > SHORT_TEXT_BYTES && bytes.every(isAscii)) return decodeUtf8(bytes);
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

/** @param text  characters up to U+00FF only */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Below this length a loop is faster than the decoder's call into the runtime. */
const SHORT_TEXT_BYTES = 64;

function isAscii(byte: number): boolean {
  return byte < 0x80;
}
