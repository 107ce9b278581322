/** Checks common to all engine calls: whether the engine is open, and the number of readers. */
import { EngineClosedError, EngineCrowdedError } from "../errors.ts";
import { ENGINE_LIMITS } from "../limits.ts";

export interface Reader {
  /** Aborts with the caller's signal or when the engine closes. */
  readonly signal: AbortSignal;
  readonly leave: () => void;
}

export class EngineLifecycle {
  readonly #closing = new AbortController();
  #readerCount = 0;

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** @throws {EngineClosedError} */
  checkOpen(action: string): void {
    if (this.isClosed) throw new EngineClosedError({ action });
  }

  /** @throws {EngineCrowdedError} when too many watches and subscriptions are open */
  admit(signal: AbortSignal): Reader {
    if (this.#readerCount >= ENGINE_LIMITS.readers) {
      throw new EngineCrowdedError({ what: "readers", limit: ENGINE_LIMITS.readers });
    }
    this.#readerCount++;
    return {
      signal: AbortSignal.any([signal, this.#closing.signal]),
      leave: () => void this.#readerCount--,
    };
  }

  close(): void {
    this.#closing.abort(new Error("The engine is closed"));
  }
}
