/** Replies that wait for the log, in the order of their requests. */
import type { OperationAnswer } from "../state/operation.ts";
import type { ReplyForm, ReplyGroup } from "./command.ts";
import type { RespWriter } from "./resp-writer.ts";

interface Pending {
  readonly form: ReplyForm | undefined;
  answer: OperationAnswer | undefined;
  error: string | undefined;
  /** Expected bytes of its reply. */
  readonly expectedBytes: number;
  readonly group: ReplyGroup | undefined;
  /** All but the last of a group: their forms write nothing. */
  readonly isSilent: boolean;
}

export interface PendingOptions {
  readonly form: ReplyForm;
  readonly expectedBytes: number;
  readonly group?: ReplyGroup | undefined;
  readonly isSilent?: boolean;
}

/** Once this many are done, the front of the list is removed. */
const SWEEP_COUNT = 256;

export class PendingReplies {
  readonly #reply: RespWriter;
  readonly #items: Pending[] = [];
  #head = 0;
  /** Ticket of the item at `#head`. */
  #firstTicket = 1;
  #expectedBytes = 0;

  constructor(reply: RespWriter) {
    this.#reply = reply;
  }

  get count(): number {
    return this.#items.length - this.#head;
  }

  /** Of all waiting replies. */
  get expectedBytes(): number {
    return this.#expectedBytes;
  }

  /** For requests answered by `settle`, and for anything else that needs a unique number. */
  nextTicket(): number {
    return this.#firstTicket + this.count;
  }

  /** @returns the ticket for `settle` */
  add({ form, expectedBytes, group, isSilent = false }: PendingOptions): number {
    this.#items.push({ form, answer: undefined, error: undefined, expectedBytes, group, isSilent });
    this.#expectedBytes += expectedBytes;
    return this.#firstTicket + this.count - 1;
  }

  /** An error already known, to be written after the waiting replies. */
  addError(error: string): void {
    if (this.count === 0) this.#reply.error(error);
    else {
      const none = { form: undefined, answer: undefined, expectedBytes: 0, group: undefined, isSilent: false };
      this.#items.push({ ...none, error });
    }
  }

  /** @param result  an answer, or the text of an error */
  settle(ticket: number, result: OperationAnswer | string): void {
    const item = this.#items[this.#head + ticket - this.#firstTicket];
    if (item === undefined) return;
    if (typeof result === "string") item.error = result;
    else item.answer = result;
    this.#flush();
  }

  /** Drops all waiting replies. */
  drop(): void {
    this.#firstTicket += this.count;
    this.#items.length = 0;
    this.#head = 0;
    this.#expectedBytes = 0;
  }

  #flush(): void {
    for (let item = this.#items[this.#head]; item !== undefined; item = this.#items[this.#head]) {
      if (item.error === undefined && item.answer === undefined) return;
      this.#write(item);
      this.#head++;
      this.#firstTicket++;
      this.#expectedBytes -= item.expectedBytes;
      if (this.#head < SWEEP_COUNT && this.#head < this.#items.length) continue;
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #write(item: Pending): void {
    const error = item.error ?? item.group?.error;
    if (error === undefined) item.form?.(this.#reply, item.answer as OperationAnswer);
    else if (!item.isSilent) this.#reply.error(error);
    else if (item.group !== undefined) item.group.error = error;
  }
}
