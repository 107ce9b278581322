/** What a kind of configuration value is: how it is read from YAML or text, printed again, and described. */

export interface Kind<T> {
  /** What may be written, for messages and documents, such as `a duration, 0 to 10m`. */
  readonly accepts: string;
  /**
   * @param raw   a scalar or a list from YAML, or text from the environment and the command line
   * @param base  absolute folder that relative paths start from
   */
  read(raw: unknown, base: string): Reading<T>;
  /** Text that reads back as the same value; empty when there is none. */
  print(value: T): string;
  /** What may be shown of a value, where a part of it may be secret. */
  shown?(value: T): string;
}

export type Reading<T> = { readonly value: T } | { readonly problem: string };

/** The value type of a kind. */
export type ValueOf<K> = K extends Kind<infer T> ? T : never;

export const refuse = (kind: { readonly accepts: string }): { readonly problem: string } => ({
  problem: `must be ${kind.accepts}`,
});

/** Scalars as the text a user would have typed; `undefined` for lists, maps and nothing. */
export function textOf(raw: unknown): string | undefined {
  if (typeof raw === "string") return raw.trim();
  if (typeof raw === "number" || typeof raw === "boolean") return String(raw);
  return undefined;
}
