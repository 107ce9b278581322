/** The handshake between two members, without a socket: hello, welcome with proof, proof, acceptance. */
import type { Crypto } from "@sluice/base/crypto";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { timingSafeEqual } from "node:crypto";
import {
  codeOfRefusal,
  MemberFrameError,
  MemberRefusedError,
  REFUSALS,
  type Refusal,
  type RefusalCode,
} from "./member-errors.ts";
import {
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeRefusal,
  encodeWelcome,
  MEMBER_VERSIONS,
  type MemberHello,
  type MemberWelcome,
  NONCE_BYTES,
  PROOF_BYTES,
  readRefusal,
} from "./member-hello.ts";

/** Who the other side says it is, and proved to be as far as the secret proves it. */
export interface PeerIdentity {
  readonly id: string;
  readonly clusterId: Uint8Array;
  readonly storeId: Uint8Array;
  /** Where it can be dialled; empty from the side that was dialled. */
  readonly address: string;
  /** Where its clients reach it; empty for nowhere, and from the side that was dialled. */
  readonly clients: string;
}

export type OwnIdentity = PeerIdentity;

export interface HandshakePorts {
  readonly own: OwnIdentity;
  /** Empty: anybody who can connect is believed. */
  readonly secret: Uint8Array;
  /** Bytes that both ends of this very TLS connection know and nobody between them; empty without TLS. */
  readonly binding: Uint8Array;
  readonly crypto: Crypto;
  /** Called once the secret is proved. */
  readonly judge: (peer: PeerIdentity) => Refusal | undefined;
}

export interface HandshakeStep {
  readonly send?: Uint8Array;
  readonly established?: PeerIdentity;
  /** Sent last, before the connection ends with the error. */
  readonly refused?: MemberRefusedError;
}

/** Of the side that dialled. Every method may throw a `WireError`: the connection must end. */
export class DialHandshake {
  readonly #ports: HandshakePorts;
  readonly #to: string;
  readonly #hello: Uint8Array;
  #peer: PeerIdentity | undefined;

  constructor(to: string, ports: HandshakePorts) {
    this.#ports = ports;
    this.#to = to;
    const { oldest, newest } = MEMBER_VERSIONS;
    const { id: from, clusterId, storeId, address, clients } = ports.own;
    const nonce = ports.crypto.randomBytes(NONCE_BYTES);
    this.#hello = encodeHello({ oldest, newest, clusterId, storeId, nonce, from, to, address, clients });
  }

  hello(): Uint8Array {
    return this.#hello;
  }

  receive(frame: Uint8Array): HandshakeStep {
    throwIfRefused(frame, this.#to);
    if (this.#peer !== undefined) {
      if (frame.length !== 1 || frame[0] !== 0)
        throw new MemberFrameError({ detail: "no acceptance at the end of the handshake" });
      return { established: this.#peer };
    }
    const welcome = decodeWelcome(frame);
    const { secret, binding, crypto, judge } = this.#ports;
    if (
      !isSame(
        welcome.proof,
        proofOf("acceptor", { crypto, secret, binding, hello: this.#hello, welcome: welcome.signed }),
      )
    ) {
      return refuse("wrong-secret", this.#to);
    }
    const peer = identityOf(welcome);
    const refusal = welcome.from === this.#to ? judge(peer) : "wrong-target";
    if (refusal !== undefined) return refuse(refusal, this.#to);
    this.#peer = peer;
    return {
      send: withZero(proofOf("dialler", { crypto, secret, binding, hello: this.#hello, welcome: welcome.signed })),
    };
  }
}

/** Of the side that was dialled. */
export class AcceptHandshake {
  readonly #ports: HandshakePorts;
  #hello: { readonly bytes: Uint8Array; readonly peer: PeerIdentity } | undefined;
  #welcome: Uint8Array = new Uint8Array(0);

  constructor(ports: HandshakePorts) {
    this.#ports = ports;
  }

  receive(frame: Uint8Array): HandshakeStep {
    throwIfRefused(frame, this.#hello?.peer.id ?? "unknown");
    return this.#hello === undefined ? this.#onHello(frame) : this.#onProof(frame, this.#hello);
  }

  #onHello(frame: Uint8Array): HandshakeStep {
    const hello = decodeHello(frame);
    if (hello.newest < MEMBER_VERSIONS.oldest || hello.oldest > MEMBER_VERSIONS.newest)
      return refuse("version", hello.from);
    const { own, secret, binding, crypto } = this.#ports;
    const nonce = crypto.randomBytes(NONCE_BYTES);
    const version = Math.min(hello.newest, MEMBER_VERSIONS.newest);
    this.#hello = { bytes: frame, peer: { ...identityOf(hello), address: hello.address, clients: hello.clients } };
    this.#welcome = encodeWelcome({ version, clusterId: own.clusterId, storeId: own.storeId, nonce, from: own.id });
    const proof = proofOf("acceptor", { crypto, secret, binding, hello: frame, welcome: this.#welcome });
    return { send: new ByteWriter(256).bytes(this.#welcome).bytes(proof).finish() };
  }

  #onProof(frame: Uint8Array, hello: { readonly bytes: Uint8Array; readonly peer: PeerIdentity }): HandshakeStep {
    const { secret, binding, crypto, judge } = this.#ports;
    const expected = withZero(
      proofOf("dialler", { crypto, secret, binding, hello: hello.bytes, welcome: this.#welcome }),
    );
    if (!isSame(frame, expected)) return refuse("wrong-secret", hello.peer.id);
    const refusal = judge(hello.peer);
    return refusal === undefined ? { send: Uint8Array.of(0), established: hello.peer } : refuse(refusal, hello.peer.id);
  }
}

interface Transcript {
  readonly crypto: Crypto;
  readonly secret: Uint8Array;
  readonly binding: Uint8Array;
  readonly hello: Uint8Array;
  readonly welcome: Uint8Array;
}

/** Differs by side, so that a proof cannot be played back to the one who gave it. */
function proofOf(side: "acceptor" | "dialler", { crypto, secret, binding, hello, welcome }: Transcript): Uint8Array {
  const w = new ByteWriter(512);
  for (const part of [encodeUtf8(`sluice member ${side}`), binding, hello, welcome]) w.u32(part.length).bytes(part);
  return crypto.hmacSha256(secret, w.finish());
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function withZero(proof: Uint8Array): Uint8Array {
  return new ByteWriter(PROOF_BYTES + 1).u8(0).bytes(proof).finish();
}

/** Copies what is kept past the frame. */
function identityOf(from: MemberHello | MemberWelcome): PeerIdentity {
  return { id: from.from, clusterId: from.clusterId.slice(), storeId: from.storeId.slice(), address: "", clients: "" };
}

function refuse(reason: Refusal, peer: string): HandshakeStep {
  return {
    send: encodeRefusal(codeOfRefusal(reason)),
    refused: new MemberRefusedError({ peer, reason, by: "this side" }),
  };
}

function throwIfRefused(frame: Uint8Array, peer: string): void {
  const code: RefusalCode | undefined = readRefusal(frame);
  if (code === undefined) return;
  throw new MemberRefusedError({ peer, reason: REFUSALS[code].reason, by: "the other side" });
}
