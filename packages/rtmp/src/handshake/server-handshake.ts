/** The server's side of the handshake: one reply to C0 and C1, then C2 passes unread. */
import type { Crypto } from "@sluice/base/crypto";
import { createDigestAnswer, createDigestBlock, findDigest } from "./digest.ts";
import { PeerBlocks } from "./peer-blocks.ts";
import { BLOCK_BYTES, createPlainBlock, RTMP_VERSION } from "./plain.ts";

export type HandshakeForm = "plain" | "digest";

/** Dropped whole by its engine at the end. */
export class ServerHandshake {
  readonly #crypto: Crypto;
  readonly #peer = new PeerBlocks();
  #form: HandshakeForm | undefined;
  #reply: Uint8Array | undefined;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Known once C1 is here. */
  get form(): HandshakeForm | undefined {
    return this.#form;
  }

  /** C2 has passed, too. */
  get isDone(): boolean {
    return this.#peer.isDone;
  }

  /** Reads what belongs to the handshake; answers how many bytes that were. @throws {WireError} */
  receive(bytes: Uint8Array): number {
    return this.#peer.receive(bytes, (c1) => this.#answer(c1));
  }

  /** S0, S1 and S2 in one piece, once. */
  takeReply(): Uint8Array | undefined {
    const reply = this.#reply;
    this.#reply = undefined;
    return reply;
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
  }
}
