/** The declaration of one configuration key, and the type of the configuration derived from all declarations. */
import type { Kind, ValueOf } from "./kind.ts";

export interface Key<T> {
  readonly kind: Kind<T>;
  /** As a user would write it; `undefined` only for optional kinds. */
  readonly fallback: string | undefined;
  /** One or two sentences for the documents. */
  readonly says: string;
  /** Masked wherever values are printed. */
  readonly secret?: true;
  /** A default port, moved by `--instance`. */
  readonly shifts?: true;
  /** Read at each use, so it can change while the node runs; other keys need a restart. */
  readonly running?: true;
}

/** Declared keys by dotted path. */
export type KeyTable = Readonly<Record<string, Key<unknown>>>;

export function key<T>(kind: Kind<T>, fallback: string | undefined, says: string): Key<T> {
  return { kind, fallback, says };
}

/** A key that may change while the node runs. */
export function runningKey<T>(kind: Kind<T>, fallback: string | undefined, says: string): Key<T> {
  return { ...key(kind, fallback, says), running: true };
}

type Head<Path> = Path extends `${infer First}.${string}` ? First : Path;
type Under<Table, First extends string> = {
  readonly [Path in keyof Table as Path extends `${First}.${infer Rest}` ? Rest : never]: Table[Path];
};

/** The nested, read-only object whose leaves are the values of a table's keys. */
export type Tree<Table> = {
  readonly [First in Head<keyof Table> & string]: First extends keyof Table
    ? Table[First] extends Key<unknown>
      ? ValueOf<Table[First]["kind"]>
      : never
    : Tree<Under<Table, First>>;
};

/** Nests values given by dotted path, and freezes every level. */
export function nest(values: ReadonlyMap<string, unknown>): object {
  const root: Record<string, unknown> = {};
  const levels: object[] = [root];
  for (const [path, value] of values) {
    const parts = path.split(".");
    const leaf = parts.pop() as string;
    let level = root;
    for (const part of parts) {
      if (!Object.hasOwn(level, part)) levels.push((level[part] = {}));
      level = level[part] as Record<string, unknown>;
    }
    level[leaf] = value;
  }
  for (const level of levels) Object.freeze(level);
  return root;
}
