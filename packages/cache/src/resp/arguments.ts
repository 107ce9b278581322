/** Parses numbers and expiry options of commands, with the errors of Redis. */
import type { Millis } from "@sluice/base/brand";
import { parseInt64 } from "../state/integer-text.ts";
import { NOT_AN_INTEGER, refuse, SYNTAX_ERROR } from "./errors.ts";
import type { RespRequest } from "./request.ts";

const MAX_INT64_TEXT = 20;
/** Above it a time in milliseconds exceeds a signed 64-bit number. */
const MAX_INT64 = 2n ** 63n - 1n;
/** The year 287396: later times are treated as this. */
const MAX_TIME = Number.MAX_SAFE_INTEGER;

/** @throws {CommandRefusal} unless it is a signed 64-bit number */
export function integerArgument(request: RespRequest, index: number, error = NOT_AN_INTEGER): bigint {
  const value = request.lengthOf(index) > MAX_INT64_TEXT ? undefined : parseInt64(request.text(index));
  return value ?? refuse(error);
}

/** @throws {CommandRefusal} unless it is a whole number that a double holds */
export function smallInteger(request: RespRequest, index: number, error = NOT_AN_INTEGER): number {
  const value = integerArgument(request, index, error);
  return value > MAX_TIME || value < -MAX_TIME ? refuse(error) : Number(value);
}

/** Form of an expiry: a duration or a time, in seconds or milliseconds. */
export interface ExpiryUnit {
  readonly isSpan: boolean;
  readonly scale: 1 | 1_000;
}

export const EXPIRY_UNITS: ReadonlyMap<string, ExpiryUnit> = new Map([
  ["ex", { isSpan: true, scale: 1_000 }],
  ["px", { isSpan: true, scale: 1 }],
  ["exat", { isSpan: false, scale: 1_000 }],
  ["pxat", { isSpan: false, scale: 1 }],
] as const);

export interface ExpiryArgument {
  readonly request: RespRequest;
  readonly index: number;
  readonly unit: ExpiryUnit;
  readonly now: Millis;
  /** Name of the command, for the error. */
  readonly command: string;
  /** Whether zero and negative values are an error; otherwise they are in the past. */
  readonly mustBePositive: boolean;
}

/** The time at which the entry expires. @throws {CommandRefusal} */
export function expiryArgument({ request, index, unit, now, command, mustBePositive }: ExpiryArgument): Millis {
  const value = integerArgument(request, index);
  const error = `ERR invalid expire time in '${command}' command`;
  if (mustBePositive && value <= 0n) refuse(error);
  const scaled = value * BigInt(unit.scale);
  const time = unit.isSpan ? scaled + BigInt(Math.floor(now)) : scaled;
  if (scaled > MAX_INT64 || scaled < -MAX_INT64 - 1n || time > MAX_INT64) refuse(error);
  return Math.max(0, Math.min(MAX_TIME, Number(time))) as Millis;
}

export function syntaxError(): never {
  return refuse(SYNTAX_ERROR);
}
