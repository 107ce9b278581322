/** The connection between a memory engine and its store, which can be cut, slow or closed. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { EngineClosedError, EngineUnavailableError } from "../errors.ts";

export type CallKind = "read" | "write";

export class MemoryLink {
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #isCut = false;
  #answerDelay = 0 as Millis;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  get isClosed(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Aborts when the link closes. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  cut(): void {
    this.#isCut = true;
  }

  heal(): void {
    this.#isCut = false;
  }

  delayAnswers(by: Millis): void {
    this.#answerDelay = by;
  }

  close(): void {
    this.#ending.abort(new EngineClosedError({ action: "go on" }));
  }

  /** @throws {EngineClosedError} */
  checkOpen(action: string): void {
    if (this.isClosed) throw new EngineClosedError({ action });
  }

  /**
   * Runs `operation` on the store before it returns; the answer is delayed as the link is.
   * @throws {EngineUnavailableError} unknown if the link was lost before the answer to a write arrived
   */
  async exchange<T>(action: string, kind: CallKind, operation: () => T): Promise<T> {
    this.checkOpen(action);
    if (this.#isCut) throw this.#unavailable(action, false);
    const answer = operation();
    if (this.#answerDelay === 0) return answer;
    await this.#clock.sleep(this.#answerDelay, this.signal).catch(() => undefined);
    if (this.#isCut || this.isClosed) throw this.#unavailable(action, kind === "write");
    return answer;
  }

  #unavailable(action: string, isUnknown: boolean): EngineUnavailableError {
    const reason = isUnknown ? "the link was lost before the answer came" : "the link is cut";
    return new EngineUnavailableError({ engine: "memory", action, reason, isUnknown });
  }
}
