/** The client's side of the handshake: C0 and C1, then C2 as soon as S1 is here; S2 passes unread. */
import type { Crypto } from "@sluice/base/crypto";
import { createDigestAnswer, createDigestBlock, findDigest } from "./digest.ts";
import { BLOCK_BYTES, checkOpening, createPlainBlock, RTMP_VERSION } from "./plain.ts";
import type { HandshakeForm } from "./server-handshake.ts";

export class ClientHandshake {
  readonly #crypto: Crypto;
  readonly #offered: HandshakeForm;
  #opening: Uint8Array | undefined;
  #filled = 0;
  #awaitedBytes = BLOCK_BYTES;
  #form: HandshakeForm | undefined;
  #reply: Uint8Array | undefined;

  /** @param form  digest falls back to plain when the server's S1 carries none */
  constructor(crypto: Crypto, form: HandshakeForm) {
    this.#crypto = crypto;
    this.#offered = form;
  }

  /** C0 and C1. */
  createOpening(): Uint8Array {
    const opening = new Uint8Array(1 + BLOCK_BYTES);
    opening[0] = RTMP_VERSION;
    const crypto = this.#crypto;
    opening.set(
      this.#offered === "digest" ? createDigestBlock("client", "digest-first", crypto) : createPlainBlock(crypto),
      1,
    );
    return opening;
  }

  /** Known once S1 is here; from then on commands may follow C2. */
  get form(): HandshakeForm | undefined {
    return this.#form;
  }

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

  /** C2, once. */
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

  #answer(s1: Uint8Array): void {
    const found = this.#offered === "digest" ? findDigest(s1, "server", this.#crypto) : undefined;
    this.#reply = found ? createDigestAnswer("client", found.digest, this.#crypto) : s1;
    this.#form = found ? "digest" : "plain";
    this.#opening = undefined;
  }
}
