/** Replies that wait for the log, in the order of their requests. */
import type { OperationAnswer } from "../state/operation.ts";
import type { ReplyForm } from "./command.ts";
import type { RespWriter } from "./resp-writer.ts";

interface Pending {
  readonly form: ReplyForm | undefined;
  answer: OperationAnswer | undefined;
  error: string | undefined;
}

/** Once this many are done, the front of the list is cut off. */
const SWEEP_COUNT = 256;

export class PendingReplies {
  readonly #reply: RespWriter;
  readonly #items: Pending[] = [];
  #head = 0;
  /** Ticket of the item at `#head`. */
  #firstTicket = 1;

  constructor(reply: RespWriter) {
    this.#reply = reply;
  }

  get count(): number {
    return this.#items.length - this.#head;
  }

  /** For what is answered by `settle`, and for anything else that must be told apart. */
  nextTicket(): number {
    return this.#firstTicket + this.count;
  }

  /** @returns the ticket that it is settled by */
  add(form: ReplyForm): number {
    this.#items.push({ form, answer: undefined, error: undefined });
    return this.#firstTicket + this.count - 1;
  }

  /** An error that is known already, behind whatever waits. */
  addError(error: string): void {
    if (this.count === 0) this.#reply.error(error);
    else this.#items.push({ form: undefined, answer: undefined, error });
  }

  /** @param result  an answer, or the text of an error */
  settle(ticket: number, result: OperationAnswer | string): void {
    const item = this.#items[this.#head + ticket - this.#firstTicket];
    if (item === undefined) return;
    if (typeof result === "string") item.error = result;
    else item.answer = result;
    this.#flush();
  }

  /** Nothing that waits will be replied. */
  drop(): void {
    this.#firstTicket += this.count;
    this.#items.length = 0;
    this.#head = 0;
  }

  #flush(): void {
    for (let item = this.#items[this.#head]; item !== undefined; item = this.#items[this.#head]) {
      if (item.error !== undefined) this.#reply.error(item.error);
      else if (item.answer === undefined) return;
      else item.form?.(this.#reply, item.answer);
      this.#head++;
      this.#firstTicket++;
      if (this.#head < SWEEP_COUNT && this.#head < this.#items.length) continue;
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
