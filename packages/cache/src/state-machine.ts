/** The port that the replicated log drives: equal records in equal order give equal state on every member. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "./ids.ts";

export interface AppliedAt {
  readonly index: LogIndex;
  readonly term: Term;
  /** The leader's wall clock when it took the operation: the only time that the state may use. Never goes back. */
  readonly time: Millis;
}

export interface StateMachine<Answer> {
  /** Never throws: an operation that cannot be executed gets an answer that says so, equal on every member. */
  apply(operation: Uint8Array, at: AppliedAt): Answer;
  /** Work of applying so far, in units of about a microsecond; only differences are meaningful. */
  readonly work: number;
  /** The whole present state in pieces; later changes do not affect pieces not yet taken. */
  snapshot(): Iterable<Uint8Array>;
  /** Replaces the whole state. @throws {WireError} for an incomplete snapshot; the state is unchanged then */
  restore(pieces: Iterable<Uint8Array>): void;
  /** Approximate bytes of a snapshot. */
  readonly snapshotBytes: number;
}
