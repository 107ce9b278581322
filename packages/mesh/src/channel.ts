/** One flow of messages on a link: its send queue, its credit, and assembly of the message being received. */
import { ChannelStateError, LinkFrameError } from "./errors.ts";
import type { ChannelId } from "./frame.ts";
import type { LinkLimits } from "./limits.ts";

/** In order of priority; the wire carries the index. */
export const CHANNEL_CLASSES = ["control", "state", "media", "bulk"] as const;
export type ChannelClass = (typeof CHANNEL_CLASSES)[number];

/** Bytes that either side may send on a new channel before it is given more. */
export const INITIAL_CREDIT = 64 * 1024;
/** Limit of a message of class `control`. Control messages bypass the flight window, so they must be small. */
export const CONTROL_MESSAGE_BYTES = 64 * 1024;

/** Why a channel ended. `done`: finished normally; `lost`: the link ended first. */
export const CLOSE_CODES = { done: 0, refused: 1, failed: 2, overrun: 3 } as const;
export type CloseCode = keyof typeof CLOSE_CODES | "lost";

export interface ChannelOptions {
  readonly id: ChannelId;
  /** What the channel is for; the peer picks the service by this name. At most 255 bytes as UTF-8. */
  readonly service: string;
  readonly class: ChannelClass;
  readonly limits: LinkLimits;
  /** `automatic`: taking a message releases its credit. `manual`: the receiver calls `release`. */
  readonly credit: "automatic" | "manual";
  /** Tells the link that there is something to send. */
  readonly ready: (channel: Channel) => void;
  /** The queue is at its limit: a message was not accepted. */
  readonly full: () => void;
}

export class Channel {
  readonly id: ChannelId;
  readonly service: string;
  readonly class: ChannelClass;
  readonly #options: ChannelOptions;
  readonly #queue: Uint8Array[] = [];
  #head = 0;
  /** Bytes of the first message already sent. */
  #sentOfFirst = 0;
  #queuedBytes = 0;
  #credit = INITIAL_CREDIT;
  /** `drained` is due once at most this many bytes are queued. */
  #drainedAt: number | undefined;
  #closing: { readonly code: keyof typeof CLOSE_CODES; readonly reason: string } | undefined;
  #isClosed = false;

