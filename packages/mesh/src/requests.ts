/** Requests and answers on one channel: each request has a deadline, can be cancelled, and settles exactly once. */
import { UnavailableError } from "@sluice/base/errors";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import type { Channel } from "./channel.ts";
import { LinkFrameError } from "./errors.ts";

/**
 * First byte of every message on such a channel; u32 id follows. A request has a u32 timeout in milliseconds before its
 * payload (0: none), a failure one byte of `FAILURES` and a text.
 */
const KIND = { request: 1, answer: 2, failure: 3, cancel: 4 } as const;

/** Numbers as on the wire. `lost`: the channel ended, so it is unknown whether the request was carried out. */
const FAILURES = ["failed", "refused", "overloaded", "late", "cancelled", "lost"] as const;
export type RequestFailure = (typeof FAILURES)[number];

const MOST_DETAIL_BYTES = 1_024;

/** A request over a link has no answer: the other side refused it, failed or took too long, or the link ended. */
export class RequestFailedError extends UnavailableError {
  override readonly name = "RequestFailedError";
  readonly code = "UNAVAILABLE_LINK_REQUEST";
  readonly context: { readonly failure: RequestFailure; readonly detail: string };
  constructor(context: { readonly failure: RequestFailure; readonly detail: string }) {
    super(`Cannot complete request: ${context.failure}${context.detail === "" ? "" : `, ${context.detail}`}`);
    this.context = context;
  }

  /** Whether the other side may have carried it out regardless. */
  get isOutcomeUnknown(): boolean {
    return this.context.failure === "lost" || this.context.failure === "late" || this.context.failure === "cancelled";
  }
}

export interface RequestOptions {
  /** How long to wait; sent to the other side. */
  readonly timeout: Millis;
  readonly signal?: AbortSignal;
}

/** Answers the peer's requests. A rejection with a `RequestFailedError` is passed on, any other as `failed`. */
export type Serve = (payload: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

interface Open {
  readonly settle: (outcome: Uint8Array | RequestFailedError) => void;
}

export class Requests {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #serve: Serve;
  readonly #open = new Map<number, Open>();
  readonly #serving = new Map<number, AbortController>();
  #nextId = 0;

  /** @param options.requests  in flight at once, in each direction */
  constructor(
    channel: Channel,
    { clock, requests, serve }: { readonly clock: Clock; readonly requests: number; readonly serve: Serve },
  ) {
    this.#channel = channel;
    this.#clock = clock;
    this.#most = requests;
    this.#serve = serve;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /**
   * @param payload  copied
   * @returns the payload of the answer, owned by the caller
   * @throws {RequestFailedError}
   */
  request(payload: Uint8Array, { timeout, signal }: RequestOptions): Promise<Uint8Array> {
    if (this.#open.size >= this.#most) return rejected("overloaded", `${this.#most} requests have no answer yet`);
    if (signal?.aborted) return rejected("cancelled", "");
    const id = this.#takeId();
    const message = new ByteWriter(payload.length + 9).u8(KIND.request).u32(id).u32(timeout).bytes(payload).finish();
    const sent = this.#channel.send(message);
    if (sent !== "queued") return rejected(sent === "full" ? "overloaded" : "refused", `the channel is ${sent}`);
    return new Promise((resolve, reject) => {
      const giveUp = (failure: RequestFailure): void => {
        this.#channel.send(new ByteWriter(5).u8(KIND.cancel).u32(id).finish());
        this.#settle(id, new RequestFailedError({ failure, detail: "" }));
      };
      const timer: Timer = this.#clock.after(timeout, () => giveUp("late"));
      const onAbort = (): void => giveUp("cancelled");
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#open.set(id, {
        settle: (outcome) => {
          timer.cancel();
          signal?.removeEventListener("abort", onAbort);
          if (outcome instanceof RequestFailedError) reject(outcome);
          else resolve(outcome);
        },
      });
    });
  }

  /** Takes a message of the channel. @throws {WireError} */
  receive(message: Uint8Array): void {
    const r = new ByteReader(message);
    const kind = r.u8();
    const id = r.u32();
    switch (kind) {
      case KIND.request:
        return this.#onRequest(id, r.u32() as Millis, r.rest());
      case KIND.answer:
        return this.#settle(id, r.rest());
      case KIND.failure: {
        const failure = FAILURES[r.u8()] ?? "failed";
        return this.#settle(id, new RequestFailedError({ failure, detail: r.utf8(r.remaining) }));
      }
      case KIND.cancel:
        return this.#serving.get(id)?.abort(new RequestFailedError({ failure: "cancelled", detail: "" }));
      default:
        throw new LinkFrameError({ detail: `request message of unknown kind ${kind}` });
    }
  }

  /** The channel has ended: the outcome of open requests is unknown, and requests being served are cancelled. */
  end(): void {
    for (const id of [...this.#open.keys()]) this.#settle(id, new RequestFailedError({ failure: "lost", detail: "" }));
    for (const controller of this.#serving.values()) {
      controller.abort(new RequestFailedError({ failure: "lost", detail: "" }));
    }
  }

  #settle(id: number, outcome: Uint8Array | RequestFailedError): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.settle(outcome);
  }

  #onRequest(id: number, timeout: Millis, payload: Uint8Array): void {
    if (this.#serving.has(id)) throw new LinkFrameError({ detail: `request ${id} asked twice` });
    if (this.#serving.size >= this.#most) {
      return this.#fail(
        id,
        new RequestFailedError({ failure: "overloaded", detail: `${this.#most} are being served` }),
      );
    }
    const controller = new AbortController();
    this.#serving.set(id, controller);
    const late = (): void => controller.abort(new RequestFailedError({ failure: "late", detail: "" }));
    const timer = timeout === 0 ? undefined : this.#clock.after(timeout, late);
    void this.#answer(id, payload, controller.signal).finally(() => {
      timer?.cancel();
      this.#serving.delete(id);
    });
  }

  async #answer(id: number, payload: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.#serve(payload, signal);
      this.#channel.send(new ByteWriter(answer.length + 5).u8(KIND.answer).u32(id).bytes(answer).finish());
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #fail(id: number, error: unknown): void {
    const known = error instanceof RequestFailedError ? error.context : undefined;
    const detail = encodeUtf8(known?.detail ?? (error instanceof Error ? error.message : String(error)));
    const w = new ByteWriter(64)
      .u8(KIND.failure)
      .u32(id)
      .u8(FAILURES.indexOf(known?.failure ?? "failed"));
    this.#channel.send(w.bytes(detail.subarray(0, MOST_DETAIL_BYTES)).finish());
  }

  #takeId(): number {
    do this.#nextId = (this.#nextId + 1) % 2 ** 32;
    while (this.#open.has(this.#nextId));
    return this.#nextId;
  }
}

function rejected(failure: RequestFailure, detail: string): Promise<never> {
  return Promise.reject(new RequestFailedError({ failure, detail }));
}
