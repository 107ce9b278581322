/** Calls of this server to one client, until the client has answered each. */
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import type { DecodedMessage } from "@sluice/client/contract/codec";
import type { PlainValue } from "@sluice/client/contract/plain-value";
import type { CallRequest } from "@sluice/client/contract/sluice-v1";

/** What became of a call. `unknown-outcome`: the session ended first. */
export type CallOutcome =
  | { readonly type: "success"; readonly value: PlainValue }
  | { readonly type: "refused"; readonly code: string; readonly detail: string };

export class PeerCalls {
  readonly #send: (call: CallRequest) => void;
  readonly #open = new Map<number, (outcome: CallOutcome) => void>();
  #lastId = 0;
  #isClosed = false;

  constructor(send: (call: CallRequest) => void) {
    this.#send = send;
  }

  /** Never rejects. */
  call(method: string, args: readonly PlainValue[]): Promise<CallOutcome> {
    if (this.#isClosed) return Promise.resolve(refused("unavailable", ""));
    if (this.#open.size >= SLUICE_V1_LIMITS.requestsInFlight)
      return Promise.resolve(refused("limit", "requestsInFlight"));
    const id = ++this.#lastId;
    const answered = new Promise<CallOutcome>((resolve) => void this.#open.set(id, resolve));
    this.#send({ type: "call", id, method, arguments: args });
    return answered;
  }

  /** Ignores answers that nobody waits for. */
  answered({ id, status, value, code, detail }: DecodedMessage): void {
    const resolve = typeof id === "number" ? this.#open.get(id) : undefined;
    if (resolve === undefined) return;
    this.#open.delete(id as number);
    if (status === "success") resolve({ type: "success", value });
    else resolve(refused(textOf(code), textOf(detail)));
  }

  close(): void {
    this.#isClosed = true;
    for (const resolve of this.#open.values()) resolve(refused("unknown-outcome", ""));
    this.#open.clear();
  }
}

function refused(code: string, detail: string): CallOutcome {
  return { type: "refused", code, detail };
}

function textOf(value: PlainValue): string {
  return typeof value === "string" ? value.slice(0, SLUICE_V1_LIMITS.nameCharacters) : "";
}