  readonly #parts: Uint8Array[] = [];
  #partBytes = 0;
  /** Bytes that the peer may still send. */
  #granted = INITIAL_CREDIT;
  #unreleased = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.id = options.id;
    this.service = options.service;
    this.class = options.class;
  }

  /** Bytes that wait for the peer's credit, the link's window or the socket. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#closing !== undefined;
  }

  /** Bytes that the peer allows this side to send now. */
  get credit(): number {
    return this.#credit;
  }

  /**
   * Never blocks and never exceeds the queue limit. An empty message is a message.
   *
   * @param message  owned by the link until written: the caller must not change it
   * @returns `full`: not accepted; the link reports `drained` once half of the queue has been sent
   * @throws {ChannelStateError} for a message over the limit of its class
   */
  send(message: Uint8Array): "queued" | "full" | "closed" {
    const { limits } = this.#options;
    if (this.isClosed) return "closed";
    const most = this.class === "control" ? CONTROL_MESSAGE_BYTES : limits.messageBytes;
    if (message.length > most) {
      throw new ChannelStateError({
        detail: `message of ${message.length} bytes on "${this.service}": limit is ${most}`,
      });
    }
    if (this.#queuedBytes > 0 && this.#queuedBytes + message.length > limits.queuedBytes) {
      this.#drainedAt = limits.queuedBytes / 2;
      this.#options.full();
      return "full";
    }
    this.#queue.push(message);
    this.#queuedBytes += message.length;
    this.#options.ready(this);
    return "queued";
  }

  /** Reports `drained` once at most this many bytes are queued, for senders that pause before the queue is full. */
  tellDrained(atBytes: number): void {
    this.#drainedAt = atBytes;
  }

  /** Queued messages are sent first. May be called twice. */
  close(code: keyof typeof CLOSE_CODES = "done", reason = ""): void {
    if (this.isClosed) return;
    this.#closing = { code, reason };
    this.#options.ready(this);
  }

  /** With `credit: "manual"`: the receiver no longer holds these bytes of delivered messages. */
  release(byteCount: number): void {
    this.#unreleased = Math.max(0, this.#unreleased - byteCount);
    if (!this.#isClosed) this.#options.ready(this);
  }

  // For the link only.

  /** Whether `takePart` would return something; a pending close counts. */
  get hasOutput(): boolean {
    if (this.#isClosed) return false;
    const first = this.#queue[this.#head];
    if (first === undefined) return this.#closing !== undefined;
    return this.#credit > 0 || first.length === 0;
  }

  /** The next part of the first message, limited by `most` and by credit; `close` once everything is sent. */
  takePart(most: number): { readonly bytes: Uint8Array; readonly isEnd: boolean } | "close" | undefined {
    const first = this.#queue[this.#head];
    if (first === undefined) return this.#closing === undefined ? undefined : "close";
    const length = Math.min(first.length - this.#sentOfFirst, most, this.#credit);
    if (length === 0 && first.length > this.#sentOfFirst) return undefined;
    const from = this.#sentOfFirst;
    const isEnd = from + length === first.length;
    this.#credit -= length;
    this.#queuedBytes -= length;
    this.#sentOfFirst = isEnd ? 0 : from + length;
    if (isEnd) this.#takeFirst();
    return { bytes: first.subarray(from, from + length), isEnd };
  }

  get closing(): { readonly code: keyof typeof CLOSE_CODES; readonly reason: string } | undefined {
    return this.#closing;
  }

  /** True once when `drained` is due: after "full", or after `tellDrained`. */
  takeDrained(): boolean {
    if (this.#drainedAt === undefined || this.#queuedBytes > this.#drainedAt) return false;
    this.#drainedAt = undefined;
    return true;
  }

  addCredit(byteCount: number): void {
    this.#credit += byteCount;
    if (this.hasOutput) this.#options.ready(this);
  }

  /**
   * Takes a part from the peer.
   *
   * @returns the whole message once complete; the caller owns it
   * @throws {LinkFrameError} when the peer had no credit for it, or the message exceeds the limit
   */
  receivePart(bytes: Uint8Array, isEnd: boolean): Uint8Array | undefined {
    const { limits } = this.#options;
    this.#granted -= bytes.length;
    if (this.#granted < 0) {
      throw new LinkFrameError({ detail: `${-this.#granted} bytes over the credit of channel ${this.id}` });
    }
    const most = this.class === "control" ? CONTROL_MESSAGE_BYTES : limits.messageBytes;
    if (this.#partBytes + bytes.length > most) {
      throw new LinkFrameError({ detail: `message over ${most} bytes on channel ${this.id} ("${this.service}")` });
    }
    if (isEnd && this.#partBytes === 0) return this.#hold(bytes);
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
    if (!isEnd) return undefined;
    const message = joined(this.#parts, this.#partBytes);
    this.#parts.length = 0;
    this.#partBytes = 0;
    return this.#hold(message);
  }

  /**
   * Bytes of credit to grant now; 0 while too few to justify a frame. The received part of an incomplete message does not
   * count as held: the message limit bounds it, and its remaining parts need credit.
   */
  takeGrant(): number {
    if (this.#isClosed) return 0;
    const window = this.#options.limits.creditBytes;
    const wanted = Math.max(0, window - this.#unreleased);
    const grant = wanted - this.#granted;
    if (grant < window / 4) return 0;
    this.#granted += grant;
    return grant;
  }

  /** Stops sending and receiving. */
  end(): void {
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#parts.length = 0;
    this.#partBytes = 0;
  }

  #hold(message: Uint8Array): Uint8Array {
    if (this.#options.credit === "manual") this.#unreleased += message.length;
    return message;
  }

  #takeFirst(): void {
    this.#queue[this.#head++] = EMPTY;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head > 256 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

const EMPTY = new Uint8Array(0);

function joined(parts: readonly Uint8Array[], byteCount: number): Uint8Array {
  const whole = new Uint8Array(byteCount);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
