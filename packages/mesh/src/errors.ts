/** Why a link ends or cannot be opened. */
import { StateError } from "@sluice/base/errors";
import { WireError } from "@sluice/bytes/wire-error";

/** Numbers as on the wire; a number is never reused for another reason. */
export const REFUSALS = {
  1: { reason: "wrong-secret", says: "the secrets differ" },
  2: { reason: "wrong-cluster", says: "it belongs to another cluster, or was started with another member list" },
  3: { reason: "wrong-target", says: "the address belongs to another node than the one that was meant" },
  4: { reason: "version", says: "no common version of the link protocol" },
  5: { reason: "own-id", says: "it carries this node's own id: two processes were started with one id" },
  6: {
    reason: "other-store",
    says: "its store is not the one known under its id: two processes share the id, or the store was lost; remove the member, then add it again",
  },
  7: { reason: "self", says: "the address is this process's own" },
  8: { reason: "duplicate", says: "another link between the two is kept" },
  9: { reason: "other-purpose", says: "it links nodes of another kind: a cache member met a media node" },
  10: { reason: "refused", says: "an application or an operator refused it" },
  11: { reason: "needs-secret", says: "it is beyond this machine, and no secret is set" },
  12: { reason: "twin", says: "another process runs under its id: each node needs an id of its own (node.id)" },
  13: {
    reason: "earlier-life",
    says: "a later life of its id is known: another process runs under the id, or the clock of its machine went back while its data was lost",
  },
} as const;

export type RefusalCode = keyof typeof REFUSALS;
export type Refusal = (typeof REFUSALS)[RefusalCode]["reason"];

export function codeOfRefusal(reason: Refusal): RefusalCode {
  for (const [code, refusal] of Object.entries(REFUSALS)) {
    if (refusal.reason === reason) return Number(code) as RefusalCode;
  }
  throw new RangeError(`No such refusal: ${reason}`);
}

/** Bytes on a link that no known version sends. */
export class LinkFrameError extends WireError {
  override readonly name = "LinkFrameError";
  readonly code = "WIRE_LINK_FRAME";
  readonly context: { readonly detail: string };
  constructor(context: { readonly detail: string }) {
    super(`Cannot read from link: ${context.detail}`);
    this.context = context;
  }
}

/** One side of a link refused the other; both sides know the reason. */
export class LinkRefusedError extends WireError {
  override readonly name = "LinkRefusedError";
  readonly code = "WIRE_LINK_REFUSED";
  readonly context: { readonly peer: string; readonly reason: Refusal; readonly by: "this side" | "the other side" };
  constructor(context: {
    readonly peer: string;
    readonly reason: Refusal;
    readonly by: "this side" | "the other side";
  }) {
    const { peer, reason, by } = context;
    super(
      `Cannot link${peer === "" ? "" : ` with "${peer}"`}, refused by ${by}: ${REFUSALS[codeOfRefusal(reason)].says}`,
    );
    this.context = context;
  }
}

/** A channel was used after it closed, or more channels were opened than the limit allows: a fault of this process. */
export class ChannelStateError extends StateError {
  override readonly name = "ChannelStateError";
  readonly code = "STATE_LINK_CHANNEL";
  readonly context: { readonly detail: string };
  constructor(context: { readonly detail: string }) {
    super(`Cannot use channel: ${context.detail}`);
    this.context = context;
  }
}
