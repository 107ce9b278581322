/** Values computed from a part and cached. */

/** Recomputes the value only when the part is another object, for instance after a change of the configuration. */
export function derived<Part extends object, Value>(part: () => Part, make: (part: Part) => Value): () => Value {
  let from = part();
  let made = make(from);
  return () => {
    const now = part();
    if (now !== from) {
      made = make(now);
      from = now;
    }
    return made;
  };
}
