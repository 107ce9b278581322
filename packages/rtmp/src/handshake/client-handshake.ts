/** The client's side of the handshake: C0 and C1, then C2 as soon as S1 is here; S2 passes unread. */
import type { Crypto } from "@sluice/base/crypto";
import { createDigestAnswer, createDigestBlock, findDigest } from "./digest.ts";
import { PeerBlocks } from "./peer-blocks.ts";
import { BLOCK_BYTES, createPlainBlock, RTMP_VERSION } from "./plain.ts";
import type { HandshakeForm } from "./server-handshake.ts";

export class ClientHandshake {
  readonly #crypto: Crypto;
  readonly #offered: HandshakeForm;
  readonly #peer = new PeerBlocks();
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
    return this.#peer.isDone;
  }

  /** Reads what belongs to the handshake; answers how many bytes that were. @throws {WireError} */
  receive(bytes: Uint8Array): number {
    return this.#peer.receive(bytes, (s1) => this.#answer(s1));
  }

  /** C2, once. */
  takeReply(): Uint8Array | undefined {
    const reply = this.#reply;
    this.#reply = undefined;
    return reply;
  }

  #answer(s1: Uint8Array): void {
    const found = this.#offered === "digest" ? findDigest(s1, "server", this.#crypto) : undefined;
    this.#reply = found ? createDigestAnswer("client", found.digest, this.#crypto) : s1;
    this.#form = found ? "digest" : "plain";
  }
}
