/** Waits for a fact that comes without an event of its own, by asking again and again: for tests with real sockets. */
import { setTimeout as pause } from "node:timers/promises";

const POLL_MILLIS = 10;

/** Longer than a busy machine needs; only a test that fails waits so long. */
const PATIENCE_MILLIS = 20_000;

/**
 * What `find` answers once that is neither `undefined` nor `false`; `() => a === b` will do as well.
 *
 * @throws {Error} naming `what`, when `patience` milliseconds pass first; a throwing `find` ends the wait at once
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
    if (performance.now() > deadline) throw new Error(`Waited ${patience} ms in vain for ${what}`);
    await pause(POLL_MILLIS);
  }
}
