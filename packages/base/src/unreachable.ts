/** Closes a switch: a new case does not compile until it is handled. */

export function unreachable(value: never): never {
  throw new TypeError(`Cannot get here: ${JSON.stringify(value)}`);
}
