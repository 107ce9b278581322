/** Standard output of commands: the only way to print, with control characters of peers escaped. */
import { plainLines } from "../plain-text.ts";

export function print(text: string): void {
  process.stdout.write(plainLines(text));
}
