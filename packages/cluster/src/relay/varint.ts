/** Numbers in as few bytes as they need: seven bits in each, the lowest first, up to 2⁵³ − 1. */
import type { ByteReader } from "@sluice/bytes/byte-reader";
import type { ByteWriter } from "@sluice/bytes/byte-writer";
import { RelayFrameError } from "./errors.ts";

const MORE = 0x80;

export function writeVarint(w: ByteWriter, number: number): void {
  let rest = number;
  for (; rest >= MORE; rest = Math.floor(rest / MORE)) w.u8((rest % MORE) | MORE);
  w.u8(rest);
}

/** @throws {RelayFrameError} beyond 2⁵³ − 1 */
export function readVarint(r: ByteReader): number {
  let number = 0;
  for (let scale = 1; ; scale *= MORE) {
    const byte = r.u8();
    number += (byte % MORE) * scale;
    if (!Number.isSafeInteger(number)) throw new RelayFrameError({ detail: "a number beyond 2^53" });
    if (byte < MORE) return number;
  }
}

/** Signed: the sign is the lowest bit, so that small negative numbers are short too. */
export function writeZigzag(w: ByteWriter, number: number): void {
  writeVarint(w, number < 0 ? -number * 2 - 1 : number * 2);
}

export function readZigzag(r: ByteReader): number {
  const number = readVarint(r);
  return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
}
