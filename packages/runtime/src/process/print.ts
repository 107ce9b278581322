/** What commands print: the one way to standard output, which no name of a peer can make a terminal obey. */
import { plainLines } from "../plain-text.ts";

export function print(text: string): void {
  process.stdout.write(plainLines(text));
}
