/** Waits until something is so, asking again and again: for facts that come without an event of their own. */
import { setTimeout as pause } from "node:timers/promises";

const POLL_MILLIS = 25;

/**
 * What `find` answers once it is not `undefined`.
 *
 * @throws {Error} naming `what`, when `waitMillis` pass first
 */
export async function until<T>(
  what: string,
  find: () => T | undefined | Promise<T | undefined>,
  waitMillis = 20_000,
): Promise<T> {
  const deadline = performance.now() + waitMillis;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Waited ${waitMillis} ms in vain for ${what}`);
    await pause(POLL_MILLIS);
  }
}
