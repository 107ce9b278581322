/** Calls from an engine to its cache node: retried under one request id until the cluster answers or time runs out. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Crypto } from "@sluice/base/crypto";
import { Backoff } from "@sluice/base/backoff";
import type { StoreFailure } from "@sluice/cache/resp/command-backend";
import type { Operation, OperationAnswer, RequestId } from "@sluice/cache/state/operation";
import { EngineClosedError, EngineUnavailableError } from "@sluice/engine/errors";
import type { CacheNode } from "@sluice/gcache/node/cache-node";

/** Total time for a call. Must outlast an election; a caller should not wait longer without an error. */
const PATIENCE = 4_000 as Millis;
/** Shared: the default abort reason would be created, with its stack, for every call. */
const OVER = new Error("The wait is over");
const CLIENT_BYTES = 12;
const BACKOFF = { first: 10 as Millis, cap: 250 as Millis, factor: 2 };

export interface GcacheCallsOptions {
  readonly node: CacheNode;
  readonly clock: Clock;
  readonly random: () => number;
  readonly crypto: Pick<Crypto, "randomBytes">;
  /** Aborts when the engine closes. */
  readonly closing: AbortSignal;
}

export class GcacheCalls {
  readonly #options: GcacheCallsOptions;
  readonly #client: string;
  #sequence = 0;

  constructor(options: GcacheCallsOptions) {
    this.#options = options;
    this.#client = Buffer.from(options.crypto.randomBytes(CLIENT_BYTES)).toString("hex");
  }

  /** Afterwards the node's own copy shows the write, or soon will if the node is slow. @throws {EngineUnavailableError} */
  async write(
    action: string,
    operation: Operation,
    { patience = PATIENCE, request: requestId = this.#nextRequest() }: WriteCall = {},
  ): Promise<OperationAnswer> {
    let isUnknown = false;
    return this.#retry({ action, patience, isUnknown: () => isUnknown }, async () => {
      const outcome = await this.#options.node.write(operation, requestId);
      if (outcome.type === "answer") {
        await this.#within(this.#options.node.applied(indexOf(outcome.answer)), patience);
        return { answer: outcome.answer };
      }
      const failure = outcome.type === "failed" ? outcome.failure : "unknown-outcome";
      isUnknown ||= failure === "unknown-outcome";
      return { failure };
    });
  }

  /** Afterwards the node's copy shows everything acknowledged before. @throws {EngineUnavailableError} */
  async barrier(action: string): Promise<void> {
    await this.#retry({ action, patience: PATIENCE, isUnknown: () => false }, async () => {
      const outcome = await this.#options.node.barrier();
      return outcome === "reached" ? { answer: undefined } : { failure: outcome };
    });
  }

  #nextRequest(): RequestId {
    return { client: this.#client, sequence: ++this.#sequence };
  }

  async #retry<T>(call: Retried, attempt: () => Promise<Attempt<T>>): Promise<T> {
    const { clock, random, closing } = this.#options;
    const until = clock.now() + call.patience;
    const backoff = new Backoff({ ...BACKOFF, random });
    for (;;) {
      const result = await this.#within(attempt(), (until - clock.now()) as Millis);
      if (result !== undefined && "answer" in result) return result.answer;
      const reason = result?.failure ?? "no answer in time";
      if (closing.aborted) throw new EngineClosedError({ action: call.action });
      if (clock.now() >= until || isFinal(result?.failure)) {
        const isUnknown = call.isUnknown() || result === undefined;
        throw new EngineUnavailableError({ engine: "gcache", action: call.action, reason, isUnknown });
      }
      await clock.sleep(backoff.next(), closing).catch(() => {});
    }
  }

  /** Undefined on timeout. */
  async #within<T>(attempt: Promise<T>, patience: Millis): Promise<T | undefined> {
    const ending = new AbortController();
    const late = this.#options.clock.sleep(Math.max(1, patience) as Millis, ending.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([attempt, late]);
    } finally {
      ending.abort(OVER);
    }
  }
}

interface WriteCall {
  readonly patience?: Millis;
  /** Request id of a remote client; left out: this client makes one of its own. */
  readonly request?: RequestId;
}

function isFinal(failure: StoreFailure | undefined): boolean {
  return failure === "storage-failed" || failure === "too-large" || failure === "removed";
}

interface Retried {
  readonly action: string;
  readonly patience: Millis;
  readonly isUnknown: () => boolean;
}

type Attempt<T> = { readonly answer: T } | { readonly failure: StoreFailure };

/** Log index of the record that gave the answer, if the answer has one. */
function indexOf(answer: OperationAnswer): number {
  if (answer.type === "written" || answer.type === "batch") return answer.version;
  return answer.type === "lease" ? answer.lease : 0;
}
