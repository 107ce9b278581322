/** Outputs in order; messages are held back while a new term or vote is being stored. */
import type { MemberId } from "../ids.ts";
import type { MemberMessage } from "./member-message.ts";
import type { MessageFlow, ReplicaOutput } from "./replica-output.ts";

type Send = Extract<ReplicaOutput<never>, { readonly type: "send" }>;

/** A promise that a restart could forget must not be sent: therefore messages are held. */
export class Outbox<Answer> {
  readonly #heldLimit: number;
  #queue: ReplicaOutput<Answer>[] = [];
  #at = 0;
  #held: Send[] = [];
  #isHolding = false;

  constructor(limits: { readonly heldMessages: number }) {
    this.#heldLimit = limits.heldMessages;
  }

  /** From here on messages wait for `release`. */
  hold(): void {
    this.#isHolding = true;
  }

  release(): void {
    this.#isHolding = false;
    this.#queue.push(...this.#held);
    this.#held = [];
  }

  send(to: MemberId, message: MemberMessage, flow: MessageFlow = "control"): void {
    const send: Send = { type: "send", to, message, flow };
    if (!this.#isHolding) this.#queue.push(send);
    else if (this.#held.length < this.#heldLimit) this.#held.push(send);
  }

  put(output: ReplicaOutput<Answer>): void {
    this.#queue.push(output);
  }

  next(): ReplicaOutput<Answer> | undefined {
    const output = this.#queue[this.#at];
    if (output === undefined) {
      this.#queue = [];
      this.#at = 0;
    } else this.#at++;
    return output;
  }
}
