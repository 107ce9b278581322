/** What each side of a link states about itself before anything else. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import type { Brand } from "@sluice/base/brand";
import { LinkFrameError, REFUSALS, type RefusalCode } from "./errors.ts";

/** Versions of the link protocol that this build speaks. */
export const LINK_VERSIONS = { oldest: 1, newest: 1 } as const;

/** "SLCE". */
const MAGIC = 0x534c_4345;
export const NONCE_BYTES = 32;
export const PROOF_BYTES = 32;
/** One per accepted secret: the current one and its successor during a change. */
export const MOST_PROOFS = 4;
const MOST_FACTS = 32;

/** One life of a process. For a node, higher than in every earlier life; for a cache member, random. */
export type Incarnation = Brand<number, "Incarnation">;

/** Identity of one end of a link. The secret proves the facts, but they are as trustworthy as the peer itself. */
export interface NodeIdentity {
  /** Chosen by the operator or kept with the data; 1 to 128 bytes as UTF-8. */
  readonly id: string;
  /** 0 to 2³² − 1. */
  readonly incarnation: Incarnation;
  /** `node`, or `cache` for members of a stand-alone cache: the two do not link. */
  readonly purpose: string;
  /** Names and values, such as `roles`, `cluster`, `address.rtmp`; at most 32. Unknown names are kept. */
  readonly facts: ReadonlyMap<string, string>;
}

/**
 * First frame, from the dialling side.
 *
 * | field       | form                         | meaning                                          |
 * | ----------- | ---------------------------- | ------------------------------------------------ |
 * | magic       | u32                          | "SLCE"                                           |
 * | oldest      | u8                           | versions of the link protocol                    |
 * | newest      | u8                           |                                                  |
 * | nonce       | 32 bytes                     |                                                  |
 * | to          | u8 length + UTF-8            | id that the dialler expects; empty: any          |
 * | id          | u8 length + UTF-8            | identity of the dialler                          |
 * | incarnation | u32                          |                                                  |
 * | purpose     | u8 length + UTF-8            |                                                  |
 * | facts       | u8 count, then count × (u8 length + name, u16 length + value) |                 |
 *
 * mesh.md, MSH2
 */
export interface Hello {
  readonly oldest: number;
  readonly newest: number;
  readonly nonce: Uint8Array;
  readonly to: string;
  readonly from: NodeIdentity;
}

/** Second frame: u8 chosen version, nonce, identity as in the hello, u8 count of proofs, then 32 bytes for each proof. */
export interface Welcome {
  readonly version: number;
  readonly nonce: Uint8Array;
  readonly from: NodeIdentity;
}

export function encodeHello({ oldest, newest, nonce, to, from }: Hello): Uint8Array {
  const w = new ByteWriter(256).u32(MAGIC).u8(oldest).u8(newest).bytes(nonce);
  writeShort(w, to);
  writeIdentity(w, from);
  return w.finish();
}

/** Only the nonce of the result is a view of `payload`. @throws {WireError} */
export function decodeHello(payload: Uint8Array): Hello {
  const r = new ByteReader(payload);
  if (r.u32() !== MAGIC) throw new LinkFrameError({ detail: "this is no node of a cluster" });
  const [oldest, newest] = [r.u8(), r.u8()];
  const nonce = r.bytes(NONCE_BYTES);
  const to = readShort(r);
  const from = readIdentity(r);
  requireEnd(r, "hello");
  return { oldest, newest, nonce, to, from };
}

/** Without the proofs, which are computed over these bytes. */
export function encodeWelcome({ version, nonce, from }: Welcome): Uint8Array {
  const w = new ByteWriter(256).u8(version).bytes(nonce);
  writeIdentity(w, from);
  return w.finish();
}

/** @throws {WireError} */
export function decodeWelcome(
  payload: Uint8Array,
): Welcome & { readonly signed: Uint8Array; readonly proofs: readonly Uint8Array[] } {
  const r = new ByteReader(payload);
  const version = r.u8();
  const nonce = r.bytes(NONCE_BYTES);
  const from = readIdentity(r);
  const signed = payload.subarray(0, r.offset);
  const proofs = readProofs(r);
  requireEnd(r, "welcome");
  return { version, nonce, from, signed, proofs };
}

export function writeProofs(w: ByteWriter, proofs: readonly Uint8Array[]): ByteWriter {
  w.u8(proofs.length);
  for (const proof of proofs) w.bytes(proof);
  return w;
}

/** @throws {WireError} */
export function decodeProofs(payload: Uint8Array): readonly Uint8Array[] {
  const r = new ByteReader(payload);
  const proofs = readProofs(r);
  requireEnd(r, "proof");
  return proofs;
}

export function encodeRefusal(code: RefusalCode): Uint8Array {
  return Uint8Array.of(code);
}

/** @throws {LinkFrameError} for an unknown reason */
export function decodeRefusal(payload: Uint8Array): RefusalCode {
  const code = payload[0];
  if (payload.length !== 1 || code === undefined || !(code in REFUSALS)) {
    throw new LinkFrameError({ detail: `refusal of unknown kind ${code}` });
  }
  return code as RefusalCode;
}

function writeIdentity(w: ByteWriter, { id, incarnation, purpose, facts }: NodeIdentity): void {
  writeShort(w, id);
  w.u32(incarnation);
  writeShort(w, purpose);
  w.u8(facts.size);
  for (const [name, value] of facts) {
    writeShort(w, name);
    const bytes = encodeUtf8(value);
    w.u16(bytes.length).bytes(bytes);
  }
}

function readIdentity(r: ByteReader): NodeIdentity {
  const id = readShort(r);
  if (id === "") throw new LinkFrameError({ detail: "identity without an id" });
  const incarnation = r.u32() as Incarnation;
  const purpose = readShort(r);
  const count = r.u8();
  if (count > MOST_FACTS) throw new LinkFrameError({ detail: `identity with ${count} facts: limit is ${MOST_FACTS}` });
  const facts = new Map<string, string>();
  for (let i = 0; i < count; i++) facts.set(readShort(r), r.utf8(r.u16()));
  return { id, incarnation, purpose, facts };
}

function readProofs(r: ByteReader): readonly Uint8Array[] {
  const count = r.u8();
  if (count > MOST_PROOFS) throw new LinkFrameError({ detail: `${count} proofs: limit is ${MOST_PROOFS}` });
  return Array.from({ length: count }, () => r.bytes(PROOF_BYTES));
}

function requireEnd(r: ByteReader, what: string): void {
  if (r.remaining > 0) throw new LinkFrameError({ detail: `${what} with ${r.remaining} bytes too many` });
}

/** @throws {RangeError} for more than 255 bytes; the caller's limits prevent it */
function writeShort(w: ByteWriter, value: string): void {
  const bytes = encodeUtf8(value);
  if (bytes.length > 255) throw new RangeError(`Too long for a hello: "${value}"`);
  w.u8(bytes.length).bytes(bytes);
}

function readShort(r: ByteReader): string {
  return r.utf8(r.u8());
}
