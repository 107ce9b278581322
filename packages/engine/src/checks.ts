/** Refuses invalid arguments, the same way in every engine. */
import type { Millis } from "@sluice/base/brand";
import type { Key } from "./engine.ts";
import { EngineArgumentError, EngineKeyTooLongError, EngineValueTooLongError } from "./errors.ts";
import { ENGINE_LIMITS } from "./limits.ts";

/** @throws {EngineArgumentError} when empty or not well-formed text, {EngineKeyTooLongError} */
export function checkKey(key: Key): void {
  if (key.length === 0) throw new EngineArgumentError({ argument: "key", problem: "it is empty" });
  checkPrefix(key);
}

/** Like a key, but may be empty, which means every key. */
export function checkPrefix(prefix: Key): void {
  const limit = ENGINE_LIMITS.keyBytes;
  if (prefix.length > limit) throw new EngineKeyTooLongError({ bytes: prefix.length, limit });
  if (!prefix.isWellFormed())
    throw new EngineArgumentError({ argument: "key", problem: "it holds half a surrogate pair" });
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (prefix.length * 3 <= limit) return;
  const bytes = new TextEncoder().encode(prefix).length;
  if (bytes > limit) throw new EngineKeyTooLongError({ bytes, limit });
}

/** @param limit  the engine's own limit, if it is lower than the limit of all engines */
export function checkValue(value: Uint8Array, limit: number = ENGINE_LIMITS.valueBytes): void {
  if (value.length > limit) throw new EngineValueTooLongError({ bytes: value.length, limit });
}

export function checkTtl(ttl: Millis): void {
  const { min, max } = ENGINE_LIMITS.leaseTtl;
  if (ttl >= min && ttl <= max) return;
  throw new EngineArgumentError({ argument: "ttl", problem: `${ttl} ms is not within ${min} to ${max} ms` });
}

/** @param sequence  of a log record, at least `least` */
export function checkSequence(sequence: number, least: 0 | 1): void {
  if (Number.isSafeInteger(sequence) && sequence >= least) return;
  throw new EngineArgumentError({
    argument: "sequence",
    problem: `${sequence} is not a whole number from ${least} on`,
  });
}
