/** Which streams a token is good for: `live/cam`, `live/*` (one part), `live/**` (one part or more, only at the end). */

/** Parts are compared whole: a `*` inside a part is an ordinary character. */
export function matchesKey(pattern: string, key: string): boolean {
  const wanted = pattern.split("/");
  const parts = key.split("/");
  const isOpenEnded = wanted.at(-1) === "**";
  if (isOpenEnded ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  const fixed = isOpenEnded ? wanted.slice(0, -1) : wanted;
  return fixed.every((part, index) => (part === "*" ? parts[index] !== "" : part === parts[index]));
}
