/** Computes the value of a counter after an addition, or why it is impossible. */
import { isInt64, parseInt64 } from "./integer-text.ts";
import { addDecimals } from "./long-double.ts";
import type { Refusal } from "./operation.ts";

export type CounterResult = { readonly text: string } | { readonly refusal: Refusal };

/** Longest text of a signed 64-bit number. */
const MAX_INTEGER_TEXT = 20;

/** Up to this length digits are exact in a double, and so is the sum of two. */
const MAX_SMALL_TEXT = 15;
const SMALL = /^(?:0|-?[1-9]\d*)$/;

export function addInteger(current: string, by: bigint): CounterResult {
  const small = Number(by);
  if (current.length <= MAX_SMALL_TEXT && Math.abs(small) < 1e15 && SMALL.test(current)) {
    return { text: String(Number(current) + small) };
  }
  const value = current.length > MAX_INTEGER_TEXT ? undefined : parseInt64(current);
  if (value === undefined) return { refusal: "not-an-integer" };
  const sum = value + by;
  return isInt64(sum) ? { text: sum.toString() } : { refusal: "increment-overflow" };
}

export function addFloat(current: string, by: string): CounterResult {
  const result = addDecimals(current, by);
  if ("sum" in result) return { text: result.sum };
  return { refusal: result.problem === "not-finite" ? "increment-not-finite" : "not-a-float" };
}
