/** Counts calls in progress to an engine's server, refuses calls over the limit, and fails all when the connection is lost. */
import { EngineUnavailableError } from "../errors.ts";
import { REMOTE_ENGINE_LIMITS } from "./remote-limits.ts";
import { EngineOverloadedError } from "./remote-errors.ts";

export interface Call {
  readonly action: string;
  /** Whether it may change something: without an answer its outcome is unknown. */
  readonly isWrite: boolean;
  /** Bytes of its values. */
  readonly bytes: number;
}

type Reject = (error: EngineUnavailableError) => void;

export class PendingCalls {
  readonly #engine: string;
  readonly #waiting = new Map<Reject, Call>();
  #bytes = 0;
  #closedBecause: string | undefined = "there is no connection to its server yet";

  constructor(engine: string) {
    this.#engine = engine;
  }

  get isOpen(): boolean {
    return this.#closedBecause === undefined;
  }

  open(): void {
    this.#closedBecause = undefined;
  }

  /** Fails calls in progress, and later calls at once. */
  close(reason: string): void {
    this.#closedBecause = reason;
    for (const [reject, call] of [...this.#waiting]) reject(this.#unavailable(call, reason, call.isWrite));
  }

  /**
   * @param failureOf  maps what `run` threw to the caller's error
   * @throws {EngineUnavailableError} when closed or closing, {EngineOverloadedError}
   */
  async pass<T>(call: Call, run: () => Promise<T>): Promise<T> {
    if (this.#closedBecause !== undefined) throw this.#unavailable(call, this.#closedBecause, false);
    const { calls, callBytes } = REMOTE_ENGINE_LIMITS;
    if (this.#waiting.size >= calls || (this.#bytes > 0 && this.#bytes + call.bytes > callBytes)) {
      throw new EngineOverloadedError({ calls: this.#waiting.size, bytes: this.#bytes });
    }
    return this.#pass(call, run);
  }

  #pass<T>(call: Call, run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(reject, call);
      this.#bytes += call.bytes;
      const leave = (): void => {
        if (this.#waiting.delete(reject)) this.#bytes -= call.bytes;
      };
      run().then(resolve, reject).finally(leave);
    });
  }

  #unavailable(call: Call, reason: string, isUnknown: boolean): EngineUnavailableError {
    return new EngineUnavailableError({ engine: this.#engine, action: call.action, reason, isUnknown });
  }
}
