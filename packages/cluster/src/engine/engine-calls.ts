/** Sends a client's calls to one host, to a second in parallel when the first is slow, and to others on failure. */
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { RequestFailedError, Requests } from "@sluice/mesh/requests";
import { decodeAnswer, type EngineAnswer, type EngineCall, encodeCall } from "./call-frames.ts";
import { CALLS_SERVICE, type EngineLinks } from "./engine-links.ts";
import type { HostOrder } from "./host-order.ts";
import { ENGINE_LINK_LIMITS, type EngineLinkTimings } from "./limits.ts";

export interface EngineCallsOptions {
  readonly links: EngineLinks;
  readonly order: HostOrder;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: EngineLinkTimings;
  /** A host has not answered for `stuckAfter`. */
  readonly stuck: (host: string) => void;
}

export interface Question {
  /** Name of the call in errors. */
  readonly action: string;
  readonly call: EngineCall;
  /** Whether it may change something: without an answer its outcome is unknown. */
  readonly isWrite: boolean;
  /** Whether it may be sent twice: it changes nothing, or the second time changes nothing more. */
  readonly isRepeatable: boolean;
  /** How long it may take over all hosts. */
  readonly patience: Millis;
}

export interface Answered {
  readonly type: "answered";
  readonly answer: Exclude<EngineAnswer, { readonly type: "unavailable" }>;
  /** When the answered attempt was sent. */
  readonly sentAt: Millis;
}

interface Failed {
  readonly type: "failed";
  readonly reason: string;
  readonly isUnknown: boolean;
}

const NOBODY: Failed = { type: "failed", reason: "no host of the engine is linked", isUnknown: false };

/** Shared: the default abort reason would be created, with its stack, for every call. */
const OVER = new Error("The wait is over");

export class EngineCalls implements Disposable {
  readonly #options: EngineCallsOptions;
  readonly #channels = new Map<string, Requests>();
  readonly #linked: Disposable;
  readonly #closing = new AbortController();
  /** Aborts when a new link is established. */
  #waiting = new AbortController();

  constructor(options: EngineCallsOptions) {
    this.#options = options;
    this.#linked = options.links.onLinked(() => {
      this.#waiting.abort();
      this.#waiting = new AbortController();
    });
  }

  [Symbol.dispose](): void {
    this.#linked[Symbol.dispose]();
    this.#closing.abort();
  }

  /** @throws {EngineUnavailableError} */
  async ask(question: Question): Promise<Answered> {
    const { clock, random, timings } = this.#options;
    const backoff = new Backoff({ first: timings.retryFirst, cap: timings.retryCap, factor: 2, random });
    const until = (clock.now() + question.patience) as Millis;
    const ending = new AbortController();
    const payload = encodeCall(question.call);
    const running = new Map<string, Promise<void>>();
    const tried = new Set<string>();
    let answered: Answered | undefined;
    let failure = NOBODY;
    // Several may come to an end in one turn, after a pause of this process say: each of them counts.
    const attempt = async (host: string): Promise<void> => {
      const outcome = await this.#attempt({ host, question, payload, until, signal: ending.signal });
      running.delete(host);
      if (outcome.type === "answered") answered ??= outcome;
      else failure = { ...outcome, isUnknown: outcome.isUnknown || failure.isUnknown };
    };
    try {
      for (;;) {
        const host = this.#choose(question, running, tried);
        if (host !== undefined) {
          tried.add(host);
          running.set(host, attempt(host));
        } else if (running.size === 0) tried.clear();
        const wait = running.size > 0 ? timings.askSecondAfter : backoff.next();
        await this.#first(running, Math.min(wait, until - clock.now()) as Millis);
        if (answered !== undefined) return answered;
        const isLost = failure.isUnknown && !question.isRepeatable;
        if (isLost || clock.now() >= until || this.#closing.signal.aborted) {
          throw unavailable(question, failure, running.size > 0);
        }
      }
    } finally {
      ending.abort(OVER);
    }
  }

  /** The host to ask next, beside those already asked. */
  #choose(question: Question, running: ReadonlyMap<string, unknown>, tried: ReadonlySet<string>): string | undefined {
    if (running.size > 0 && !question.isRepeatable) return undefined;
    return this.#options.order.candidates().find((id) => !tried.has(id) && !running.has(id));
  }

  /** Resolves with the first attempt that ends, after the timeout, or when there is another host to ask. */
  async #first(running: ReadonlyMap<string, Promise<void>>, wait: Millis): Promise<void> {
    const done = new AbortController();
    const signals = [done.signal, this.#closing.signal, ...(running.size === 0 ? [this.#waiting.signal] : [])];
    const pause = this.#options.clock.sleep(Math.max(0, wait) as Millis, AbortSignal.any(signals)).then(
      () => undefined,
      () => undefined,
    );
    try {
      await Promise.race([...running.values(), pause]);
    } finally {
      done.abort(OVER);
    }
  }

  async #attempt({ host, question, payload, until, signal }: Attempt): Promise<Answered | Failed> {
    const { clock, order, timings, stuck } = this.#options;
    const sentAt = clock.now();
    const requests = this.#requestsTo(host);
    if (requests === undefined) return NOBODY;
    const timeout = Math.ceil(Math.max(1, Math.min(timings.stuckAfter, until - sentAt))) as Millis;
    try {
      const answer = decodeAnswer(await requests.request(payload, { timeout, signal }));
      if (answer.type !== "unavailable") return { type: "answered", answer, sentAt };
      order.failed(host);
      return { type: "failed", reason: answer.reason, isUnknown: answer.isUnknown && question.isWrite };
    } catch (error) {
      const failure = error instanceof RequestFailedError ? error.context.failure : undefined;
      if (failure !== "cancelled") order.failed(host);
      if (failure === "late" && clock.now() - sentAt >= timings.stuckAfter) stuck(host);
      const mayBeDone = !(error instanceof RequestFailedError) || error.isOutcomeUnknown;
      return { type: "failed", reason: (error as Error).message, isUnknown: mayBeDone && question.isWrite };
    }
  }

  #requestsTo(host: string): Requests | undefined {
    const open = this.#channels.get(host);
    if (open !== undefined) return open;
    const channel = this.#options.links.open(host, CALLS_SERVICE, {
      message: (message) => requests?.receive(message),
      drained() {},
      closed: () => {
        if (this.#channels.get(host) === requests) this.#channels.delete(host);
        requests?.end();
      },
    });
    if (channel === undefined) return undefined;
    const requests: Requests | undefined = new Requests(channel, {
      clock: this.#options.clock,
      requests: ENGINE_LINK_LIMITS.servedCalls,
      serve: () => Promise.reject(new RequestFailedError({ failure: "refused", detail: "a client serves nothing" })),
    });
    this.#channels.set(host, requests);
    return requests;
  }
}

interface Attempt {
  readonly host: string;
  readonly question: Question;
  readonly payload: Uint8Array;
  readonly until: Millis;
  readonly signal: AbortSignal;
}

function unavailable({ action, isWrite }: Question, failure: Failed, isRunning: boolean): EngineUnavailableError {
  const isUnknown = failure.isUnknown || (isRunning && isWrite);
  const reason = isRunning && failure === NOBODY ? "no answer in time" : failure.reason;
  return new EngineUnavailableError({ engine: "link", action, reason, isUnknown });
}
