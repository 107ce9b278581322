/** Wishes of a writer, checked where they are written: what is no plain data, or too large, throws at once. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import type { Wish } from "./change.ts";
import { ObjectLimitError } from "./errors.ts";
import { OBJECT_LIMITS, type ObjectLimits } from "./limits.ts";
import { checkName, type Plain, toPlain } from "./plain-data.ts";
import type { Position } from "./position.ts";

type ValueLimits = Pick<ObjectLimits, "nameBytes" | "valueBytes">;

/**
 * @param expected  where the property must stand; `ORIGIN`: it must not exist
 * @throws {NotPlainDataError} with the path of what cannot be shared
 * @throws {ObjectLimitError}
 */
export function setWish(name: string, value: unknown, expected?: Position, limits: ValueLimits = OBJECT_LIMITS): Wish {
  const plain = checked(name, value, limits);
  return expected === undefined ? { type: "set", name, plain } : { type: "set", name, plain, expected };
}

export function removeWish(name: string, expected?: Position): Wish {
  return expected === undefined ? { type: "remove", name } : { type: "remove", name, expected };
}

/** Throws as `setWish` does; the path of an offender is `name[1].…` */
export function messageWish(name: string, args: readonly unknown[], limits: ValueLimits = OBJECT_LIMITS): Wish {
  return { type: "message", name, plain: checked(name, args, limits) };
}

function checked(name: string, value: unknown, limits: ValueLimits): Plain {
  checkName(name);
  const wanted = encodeUtf8(name).length;
  if (wanted > limits.nameBytes) throw new ObjectLimitError({ limit: "nameBytes", wanted, allowed: limits.nameBytes });
  return toPlain(value, name, limits.valueBytes);
}
