/** Why two members do not talk to each other. */
import { WireError } from "@sluice/bytes/wire-error";

/** By number on the wire; a number is never used again for another reason. */
export const REFUSALS = {
  1: { reason: "wrong-secret", says: "the secrets differ" },
  2: { reason: "wrong-cluster", says: "it belongs to another cluster, or was started with another member list" },
  3: { reason: "wrong-target", says: "the address belongs to another member than the one that was meant" },
  4: { reason: "version", says: "no common version of the member protocol" },
  5: { reason: "own-id", says: "it carries this member's own id: two processes were started with one id" },
  6: {
    reason: "other-store",
    says: "its store is not the one known under its id: two processes share the id, or the store was lost; remove the member, then add it again",
  },
  7: { reason: "needs-secret", says: "it is beyond this machine, and no secret is set" },
} as const;

export type RefusalCode = keyof typeof REFUSALS;
export type Refusal = (typeof REFUSALS)[RefusalCode]["reason"];

export function codeOfRefusal(reason: Refusal): RefusalCode {
  for (const [code, refusal] of Object.entries(REFUSALS)) {
    if (refusal.reason === reason) return Number(code) as RefusalCode;
  }
  throw new RangeError(`No such refusal: ${reason}`);
}

/** Bytes on a member connection that no member sends. */
export class MemberFrameError extends WireError {
  override readonly name = "MemberFrameError";
  readonly code = "WIRE_MEMBER_FRAME";
  readonly context: { readonly detail: string };
  constructor(context: { readonly detail: string }) {
    super(`Cannot read from member connection: ${context.detail}`);
    this.context = context;
  }
}

/** One side of a member connection refuses the other; both say so in their logs. */
export class MemberRefusedError extends WireError {
  override readonly name = "MemberRefusedError";
  readonly code = "WIRE_MEMBER_REFUSED";
  readonly context: { readonly peer: string; readonly reason: Refusal; readonly by: "this side" | "the other side" };
  constructor(context: {
    readonly peer: string;
    readonly reason: Refusal;
    readonly by: "this side" | "the other side";
  }) {
    super(
      `Cannot talk with member "${context.peer}", refused by ${context.by}: ${REFUSALS[codeOfRefusal(context.reason)].says}`,
    );
    this.context = context;
  }
}
