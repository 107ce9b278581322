/** Starts a subscription only when its reader first asks for a value. */

/** @param start  called once, with the first `next` */
export function lateStart<T>(inner: AsyncIterableIterator<T>, start: () => void): AsyncIterableIterator<T> {
  let hasStarted = false;
  const outer: AsyncIterableIterator<T> = {
    next: () => {
      const first = inner.next();
      if (!hasStarted) {
        hasStarted = true;
        start();
      }
      return first;
    },
    return: async () => (await inner.return?.()) ?? { value: undefined, done: true },
    [Symbol.asyncIterator]: () => outer,
  };
  return outer;
}
