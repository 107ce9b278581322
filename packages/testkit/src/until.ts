/** Polls for a condition that has no event: for tests with real sockets. */
import { setTimeout as pause } from "node:timers/promises";

const POLL_MILLIS = 10;

/** Longer than a busy machine needs; only a failing test waits this long. */
const PATIENCE_MILLIS = 20_000;

/**
 * The result of `find` once it is neither `undefined` nor `false`; `() => a === b` also works.
 *
 * @throws {Error} naming `what` after `patience` milliseconds; an error thrown by `find` ends the wait at once
 */
export async function until<T>(
  what: string,
  find: () => T | undefined | false | Promise<T | undefined | false>,
  patience = PATIENCE_MILLIS,
): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Waited ${patience} ms for ${what}`);
    await pause(POLL_MILLIS);
  }
}
