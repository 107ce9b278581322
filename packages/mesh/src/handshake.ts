/** The handshake of a link, without a socket: hello, welcome with proof, proof, acceptance. */
import type { Crypto } from "@sluice/base/crypto";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { codeOfRefusal, LinkFrameError, LinkRefusedError, REFUSALS, type Refusal } from "./errors.ts";
import { encodeFrame, FRAME_TYPE, LINK_CHANNEL, type LinkFrame } from "./frame.ts";
import {
  decodeHello,
  decodeProofs,
  decodeRefusal,
  decodeWelcome,
  encodeHello,
  encodeRefusal,
  encodeWelcome,
  type Hello,
  LINK_VERSIONS,
  NONCE_BYTES,
  type NodeIdentity,
  writeProofs,
} from "./hello.ts";

export interface HandshakeOptions {
  readonly own: NodeIdentity;
  /** The first one is used for proving; a peer may prove any of them. Empty: anybody who can connect is accepted. */
  readonly secrets: readonly Uint8Array[];
  /** Bytes that only the two ends of this TLS connection know; empty without TLS. */
  readonly binding: Uint8Array;
  readonly crypto: Crypto;
  /** Called once the peer has proved a secret: a reason to refuse it, or `undefined` to accept. */
  readonly judge: (peer: NodeIdentity) => Refusal | undefined;
}

/** The result of one handshake frame; `send` goes out first. */
export interface HandshakeStep {
  readonly send?: Uint8Array;
  readonly established?: NodeIdentity;
  readonly refused?: LinkRefusedError;
}

/** Handshake of the dialling side. Every method may throw a `WireError`: the connection must end. */
export class DialHandshake {
  readonly #options: HandshakeOptions;
  readonly #to: string;
  readonly #hello: Uint8Array;
  #peer: NodeIdentity | undefined;

  /** @param to  expected id of the peer; empty accepts any */
  constructor(to: string, options: HandshakeOptions) {
    this.#options = options;
    this.#to = to;
    const nonce = options.crypto.randomBytes(NONCE_BYTES);
    this.#hello = encodeHello({ ...LINK_VERSIONS, nonce, to, from: options.own });
  }

