/** What a claimant may do about the row that stands: the rules of claims, without any state. */
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import type { HomeFields, HomeKind, HomeRow } from "./rows.ts";

export interface Claimant {
  readonly kind: HomeKind;
  readonly wanted: HomeFields;
  /** It acts as home already, provisionally or under a lease that has run out: it yields to whoever has been confirmed. */
  readonly isHolding: boolean;
  /** Epoch of the present home, which handed over to this node. */
  readonly takesFrom: Epoch | undefined;
  readonly ifTaken: "wait" | "yield";
}

export type Verdict =
  /** Compare-and-set the row at once. */
  | { readonly act: "write" }
  /** Until the row is gone, which its lease sees to. */
  | { readonly act: "wait" }
  | { readonly act: "yield" };

const WRITE: Verdict = { act: "write" };

/** @param standing  `unreadable`: a row of a version that this one cannot read */
export function judgeClaim(claimant: Claimant, standing: HomeRow | "unreadable" | undefined): Verdict {
  const { kind, wanted, isHolding, takesFrom, ifTaken } = claimant;
  if (standing === undefined) return WRITE;
  const other: Verdict = { act: isHolding ? "yield" : ifTaken };
  if (standing === "unreadable") return other;
  // This very life's own row: an earlier answer was lost, the lease is a new one, or its own policy replaces a publication.
  if (standing.home === wanted.home && standing.incarnation === wanted.incarnation) return WRITE;
  if (isHolding) return other;
  if (takesFrom !== undefined && compareEpochs(standing.epoch, takesFrom) === 0) return WRITE;
  // (publication, sequence) makes two homes of one publication harmless for a moment, so nobody waits for a lease.
  if (kind === "stream" && standing.publication === wanted.publication) return WRITE;
  return other;
}
