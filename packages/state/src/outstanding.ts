/** Requests of one node's clients to one object that have no answer yet: asked again of every new home, and never for ever. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { type Durability, type Outcome, refusal, type RequestId, type Wish } from "./change.ts";
import type { ObjectLimits, ObjectTimings } from "./limits.ts";
import type { Plain } from "./plain-data.ts";

export type Request =
  | {
      readonly type: "connect";
      readonly id: RequestId;
      readonly who: Plain;
      readonly durability: Durability | undefined;
    }
  | { readonly type: "write"; readonly id: RequestId; readonly who: Plain; readonly wishes: readonly Wish[] };

/** A request on its way to a home. */
export interface Asked {
  readonly request: Request;
  /** Version of the copy when it was first sent. */
  readonly since: number;
  readonly isRetry: boolean;
}

interface Held {
  readonly request: Request;
  readonly bytes: number;
  readonly deadline: Millis;
  readonly answer: (outcome: Outcome) => void;
  /** Attachment in which it was sent last; 0: never. */
  sentIn: number;
  since: number;
  /** Success, told once the copy has got there. */
  outcome: Outcome | undefined;
}

export interface OutstandingOptions {
  readonly clock: Clock;
  readonly limits: ObjectLimits;
  readonly timings: ObjectTimings;
  /** Of this node's copy. */
  readonly version: () => number;
  /** @returns false where nobody takes it now */
  readonly send: (asked: Asked) => boolean;
  /** A request of this client has its answer, and waits no more. */
  readonly ended: (client: string) => void;
}

export class Outstanding implements Disposable {
  readonly #options: OutstandingOptions;
  /** Oldest first, by request. */
  readonly #held = new Map<string, Held>();
  #heldBytes = 0;
  #attachment = 1;
  #timer: Timer | undefined;

  constructor(options: OutstandingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  /** `answer` is called once: with the home's answer, or with a refusal when there is none in time or too much waits. */
  ask(request: Request, answer: (outcome: Outcome) => void): void {
    const { clock, limits, timings, version } = this.#options;
    const bytes = requestBytes(request);
    if (this.#held.size >= limits.heldWrites) return answer(refusal("unavailable", "heldWrites"));
    if (this.#heldBytes + bytes > limits.heldBytes) return answer(refusal("unavailable", "heldBytes"));
    const deadline = (clock.now() + timings.holdWrites) as Millis;
    const held: Held = { request, bytes, deadline, answer, sentIn: 0, since: version(), outcome: undefined };
    this.#held.set(keyOf(request.id), held);
    this.#heldBytes += bytes;
    this.#watch();
    this.flush();
  }

  /** There is a home that has not seen any of them: another one, or after an interruption. */
  reattached(): void {
    this.#attachment++;
    this.flush();
  }

  /** Sends what was not sent in this attachment, in order, as far as it is taken. */
  flush(): void {
    for (const held of this.#held.values()) {
      if (held.sentIn === this.#attachment || held.outcome !== undefined) continue;
      const isRetry = held.sentIn > 0;
      if (!isRetry) held.since = this.#options.version();
      const before = held.sentIn;
      held.sentIn = this.#attachment; // the answer may come within the call
      if (this.#options.send({ request: held.request, since: held.since, isRetry })) continue;
      held.sentIn = before;
      return;
    }
  }

  answered(id: RequestId, outcome: Outcome): void {
    const held = this.#held.get(keyOf(id));
    if (held === undefined) return;
    held.outcome = outcome;
    if (outcome.type !== "success" || outcome.at.version <= this.#options.version()) this.#end(held, outcome);
  }

  /** The copy has got further. */
  reached(): void {
    for (const held of this.#held.values()) {
      const { outcome } = held;
      if (outcome?.type === "success" && outcome.at.version <= this.#options.version()) this.#end(held, outcome);
    }
  }

  /** The copy gets no further for now: successes are told all the same. */
  detached(): void {
    for (const held of this.#held.values()) if (held.outcome !== undefined) this.#end(held, held.outcome);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    for (const held of this.#held.values()) this.#end(held, lateOutcome(held));
  }

  #end(held: Held, outcome: Outcome): void {
    if (!this.#held.delete(keyOf(held.request.id))) return;
    this.#heldBytes -= held.bytes;
    held.answer(outcome);
    this.#options.ended(held.request.id.client);
  }

  #watch(): void {
    const [oldest] = this.#held.values();
    if (oldest === undefined || this.#timer !== undefined) return;
    const { clock } = this.#options;
    this.#timer = clock.after((oldest.deadline - clock.now()) as Millis, () => {
      this.#timer = undefined;
      for (const held of this.#held.values()) if (held.deadline <= clock.now()) this.#end(held, lateOutcome(held));
      this.#watch();
    });
  }
}

function lateOutcome(held: Held): Outcome {
  return held.outcome ?? refusal(held.sentIn > 0 ? "unknown-outcome" : "unavailable");
}

function requestBytes(request: Request): number {
  let bytes = 64;
  if (request.type === "write") {
    for (const wish of request.wishes) bytes += "plain" in wish ? wish.name.length + wish.plain.bytes.length : 16;
  }
  return bytes;
}

function keyOf({ client, sequence }: RequestId): string {
  return `${sequence} ${client}`;
}
