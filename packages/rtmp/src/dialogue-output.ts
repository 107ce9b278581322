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

  constructor(limits: RtmpLimits) {
    this.#maximum = limits.outputBytes;
  }

  /** Appends handshake bytes; copied. @throws {RtmpLimitError} outputBytes */
  writeRaw(bytes: Uint8Array): void {
    const at = this.#extend(bytes.length);
    (this.#buffer as Uint8Array).set(bytes, at);
  }

  /** Appends a message in chunks. @throws {RtmpLimitError} outputBytes */
  writeMessage(message: OutboundMessage): void {
    const at = this.#extend(messageByteCount(message.body.length, message.timestamp, message.chunkSize));
    encodeMessageInto(this.#buffer as Uint8Array, at, message);
  }

  /** Everything owed, now the caller's; `undefined` when nothing is. */
  take(): Uint8Array | undefined {
    const bytes = this.#buffer?.subarray(0, this.#length);
    this.#buffer = undefined;
    this.#length = 0;
    return bytes;
  }

  #extend(byteCount: number): number {
    const at = this.#length;
    const length = at + byteCount;
    if (length > this.#maximum)
      throw new RtmpLimitError({ limit: "outputBytes", value: length, maximum: this.#maximum });
    if (this.#buffer === undefined || length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(FIRST_BYTES, length, 2 * (this.#buffer?.length ?? 0)));
      if (this.#buffer !== undefined) grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
    }
    this.#length = length;
    return at;
  }
}
