/** Answers by request id, so that a retry after an unknown outcome gets the answer and is not executed again. */
import type { Millis } from "@sluice/base/brand";
import { decodeAnswer, encodeAnswer } from "./answer-codec.ts";
import type { OperationAnswer, RequestId } from "./operation.ts";

export interface RememberedAnswer extends RequestId {
  readonly time: Millis;
  readonly answer: Uint8Array;
}

/** Highest sequence of a client whose answers were dropped; a retry up to it is refused, since its outcome is unknown. */
export interface ForgottenMark {
  readonly client: string;
  readonly sequence: number;
  readonly time: Millis;
}

interface Limits {
  readonly rememberedAnswers: number;
  readonly rememberedBytes: number;
  readonly rememberedMillis: number;
}

/** Bytes counted for each answer besides its own. */
const OVERHEAD_BYTES = 64;
/** Marks are kept longer than answers by this factor, in time and in number. */
const MARK_FACTOR = 2;

export class AnswerMemory {
  readonly #limits: Limits;
  /** Oldest first, by `client sequence`. */
  readonly #answers = new Map<string, RememberedAnswer>();
  readonly #marks = new Map<string, ForgottenMark>();
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  find(id: RequestId): OperationAnswer | undefined {
    const remembered = this.#answers.get(keyOf(id));
    if (remembered !== undefined) return decodeAnswer(remembered.answer);
    const mark = this.#marks.get(id.client);
    return mark !== undefined && id.sequence <= mark.sequence
      ? { type: "refused", reason: "request-forgotten" }
      : undefined;
  }

  remember(id: RequestId, answer: OperationAnswer, time: Millis): void {
    this.add({ client: id.client, sequence: id.sequence, time, answer: encodeAnswer(answer) });
    this.#forget(time);
  }

  add(remembered: RememberedAnswer): void {
    this.#answers.set(keyOf(remembered), remembered);
    this.#bytes += bytesOf(remembered);
  }

  addMark(mark: ForgottenMark): void {
    this.#marks.delete(mark.client);
    this.#marks.set(mark.client, mark);
  }

  answers(): Iterable<RememberedAnswer> {
    return this.#answers.values();
  }

  marks(): Iterable<ForgottenMark> {
    return this.#marks.values();
  }

  #forget(now: Millis): void {
    const { rememberedAnswers, rememberedBytes, rememberedMillis } = this.#limits;
    for (const [key, remembered] of this.#answers) {
      const isOver = this.#answers.size > rememberedAnswers || this.#bytes > rememberedBytes;
      if (!isOver && remembered.time + rememberedMillis > now) break;
      this.#answers.delete(key);
      this.#bytes -= bytesOf(remembered);
      this.#mark(remembered, now);
    }
    for (const [client, mark] of this.#marks) {
      const isOver = this.#marks.size > MARK_FACTOR * rememberedAnswers;
      if (!isOver && mark.time + MARK_FACTOR * rememberedMillis > now) break;
      this.#marks.delete(client);
    }
  }

  #mark({ client, sequence }: RememberedAnswer, time: Millis): void {
    const before = this.#marks.get(client)?.sequence ?? 0;
    this.addMark({ client, sequence: Math.max(before, sequence), time });
  }
}

function keyOf({ client, sequence }: RequestId): string {
  return `${client} ${sequence}`;
}

function bytesOf({ client, answer }: RememberedAnswer): number {
  return client.length + answer.length + OVERHEAD_BYTES;
}
