/** Calls between members: requests of a follower to the leader for its own users, and the replies. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import type { StoreFailure } from "@sluice/cache/resp/command-backend";
import { decodeAnswer, encodeAnswer } from "@sluice/cache/state/answer-codec";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import { WireError } from "@sluice/bytes/wire-error";

/** Bytes on a member connection that no known version sends. */
export class MemberFrameError extends WireError {
  override readonly name = "MemberFrameError";
  readonly code = "WIRE_MEMBER_FRAME";
  readonly context: { readonly detail: string };
  constructor(context: { readonly detail: string }) {
    super(`Cannot read from member connection: ${context.detail}`);
    this.context = context;
  }
}

/** An operator's change of the members; the leader carries it out. */
export type MemberOrder =
  | { readonly type: "remove"; readonly id: string }
  /** Removed, and added again with its present store, as soon as that store is running. */
  | { readonly type: "replace"; readonly id: string };

export interface MemberCall {
  /** Chosen by the caller; returned with the reply. */
  readonly id: number;
  readonly ask: /** An encoded operation to propose. */
    | { readonly type: "write"; readonly operation: Uint8Array }
    /** Ask for the index up to which a read must have applied. */
    | { readonly type: "barrier" }
    /** An order of an operator. */
    | { readonly type: "order"; readonly order: MemberOrder };
}

export type CallOutcome =
  | { readonly type: "answer"; readonly answer: OperationAnswer }
  | { readonly type: "barrier"; readonly index: number }
  /** The order was carried out. */
  | { readonly type: "ordered" }
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "failed"; readonly failure: StoreFailure };

const FAILURES: readonly StoreFailure[] = [
  "not-leader",
  "no-leader",
  "overloaded",
  "storage-failed",
  "unknown-outcome",
  "too-large",
  "removed",
];

/** u32 id, u8 kind: 0 a barrier; 1 a write, then the operation; 2 a removal or 3 a replacement, then the member's id. */
export function encodeCall({ id, ask }: MemberCall): Uint8Array {
  const w = new ByteWriter(ask.type === "write" ? ask.operation.length + 5 : 5).u32(id);
  if (ask.type === "barrier") w.u8(0);
  else if (ask.type === "write") w.u8(1).bytes(ask.operation);
  else w.u8(ask.order.type === "remove" ? 2 : 3).bytes(Buffer.from(ask.order.id));
  return w.finish();
}

/** The operation is a view of `bytes`. @throws {WireError} */
export function decodeCall(bytes: Uint8Array): MemberCall {
  const r = new ByteReader(bytes);
  const id = r.u32();
  const kind = r.u8();
  if (kind > 3 || (kind === 0 && r.remaining > 0))
    throw new MemberFrameError({ detail: `call of unknown kind ${kind}` });
  if (kind === 0) return { id, ask: { type: "barrier" } };
  if (kind === 1) return { id, ask: { type: "write", operation: r.rest() } };
  const order: MemberOrder = { type: kind === 2 ? "remove" : "replace", id: Buffer.from(r.rest()).toString() };
  return { id, ask: { type: "order", order } };
}

/** u32 id, u8 0 and an encoded answer, 1 and an index (f64), 2 and a failure (u8), 3, or 4 and a reason (UTF-8). */
export function encodeReply(id: number, outcome: CallOutcome): Uint8Array {
  const w = new ByteWriter(64).u32(id);
  if (outcome.type === "answer") w.u8(0).bytes(encodeAnswer(outcome.answer));
  else if (outcome.type === "barrier") w.u8(1).f64(outcome.index);
  else if (outcome.type === "ordered") w.u8(3);
  else if (outcome.type === "refused") w.u8(4).bytes(Buffer.from(outcome.reason));
  else w.u8(2).u8(FAILURES.indexOf(outcome.failure));
  return w.finish();
}

/** @throws {WireError} */
export function decodeReply(bytes: Uint8Array): { readonly id: number; readonly outcome: CallOutcome } {
  const r = new ByteReader(bytes);
  const id = r.u32();
  const kind = r.u8();
  if (kind === 0) return { id, outcome: { type: "answer", answer: decodeAnswer(r.rest()) } };
  if (kind === 4) return { id, outcome: { type: "refused", reason: Buffer.from(r.rest()).toString() } };
  const outcome: CallOutcome =
    kind === 1
      ? { type: "barrier", index: r.f64() }
      : kind === 3
        ? { type: "ordered" }
        : { type: "failed", failure: failure(kind, r) };
  if (r.remaining > 0) throw new MemberFrameError({ detail: `reply with ${r.remaining} bytes too many` });
  return { id, outcome };
}

function failure(kind: number, r: ByteReader): StoreFailure {
  const found = kind === 2 ? FAILURES[r.u8()] : undefined;
  if (found === undefined) throw new MemberFrameError({ detail: `reply of unknown kind ${kind}` });
  return found;
}

/** u16 length of the subject, the subject, the message. */
export function encodePublish(subject: Uint8Array, message: Uint8Array): Uint8Array {
  return new ByteWriter(subject.length + message.length + 2).u16(subject.length).bytes(subject).bytes(message).finish();
}

/** Views of `bytes`. @throws {WireError} */
export function decodePublish(bytes: Uint8Array): { readonly subject: Uint8Array; readonly message: Uint8Array } {
  const r = new ByteReader(bytes);
  return { subject: r.bytes(r.u16()), message: r.rest() };
}
