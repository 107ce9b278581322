/** What two members tell each other before the first message: who they are, and a proof of the secret. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { MemberFrameError, REFUSALS, type RefusalCode } from "./member-errors.ts";

/** Versions of the member protocol that this build speaks. */
export const MEMBER_VERSIONS = { oldest: 1, newest: 1 } as const;

/** "SLCM". */
const MAGIC = 0x534c_434d;
export const CLUSTER_ID_BYTES = 32;
export const STORE_ID_BYTES = 16;
export const NONCE_BYTES = 32;
export const PROOF_BYTES = 32;

/**
 * First frame, from the member that dialled.
 *
 * | field       | form              | meaning                                                   |
 * | ----------- | ----------------- | --------------------------------------------------------- |
 * | magic       | u32               | "SLCM"                                                    |
 * | oldest      | u8                | version range of the member protocol                      |
 * | newest      | u8                |                                                           |
 * | cluster id  | 32 bytes          | all zero: of no cluster yet                               |
 * | store id    | 16 bytes          | chosen when the store was made                            |
 * | nonce       | 32 bytes          |                                                           |
 * | from        | u8 length + UTF-8 | member id of the dialler                                  |
 * | to          | u8 length + UTF-8 | member id that it means to reach                          |
 * | address     | u8 length + UTF-8 | where the dialler itself can be dialled                   |
 * | clients     | u8 length + UTF-8 | where clients reach the dialler (RESP); empty: nowhere    |
 */
export interface MemberHello {
  readonly oldest: number;
  readonly newest: number;
  readonly clusterId: Uint8Array;
  readonly storeId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly from: string;
  readonly to: string;
  readonly address: string;
  readonly clients: string;
}

/** Second frame: u8 0, u8 version chosen, cluster id, store id, nonce, u8 length + id, 32 bytes of proof. */
export interface MemberWelcome {
  readonly version: number;
  readonly clusterId: Uint8Array;
  readonly storeId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly from: string;
}

export function encodeHello(hello: MemberHello): Uint8Array {
  const w = new ByteWriter(256).u32(MAGIC).u8(hello.oldest).u8(hello.newest);
  w.bytes(hello.clusterId).bytes(hello.storeId).bytes(hello.nonce);
  writeText(w, hello.from);
  writeText(w, hello.to);
  writeText(w, hello.address);
  writeText(w, hello.clients);
  return w.finish();
}

/** The views in the answer are of `frame`. @throws {WireError} */
export function decodeHello(frame: Uint8Array): MemberHello {
  const r = new ByteReader(frame);
  if (r.u32() !== MAGIC) throw new MemberFrameError({ detail: "this is no member of a cache" });
  const oldest = r.u8();
  const newest = r.u8();
  const clusterId = r.bytes(CLUSTER_ID_BYTES);
  const storeId = r.bytes(STORE_ID_BYTES);
  const nonce = r.bytes(NONCE_BYTES);
  const hello = {
    oldest,
    newest,
    clusterId,
    storeId,
    nonce,
    from: text(r),
    to: text(r),
    address: text(r),
    clients: text(r),
  };
  if (r.remaining > 0) throw new MemberFrameError({ detail: `hello with ${r.remaining} bytes too many` });
  if (hello.from === "") throw new MemberFrameError({ detail: "hello without a member id" });
  return hello;
}

/** Without the proof, which covers these bytes. */
export function encodeWelcome(welcome: MemberWelcome): Uint8Array {
  const w = new ByteWriter(256).u8(0).u8(welcome.version);
  w.bytes(welcome.clusterId).bytes(welcome.storeId).bytes(welcome.nonce);
  writeText(w, welcome.from);
  return w.finish();
}

/** @param frame  with the proof at its end. @throws {WireError} */
export function decodeWelcome(
  frame: Uint8Array,
): MemberWelcome & { readonly proof: Uint8Array; readonly signed: Uint8Array } {
  const r = new ByteReader(frame);
  r.skip(1);
  const version = r.u8();
  const clusterId = r.bytes(CLUSTER_ID_BYTES);
  const storeId = r.bytes(STORE_ID_BYTES);
  const nonce = r.bytes(NONCE_BYTES);
  const from = text(r);
  const signed = frame.subarray(0, r.offset);
  const proof = r.bytes(PROOF_BYTES);
  if (r.remaining > 0) throw new MemberFrameError({ detail: `welcome with ${r.remaining} bytes too many` });
  return { version, clusterId, storeId, nonce, from, signed, proof };
}

/** Instead of any frame of the handshake: u8 1, u8 reason. */
export function encodeRefusal(code: RefusalCode): Uint8Array {
  return Uint8Array.of(1, code);
}

/** The reason, when `frame` is a refusal. @throws {MemberFrameError} for a reason that does not exist */
export function readRefusal(frame: Uint8Array): RefusalCode | undefined {
  if (frame.length !== 2 || frame[0] !== 1) return undefined;
  const code = frame[1] as number;
  if (!(code in REFUSALS)) throw new MemberFrameError({ detail: `refusal of unknown kind ${code}` });
  return code as RefusalCode;
}

function writeText(w: ByteWriter, value: string): void {
  const bytes = encodeUtf8(value);
  if (bytes.length > 255) throw new RangeError(`Too long for a hello: "${value}"`);
  w.u8(bytes.length).bytes(bytes);
}

function text(r: ByteReader): string {
  return r.utf8(r.u8());
}