  /** The first frame of the connection. */
  hello(): Uint8Array {
    return encodeFrame(FRAME_TYPE.hello, LINK_CHANNEL, this.#hello);
  }

  receive(frame: LinkFrame): HandshakeStep {
    throwIfRefused(frame, this.#to);
    if (this.#peer !== undefined) {
      requireType(frame, FRAME_TYPE.accepted, "acceptance");
      return { established: this.#peer };
    }
    requireType(frame, FRAME_TYPE.welcome, "welcome");
    const welcome = decodeWelcome(frame.payload);
    const transcript = { hello: this.#hello, welcome: welcome.signed };
    if (!isProved(welcome.proofs, proofsOf("acceptor", this.#options, transcript)))
      return refuse("wrong-secret", this.#to);
    const refusal = refusalOf(welcome.from, this.#options, this.#to);
    if (refusal !== undefined) return refuse(refusal, welcome.from.id);
    this.#peer = welcome.from;
    const proofs = writeProofs(new ByteWriter(256), proofsOf("dialler", this.#options, transcript)).finish();
    return { send: encodeFrame(FRAME_TYPE.proof, LINK_CHANNEL, proofs) };
  }
}

/** Handshake of the accepting side. Every method may throw a `WireError`: the connection must end. */
export class AcceptHandshake {
  readonly #options: HandshakeOptions;
  #hello: { readonly bytes: Uint8Array; readonly from: NodeIdentity } | undefined;
  #welcome: Uint8Array = new Uint8Array(0);

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  receive(frame: LinkFrame): HandshakeStep {
    throwIfRefused(frame, this.#hello?.from.id ?? "unknown");
    return this.#hello === undefined ? this.#onHello(frame) : this.#onProof(frame, this.#hello);
  }

  #onHello(frame: LinkFrame): HandshakeStep {
    requireType(frame, FRAME_TYPE.hello, "hello");
    const hello = decodeHello(frame.payload);
    if (!hasCommonVersion(hello)) return refuse("version", hello.from.id);
    this.#hello = { bytes: frame.payload, from: hello.from };
    this.#welcome = encodeWelcome({
      version: Math.min(hello.newest, LINK_VERSIONS.newest),
      nonce: this.#options.crypto.randomBytes(NONCE_BYTES),
      from: this.#options.own,
    });
    const proofs = proofsOf("acceptor", this.#options, { hello: frame.payload, welcome: this.#welcome });
    const payload = writeProofs(new ByteWriter(512).bytes(this.#welcome), proofs).finish();
    return { send: encodeFrame(FRAME_TYPE.welcome, LINK_CHANNEL, payload) };
  }

  #onProof(
    frame: LinkFrame,
    { bytes, from }: { readonly bytes: Uint8Array; readonly from: NodeIdentity },
  ): HandshakeStep {
    requireType(frame, FRAME_TYPE.proof, "proof");
    const expected = proofsOf("dialler", this.#options, { hello: bytes, welcome: this.#welcome });
    if (!isProved(decodeProofs(frame.payload), expected)) return refuse("wrong-secret", from.id);
    const refusal = refusalOf(from, this.#options, "");
    if (refusal !== undefined) return refuse(refusal, from.id);
    return { send: encodeFrame(FRAME_TYPE.accepted, LINK_CHANNEL, new Uint8Array(0)), established: from };
  }
}

function hasCommonVersion({ oldest, newest }: Hello): boolean {
  return oldest <= LINK_VERSIONS.newest && newest >= LINK_VERSIONS.oldest;
}

/** @param to  id that the dialler expects; empty for any */
function refusalOf(peer: NodeIdentity, { own, judge }: HandshakeOptions, to: string): Refusal | undefined {
  if (peer.id === own.id) return peer.incarnation === own.incarnation ? "self" : "own-id";
  if (to !== "" && peer.id !== to) return "wrong-target";
  if (peer.purpose !== own.purpose) return "other-purpose";
  return judge(peer);
}

interface Transcript {
  readonly hello: Uint8Array;
  readonly welcome: Uint8Array;
}

/** One proof per secret. Proofs differ by side, so a proof cannot be replayed to its sender. */
function proofsOf(
  side: "acceptor" | "dialler",
  options: HandshakeOptions,
  { hello, welcome }: Transcript,
): Uint8Array[] {
  const w = new ByteWriter(512);
  for (const part of [encodeUtf8(`sluice link ${side}`), options.binding, hello, welcome])
    w.u32(part.length).bytes(part);
  const signed = w.finish();
  const secrets = options.secrets.length === 0 ? [new Uint8Array(0)] : options.secrets;
  return secrets.map((secret) => options.crypto.hmacSha256(secret, signed));
}

/** Compares every pair, so that the time taken does not reveal which secret matched. */
function isProved(given: readonly Uint8Array[], expected: readonly Uint8Array[]): boolean {
  let isAny = false;
  for (const proof of given) for (const wanted of expected) if (isSame(proof, wanted)) isAny = true;
  return isAny;
}

/** Constant time for proofs of equal length. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= (a[i] ?? 0) ^ (b[i] as number);
  return difference === 0;
}

function refuse(reason: Refusal, peer: string): HandshakeStep {
  const send = encodeFrame(FRAME_TYPE.refused, LINK_CHANNEL, encodeRefusal(codeOfRefusal(reason)));
  return { send, refused: new LinkRefusedError({ peer, reason, by: "this side" }) };
}

function throwIfRefused(frame: LinkFrame, peer: string): void {
  if (frame.type !== FRAME_TYPE.refused) return;
  const { reason } = REFUSALS[decodeRefusal(frame.payload)];
  throw new LinkRefusedError({ peer, reason, by: "the other side" });
}

function requireType({ type, channel, payload }: LinkFrame, wanted: number, what: string): void {
  if (type !== wanted || channel !== LINK_CHANNEL) {
    throw new LinkFrameError({ detail: `frame of type ${type} on channel ${channel} where the ${what} belongs` });
  }
  if (wanted === FRAME_TYPE.accepted && payload.length > 0) {
    throw new LinkFrameError({ detail: `acceptance with ${payload.length} bytes too many` });
  }
}
