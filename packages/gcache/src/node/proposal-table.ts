/** Maps tokens of a replica to waiting callers: tokens only increase, and most settle in order. */
import type { ProposalId } from "@sluice/cache/replica/replica-output";
import type { CommandSink } from "@sluice/cache/resp/command-backend";

/** Once this many entries at the front are settled, they are removed. */
const SWEEP_COUNT = 1_024;

/** Two flat arrays: one object per write and a map of them would cost more than the rest of the path. */
export class ProposalTable {
  readonly #sinks: (CommandSink | undefined)[] = [];
  readonly #tickets: number[] = [];
  #head = 0;
  #firstToken = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(token: ProposalId, sink: CommandSink, ticket: number): void {
    if (this.#sinks.length === 0) this.#firstToken = token;
    for (let missing = token - this.#firstToken - this.#sinks.length; missing > 0; missing--) this.#push(undefined, 0);
    this.#push(sink, ticket);
    this.#count++;
  }

  /** Removes and returns the waiting caller; read `ticketOf` of the same token before. */
  take(token: ProposalId): CommandSink | undefined {
    const place = token - this.#firstToken;
    const sink = this.#sinks[place];
    if (sink === undefined) return undefined;
    this.#sinks[place] = undefined;
    this.#count--;
    this.#sweep();
    return sink;
  }

  ticketOf(token: ProposalId): number {
    return this.#tickets[token - this.#firstToken] ?? 0;
  }

  #push(sink: CommandSink | undefined, ticket: number): void {
    this.#sinks.push(sink);
    this.#tickets.push(ticket);
  }

  #sweep(): void {
    while (this.#head < this.#sinks.length && this.#sinks[this.#head] === undefined) this.#head++;
    if (this.#head < SWEEP_COUNT && this.#head < this.#sinks.length) return;
    this.#sinks.splice(0, this.#head);
    this.#tickets.splice(0, this.#head);
    this.#firstToken += this.#head;
    this.#head = 0;
  }
}
