/** One WebSocket from dialling to its end: `connect`, ids of requests and their answers, signs of life. Opens itself no second time. */
import { decodeMessage, encodeJsonMessage, encodeMessagePackMessage } from "../contract/codec.ts";
import type { PlainObject } from "../contract/plain-value.ts";
import {
  type Answer,
  type CallRequest,
  type ChangeMessage,
  type ClientMessage,
  type ClientRequest,
  CLOSE_CODES,
  type Encoding,
  type MoveMessage,
  type ServerMessage,
  type SnapshotMessage,
  type Success,
} from "../contract/sluice-v1.ts";
import { SDK_LIMITS } from "./limits.ts";
import type { Platform, Socket } from "./platform.ts";
import { SluiceError } from "./sluice-error.ts";

export type WireEvent =
  | { readonly type: "connected"; readonly client: string; readonly node: string }
  | { readonly type: "delivery"; readonly message: SnapshotMessage | ChangeMessage }
  | { readonly type: "call"; readonly call: CallRequest }
  | { readonly type: "move"; readonly move: MoveMessage }
  /** The last one. */
  | { readonly type: "ended"; readonly code: number; readonly reason: string };

export interface WireOptions {
  readonly url: string;
  readonly encoding: Encoding;
  readonly params: PlainObject | undefined;
  readonly agent: string | undefined;
}

type WithoutId<T> = T extends { readonly id: number } ? Omit<T, "id"> : never;
export type Outcome = Success | SluiceError;

const BROKEN = 1006;
/** Pages may close with these codes and with 1000. */
const FIRST_OWN = 3000;

export class Wire {
  readonly #platform: Platform;
  readonly #options: WireOptions;
  readonly #tell: (event: WireEvent) => void;
  readonly #socket: Socket;
  readonly #unanswered = new Map<number, (outcome: Outcome) => void>();
  #timer: { cancel(): void };
  #lastId = 0;
  #ended = false;
  #refusal: SluiceError | undefined;
  #isRetired = false;

  constructor(platform: Platform, options: WireOptions, tell: (event: WireEvent) => void) {
    this.#platform = platform;
    this.#options = options;
    this.#tell = tell;
    this.#socket = platform.open(options.url, {
      opened: () => this.#introduce(),
      received: (frame) => this.#receive(frame),
      closed: (code, reason) => this.#end(code, reason),
    });
    this.#timer = platform.after(SDK_LIMITS.connectTimeout, () => this.end(CLOSE_CODES.timeout, "no answer"));
  }

  get unansweredCount(): number {
    return this.#unanswered.size;
  }

  /**
   * @param settle  called once: with the answer, or with why there is none; not before this call has returned
   * @returns the request's id
   */
  request(message: WithoutId<ClientRequest>, settle: (outcome: Outcome) => void): number {
    const id = ++this.#lastId;
    this.#unanswered.set(id, settle);
    const { type, ...fields } = message;
    this.#send({ type, id, ...fields } as ClientMessage);
    return id;
  }

  answer(answer: Answer): void {
    this.#send(answer);
  }

  /** Closes, and tells so at once: a connection whose peer is gone may take minutes to close. */
  end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#socket.close(code >= FIRST_OWN ? code : CLOSE_CODES.done, reason);
    this.#end(code, reason);
  }

  /** Takes the answers that are still to come, then closes in order. */
  retire(): void {
    this.#isRetired = true;
    this.#timer.cancel();
    this.#timer = this.#platform.after(SDK_LIMITS.answerTimeout, () => this.end(CLOSE_CODES.done, "moved"));
    this.#closeIfIdle();
  }

  #introduce(): void {
    const { params, agent } = this.#options;
    const connect = { type: "connect", ...(params && { params }), ...(agent !== undefined && { agent }) } as const;
    this.request(connect, (outcome) => {
      this.#timer.cancel();
      if (outcome instanceof SluiceError) {
        this.#refusal = outcome;
        return;
      }
      this.#pingLater();
      this.#tell({ type: "connected", client: outcome.client ?? "", node: outcome.node ?? "" });
    });
  }

  #pingLater(): void {
    this.#timer = this.#platform.after(SDK_LIMITS.pingInterval, () => {
      this.#timer = this.#platform.after(SDK_LIMITS.answerTimeout, () => this.end(BROKEN, "no sign of life"));
      this.request({ type: "ping" }, () => {
        this.#timer.cancel();
        if (!this.#ended && !this.#isRetired) this.#pingLater();
      });
    });
  }

  #send(message: ClientMessage): void {
    if (this.#ended) return;
    const isText = this.#options.encoding === "json";
    this.#socket.send(isText ? encodeJsonMessage(message) : encodeMessagePackMessage(message));
  }

  #receive(frame: string | Uint8Array): void {
    if (this.#ended) return;
    let message: ServerMessage;
    try {
      message = decodeMessage(frame) as unknown as ServerMessage;
    } catch {
      this.end(CLOSE_CODES.malformed, "no message");
      return;
    }
    switch (message.type) {
      case "answer":
        this.#settle(message);
        return;
      case "snapshot":
      case "change":
        this.#tell({ type: "delivery", message });
        return;
      case "call":
        this.#tell({ type: "call", call: message });
        return;
      case "move":
        this.#tell({ type: "move", move: message });
        return;
      default:
        this.#refuseUnknown(message);
    }
  }

  /** Of a later version. */
  #refuseUnknown(message: { readonly type: string; readonly id?: unknown }): void {
    if (typeof message.id !== "number") return;
    this.answer({ type: "answer", id: message.id, status: "refused", code: "unknown-type", detail: message.type });
  }

  #settle(answer: Answer): void {
    const settle = this.#unanswered.get(answer.id);
    if (settle === undefined) return;
    this.#unanswered.delete(answer.id);
    settle(answer.status === "success" ? answer : new SluiceError(answer.code, answer.detail, answer.current));
    if (this.#isRetired) this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#unanswered.size === 0) this.end(CLOSE_CODES.done, "moved");
  }

  #end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.cancel();
    const settles = [...this.#unanswered.values()];
    this.#unanswered.clear();
    this.#tell({ type: "ended", code, reason: this.#refusal?.detail || reason });
    for (const settle of settles) settle(new SluiceError("unknown-outcome", "the connection ended"));
  }
}
