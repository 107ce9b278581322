/** Values that follow what they are made of. */

/** A value made of a part, and made again once that part is another object, as after a change of the configuration. */
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
