/** Numbers above 32 bits on the members' wire. */
import type { ByteReader } from "@sluice/bytes/byte-reader";
import type { ByteWriter } from "@sluice/bytes/byte-writer";
import type { Millis } from "@sluice/base/brand";
import { MemberMessageError } from "./errors.ts";

const HIGH = 2 ** 32;
/** Above 2⁵³ − 1 the number would not be exact. */
const HIGHEST_HIGH = 2 ** 21 - 1;

/** u64, 0 to 2⁵³ − 1. */
export function writeU53(w: ByteWriter, value: number): void {
  w.u32(Math.floor(value / HIGH)).u32(value % HIGH);
}

export function readU53(r: ByteReader): number {
  const high = r.u32();
  if (high > HIGHEST_HIGH) throw new MemberMessageError({ what: "upper half of a number", value: high });
  return high * HIGH + r.u32();
}

export function readMillis(r: ByteReader): Millis {
  const value = r.f64();
  if (!Number.isFinite(value)) throw new MemberMessageError({ what: "time", value });
  return value as Millis;
}

/** @returns the element of `names` at the number read. */
export function readChoice<T extends string>(r: ByteReader, what: string, names: readonly T[]): T {
  const value = r.u8();
  const name = names[value];
  if (name === undefined) throw new MemberMessageError({ what, value });
  return name;
}

export function readFlag(r: ByteReader, what: string): boolean {
  const value = r.u8();
  if (value > 1) throw new MemberMessageError({ what, value });
  return value === 1;
}
