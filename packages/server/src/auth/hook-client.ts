/** Asks and tells the operator's HTTP hooks: bounded in number, time and bytes, and never following a redirect. */
import type { Millis } from "@sluice/base/brand";
import { cutText } from "@sluice/base/claimed-text";
import type { Clock } from "@sluice/base/clock";
import { GUARD_LIMITS } from "./limits.ts";

export type HookAnswer =
  | { readonly is: "allow" }
  | { readonly is: "deny"; readonly reason: string }
  | { readonly is: "redirect"; readonly to: string }
  /** It gave no answer that means anything. */
  | { readonly is: "failed"; readonly why: string }
  | { readonly is: "overloaded" }
  | { readonly is: "aborted" };

export interface HookClientOptions {
  readonly clock: Clock;
  /** From the question to the answer, waiting to be sent included. */
  readonly timeout: Millis;
  /** Sent as `Authorization: Bearer`. */
  readonly token: string | undefined;
  /** Requests under way at once. */
  readonly requests: number;
  /** Requests waiting to be sent. */
  readonly queue: number;
}

const REDIRECT_SCHEMES = new Set(["rtmp:", "rtmps:", "http:", "https:", "ws:", "wss:"]);

export class HookClient {
  readonly #options: HookClientOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: HookClientOptions) {
    this.#options = options;
  }

  /** Requests under way or waiting. */
  get pendingCount(): number {
    return this.#running + this.#waiting.length;
  }

  /**
   * Posts `body` as JSON. Never rejects.
   *
   * @param gone  takes the question back while it waits to be sent; once asked, a hook may have said yes, so that its
   *   answer is awaited
   */
  async ask(url: string, body: object, gone: AbortSignal): Promise<HookAnswer> {
    if (gone.aborted) return { is: "aborted" };
    if (this.#running >= this.#options.requests && this.#waiting.length >= this.#options.queue)
      return { is: "overloaded" };
    const { clock, timeout } = this.#options;
    const deadline = new AbortController();
    const timer = clock.after(timeout, () => deadline.abort(new Error(`No answer within ${timeout} ms`)));
    try {
      await this.#place(AbortSignal.any([gone, deadline.signal]));
    } catch (error) {
      timer.cancel();
      return gone.aborted ? { is: "aborted" } : { is: "failed", why: whyOf(error) };
    }
    try {
      return gone.aborted ? { is: "aborted" } : await this.#post(url, body, deadline.signal);
    } catch (error) {
      return { is: "failed", why: whyOf(deadline.signal.aborted ? deadline.signal.reason : error) };
    } finally {
      timer.cancel();
      this.#handOver();
    }
  }

  #handOver(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }

  /** Takes a place: at once, or when a finished request hands its own over; rejects when the signal comes first. */
  #place(signal: AbortSignal): Promise<void> {
    if (this.#running < this.#options.requests) {
      this.#running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        const index = this.#waiting.indexOf(start);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal.reason);
      };
      this.#waiting.push(start);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  async #post(url: string, body: object, signal: AbortSignal): Promise<HookAnswer> {
    const { token } = this.#options;
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal,
    });
    const text = await readText(response);
    if (response.ok) return { is: "allow" };
    if (response.status >= 500) return { is: "failed", why: `Answered ${response.status}` };
    if (response.status >= 400) return { is: "deny", reason: reasonIn(text) };
    return redirectOf(response);
  }
}

function redirectOf(response: Response): HookAnswer {
  const to = URL.parse(response.headers.get("location") ?? "");
  if (to === null || !REDIRECT_SCHEMES.has(to.protocol))
    return { is: "failed", why: `Answered ${response.status} without a usable Location` };
  return { is: "redirect", to: to.href };
}

/** The beginning of the body; the rest is not waited for. */
async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let byteCount = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    byteCount += part.length;
    if (byteCount > GUARD_LIMITS.hookAnswerBytes) break;
  }
  return Buffer.concat(parts).toString("utf8", 0, GUARD_LIMITS.hookAnswerBytes);
}

function reasonIn(text: string): string {
  const said = reasonField(text);
  const plain = cutText(said.replaceAll(/\p{Cc}+/gu, " ").trim(), GUARD_LIMITS.hookReasonCharacters);
  return plain === "" ? "Refused by the server's rules" : plain;
}

function reasonField(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    const reason = typeof body === "object" && body !== null ? (body as { reason?: unknown }).reason : undefined;
    return typeof reason === "string" ? reason : "";
  } catch {
    return "";
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}
