/** What the replicated log drives: the same records in the same order give the same state on every member. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "./ids.ts";

export interface AppliedAt {
  readonly index: LogIndex;
  readonly term: Term;
  /** The leader's wall clock when it took the operation: the only time that the state may know. Never goes back. */
  readonly time: Millis;
}

export interface StateMachine<Answer> {
  /** Never throws: an operation that cannot be done is answered so, alike on every member. */
  apply(operation: Uint8Array, at: AppliedAt): Answer;
  /** What applying has cost so far, in units of a microsecond or so; only differences mean anything. */
  readonly work: number;
  /** The whole state as it stands, in pieces; later changes do not show in pieces not yet taken. */
  snapshot(): Iterable<Uint8Array>;
  /** Replaces the whole state. @throws {WireError} when the pieces are no whole snapshot; then the state is as before */
  restore(pieces: Iterable<Uint8Array>): void;
  /** Bytes that `snapshot` would give, roughly. */
  readonly snapshotBytes: number;
}
