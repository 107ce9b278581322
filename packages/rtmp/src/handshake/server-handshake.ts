/** The server's side of the handshake: one reply to C0 and C1, then C2 passes unread. */
import type { Crypto } from "@sluice/base/crypto";
import { createDigestAnswer, createDigestBlock, findDigest } from "./digest.ts";
import { BLOCK_BYTES, checkOpening, createPlainBlock, RTMP_VERSION } from "./plain.ts";

export type HandshakeForm = "plain" | "digest";

/** Holds one block while C1 is incomplete and nothing after; dropped whole by its engine at the end. */
export class ServerHandshake {
  readonly #crypto: Crypto;
  #opening: Uint8Array | undefined;
  #filled = 0;
  #awaitedBytes = BLOCK_BYTES;
  #form: HandshakeForm | undefined;
  #reply: Uint8Array | undefined;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Known once C1 is here. */
  get form(): HandshakeForm | undefined {
    return this.#form;
  }

  /** C2 has passed too. Whether it repeats S1 is not asked: too many clients get it wrong. */
  get isDone(): boolean {
    return this.#form !== undefined && this.#awaitedBytes === 0;
  }

  /** Reads what belongs to the handshake; answers how many bytes that were. @throws {WireError} */
  receive(bytes: Uint8Array): number {
    const opened = this.#form === undefined ? this.#receiveOpening(bytes) : 0;
    if (this.#form === undefined) return opened;
    const passed = Math.min(this.#awaitedBytes, bytes.length - opened);
    this.#awaitedBytes -= passed;
    return opened + passed;
  }

  /** S0, S1 and S2 in one piece, once. */
  takeReply(): Uint8Array | undefined {
    const reply = this.#reply;
    this.#reply = undefined;
    return reply;
  }

  #receiveOpening(bytes: Uint8Array): number {
    this.#opening ??= new Uint8Array(1 + BLOCK_BYTES);
    const count = Math.min(bytes.length, this.#opening.length - this.#filled);
    this.#opening.set(bytes.subarray(0, count), this.#filled);
    this.#filled += count;
    checkOpening(this.#opening.subarray(0, this.#filled));
    if (this.#filled === this.#opening.length) this.#answer(this.#opening.subarray(1));
    return count;
  }

  #answer(c1: Uint8Array): void {
    const crypto = this.#crypto;
    const found = findDigest(c1, "client", crypto);
    const reply = new Uint8Array(1 + 2 * BLOCK_BYTES);
    reply[0] = RTMP_VERSION;
    reply.set(found ? createDigestBlock("server", found.layout, crypto) : createPlainBlock(crypto), 1);
    reply.set(found ? createDigestAnswer("server", found.digest, crypto) : c1, 1 + BLOCK_BYTES);
    this.#reply = reply;
    this.#form = found ? "digest" : "plain";
    this.#opening = undefined;
  }
}
