/** What objects and calls of `sluice.v1` carry: plain data, and the check that names what is none. */

export type PlainValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | Date
  | Uint8Array
  | readonly PlainValue[]
  | PlainObject;

/** Decoded ones have no prototype, so that no name in them means anything to the language. */
export interface PlainObject {
  readonly [name: string]: PlainValue;
}

/** A value that is no plain data: a function, an instance of a class, a cycle, a name that would change a prototype. */
export class NotPlainValueError extends Error {
  override readonly name = "NotPlainValueError";
  readonly code = "STATE_SLUICE_NOT_PLAIN";
  /** @property path  such as `ball.position[1].x` */
  readonly context: { readonly path: string; readonly what: string };
  constructor(context: NotPlainValueError["context"]) {
    super(`Cannot send "${context.path}": it is ${context.what}`);
    this.context = context;
  }
}

const RESERVED: ReadonlySet<string> = new Set(["", "__proto__", "constructor", "prototype"]);

/** Whether a property, a message or an entry of an object may be called so. */
export function isPlainName(name: string): boolean {
  return !RESERVED.has(name) && name.isWellFormed();
}

/**
 * @param path  what the path of an offender begins with
 * @throws {NotPlainValueError}
 */
export function checkPlainValue(
  value: unknown,
  path: string,
  depth: number,
  within: readonly object[] = [],
): asserts value is PlainValue {
  if (value === undefined || value === null || typeof value === "boolean" || typeof value === "number") return;
  if (typeof value === "string") {
    if (!value.isWellFormed()) refuse(path, "text with half of a character");
    return;
  }
  if (typeof value !== "object") refuse(path, `a ${typeof value}`);
  if (value instanceof Uint8Array) return;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) refuse(path, "a date without a time");
    return;
  }
  if (within.includes(value)) refuse(path, "a cycle");
  if (within.length >= depth) refuse(path, `deeper than ${depth}`);
  const inner = [...within, value];
  if (Array.isArray(value)) checkList(value, path, depth, inner);
  else checkNames(value, path, depth, inner);
}

function checkList(list: readonly unknown[], path: string, depth: number, within: readonly object[]): void {
  for (let i = 0; i < list.length; i++) {
    if (!(i in list)) refuse(`${path}[${i}]`, "a hole");
    checkPlainValue(list[i], `${path}[${i}]`, depth, within);
  }
}

function checkNames(value: object, path: string, depth: number, within: readonly object[]): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) refuse(path, "an instance of a class");
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === "symbol") refuse(`${path}[${String(key)}]`, "named by a symbol");
    const inner = `${path}.${key.toWellFormed()}`;
    if (!isPlainName(key)) refuse(inner, "a name that is reserved or ill-formed");
    const { value: entry, get, set } = Object.getOwnPropertyDescriptor(value, key) ?? {};
    if (get !== undefined || set !== undefined) refuse(inner, "an accessor");
    checkPlainValue(entry, inner, depth, within);
  }
}

function refuse(path: string, what: string): never {
  throw new NotPlainValueError({ path, what });
}
