/** Bytes owed to the peer, joined as they are written, so that one socket write carries all of them. */
import { encodeMessageInto, messageByteCount, type OutboundMessage } from "./chunk-writer.ts";
import { RtmpLimitError } from "./errors.ts";
import type { RtmpLimits } from "./limits.ts";

const FIRST_BYTES = 512;

/** Holds no buffer while nothing is owed. */
export class DialogueOutput {
  readonly #maximum: number;
  #buffer: Uint8Array | undefined;
  #length = 0;
  /** Without media, which our own caller adds and takes at its own pace. */
  #dialogueBytes = 0;

  constructor(limits: RtmpLimits) {
    this.#maximum = limits.outputBytes;
  }

  /** Appends handshake bytes; copied. @throws {RtmpLimitError} outputBytes */
  writeRaw(bytes: Uint8Array): void {
    this.#count(bytes.length);
    const at = this.#extend(bytes.length);
    (this.#buffer as Uint8Array).set(bytes, at);
  }

  /** Appends a message in chunks. @throws {RtmpLimitError} outputBytes */
  writeMessage(message: OutboundMessage): void {
    this.#count(messageByteCount(message.body.length, message.timestamp, message.chunkSize));
    this.writeMedia(message);
  }

  /** The same for our caller's own media, to which no limit applies. */
  writeMedia(message: OutboundMessage): void {
    const at = this.#extend(messageByteCount(message.body.length, message.timestamp, message.chunkSize));
    encodeMessageInto(this.#buffer as Uint8Array, at, message);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Everything owed, now the caller's; `undefined` when nothing is. */
  take(): Uint8Array | undefined {
    const bytes = this.#buffer?.subarray(0, this.#length);
    this.#buffer = undefined;
    this.#length = 0;
    this.#dialogueBytes = 0;
    return bytes;
  }

  #count(byteCount: number): void {
    const value = this.#dialogueBytes + byteCount;
    if (value > this.#maximum) throw new RtmpLimitError({ limit: "outputBytes", value, maximum: this.#maximum });
    this.#dialogueBytes = value;
  }

  #extend(byteCount: number): number {
    const at = this.#length;
    const length = at + byteCount;
    if (this.#buffer === undefined || length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(FIRST_BYTES, length, 2 * (this.#buffer?.length ?? 0)));
      if (this.#buffer !== undefined) grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
    }
    this.#length = length;
    return at;
  }
}
