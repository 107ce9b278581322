/** Finds what a user probably meant by an unknown word. */

/** The nearest candidate, or `undefined` when none is near: at most a third of the letters may differ. */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word);
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const known = plain(candidate);
    const distance =
      known.endsWith(wanted) && wanted.length > 3
        ? Math.min(2, editDistance(wanted, known))
        : editDistance(wanted, known);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

const plain = (word: string): string => word.slice(0, 100).toLowerCase().replaceAll(/[._-]/g, "");

/** Letters to insert, remove, replace or swap with their neighbour until the words are equal. */
export function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(
        (previous[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (previous[j - 1] as number) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (older[j - 2] as number) + 1);
      row.push(best);
    }
    older = previous;
    previous = row;
  }
  return previous[b.length] as number;
}
