/** The requests between MULTI and EXEC. */
import { refuse } from "./errors.ts";
import type { RespLimits } from "./limits.ts";
import type { RespRequest } from "./request.ts";

/** Memory of a queued request besides its words. */
const OVERHEAD_BYTES = 256;

export class Transaction {
  readonly #queued: RespRequest[] = [];
  #byteCount = 0;
  #isBroken = false;

  get requests(): readonly RespRequest[] {
    return this.#queued;
  }

  get count(): number {
    return this.#queued.length;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  /** A command was refused: EXEC executes nothing. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  break(): void {
    this.#isBroken = true;
    this.#queued.length = 0;
    this.#byteCount = 0;
  }

  /** @throws {CommandRefusal} */
  queue(request: RespRequest, limits: RespLimits): void {
    const bytes = this.#byteCount + request.byteCount + OVERHEAD_BYTES * request.count;
    const isFull = this.count >= limits.transactionCommands || bytes > limits.requestBytes;
    if (isFull) refuse("ERR the transaction is larger than the limit of commands, or of bytes");
    if (this.#isBroken) return;
    this.#byteCount = bytes;
    this.#queued.push(request.detach());
  }
}
