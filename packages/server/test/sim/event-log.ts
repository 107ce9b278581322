/** What happened in a simulation, line by line: its hash tells whether two runs were the same, its end what led to a failure. */
import { createHash } from "node:crypto";

/** Lines that are kept for whoever looks into a failure. */
const KEPT = 400;

export class EventLog {
  readonly #hash = createHash("sha256");
  readonly #last: string[] = [];
  readonly #now: () => number;
  readonly #print: ((line: string) => void) | undefined;
  #count = 0;

  /** @param print  every line as it comes */
  constructor(now: () => number, print?: (line: string) => void) {
    this.#now = now;
    this.#print = print;
  }

  note(who: string, what: string): void {
    const line = `${this.#now().toFixed(1).padStart(9)} ${who} ${what}`;
    this.#hash.update(`${line}\n`);
    this.#count++;
    this.#last.push(line);
    if (this.#last.length > KEPT) this.#last.shift();
    this.#print?.(line);
  }

  get count(): number {
    return this.#count;
  }

  get last(): readonly string[] {
    return this.#last;
  }

  /** Of all lines so far. */
  digest(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}
