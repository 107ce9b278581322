/** What the client programs of these tests have in common: they write for ever, and tell when they could after a mark. */
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

interface Mark {
  readonly event: string;
  readonly at: number;
}

/**
 * One write after the other, each awaited as long as the library takes. Each line on standard input is a mark: once a
 * write that began after it is acknowledged, it comes back as `event`, with its key and the longest wait since the last.
 *
 * @param set  writes its argument, as key and as value
 */
export async function writeForEver(set: (text: string) => Promise<unknown>): Promise<never> {
  const marks: Mark[] = [];
  createInterface({ input: process.stdin }).on("line", (event) => marks.push({ event, at: performance.now() }));
  let [errors, longest, last] = [0, 0, performance.now()];
  for (let count = 0; ; count++) {
    const [begun, key] = [performance.now(), `${process.argv[2]}:${count}`];
    try {
      await set(key);
      const now = performance.now();
      [longest, last] = [Math.max(longest, now - last), now];
      for (let mark = marks[0]; mark !== undefined && mark.at <= begun; mark = marks[0]) {
        marks.shift();
        console.log(JSON.stringify({ event: mark.event, key, errors, gapMillis: Math.round(longest) }));
        [errors, longest] = [0, 0];
      }
    } catch (error) {
      errors++;
      console.error(String(error));
      await pause(10);
    }
    await pause(2);
  }
}
