/** Decides what a claimant may do about an existing row: the rules of claims, without state. */
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import type { HomeFields, HomeKind, HomeRow } from "./rows.ts";

export interface Claimant {
  readonly kind: HomeKind;
  readonly wanted: HomeFields;
  /** It already acts as home, provisionally or with an expired lease: it yields to any confirmed home. */
  readonly isHolding: boolean;
  /** Epoch of the present home, which handed over to this node. */
  readonly takesFrom: Epoch | undefined;
  readonly ifTaken: "wait" | "yield";
}

export type Verdict =
  /** Compare-and-set the row at once. */
  | { readonly act: "write" }
  /** Wait until the lease of the row has run out. */
  | { readonly act: "wait" }
  | { readonly act: "yield" };

const WRITE: Verdict = { act: "write" };

/** @param standing  `unreadable`: a row of an unknown version */
export function judgeClaim(claimant: Claimant, standing: HomeRow | "unreadable" | undefined): Verdict {
  const { kind, wanted, isHolding, takesFrom, ifTaken } = claimant;
  if (standing === undefined) return WRITE;
  const other: Verdict = { act: isHolding ? "yield" : ifTaken };
  if (standing === "unreadable") return other;
  // This incarnation's own row: an earlier answer was lost, the lease is new, or the node's own policy replaces a publication.
  if (standing.home === wanted.home && standing.incarnation === wanted.incarnation) return WRITE;
  if (isHolding) return other;
  if (takesFrom !== undefined && compareEpochs(standing.epoch, takesFrom) === 0) return WRITE;
  // (publication, sequence) makes two homes of one publication harmless for a moment: no need to wait for a lease.
  if (kind === "stream" && standing.publication === wanted.publication) return WRITE;
  return other;
}
