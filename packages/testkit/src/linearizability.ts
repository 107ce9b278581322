/** Checks histories: could one register per key, executing one operation at a time, have given these answers at these times? */
import type { RegisterOperation } from "./history.ts";
import { findOrder } from "./linearization-search.ts";
import { explain, smallestViolation } from "./violation.ts";

export type Verdict =
  | { readonly verdict: "linearizable"; readonly keyCount: number; readonly operationCount: number }
  /** `operations`: a small set that contradicts itself, in the order of the calls. */
  | {
      readonly verdict: "violation";
      readonly key: string;
      readonly operations: readonly RegisterOperation[];
      readonly explanation: string;
    }
  /** Too many orders to try: fewer operations without an answer, or less concurrency, helps. */
  | { readonly verdict: "undecided"; readonly key: string; readonly operationCount: number };

export interface CheckOptions {
  /** Steps per key before it is `undecided`. */
  readonly maxSteps?: number;
}

/** Checks each key alone, which is sufficient (Herlihy and Wing: linearizability is local). */
export function checkHistory(history: readonly RegisterOperation[], options: CheckOptions = {}): Verdict {
  const byKey = Map.groupBy(history, (operation) => operation.key);
  let undecided: Verdict | undefined;
  for (const [key, operations] of byKey) {
    const { found } = findOrder(operations, options);
    if (found === "too-much-work") undecided ??= { verdict: "undecided", key, operationCount: operations.length };
    if (found !== "none") continue;
    const few = smallestViolation(operations, options.maxSteps);
    return { verdict: "violation", key, operations: few, explanation: explain(key, few) };
  }
  return undecided ?? { verdict: "linearizable", keyCount: byKey.size, operationCount: history.length };
}

/** @throws {Error} with the explanation, or if undecided */
export function assertLinearizable(history: readonly RegisterOperation[], options: CheckOptions = {}): void {
  const verdict = checkHistory(history, options);
  if (verdict.verdict === "violation") throw new Error(verdict.explanation);
  if (verdict.verdict === "undecided") {
    throw new Error(`Cannot judge the ${verdict.operationCount} operations of key "${verdict.key}": too much work`);
  }
}
