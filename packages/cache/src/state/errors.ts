/** Errors of the decoders of operations, answers and snapshots, and of callers of the state. */
import { StateError } from "@sluice/base/errors";
import { WireError } from "@sluice/bytes/wire-error";

/** Bytes that are not an operation or an answer of this version. */
export class OperationBytesError extends WireError {
  override readonly name = "OperationBytesError";
  readonly code = "WIRE_CACHE_OPERATION";
  readonly context: { readonly field: string; readonly value: number | string };
  constructor(context: { readonly field: string; readonly value: number | string }) {
    super(`Cannot read cache operation: ${context.field} is ${context.value}`);
    this.context = context;
  }
}

/** A snapshot that is truncated, damaged, or of another version. */
export class SnapshotBytesError extends WireError {
  override readonly name = "SnapshotBytesError";
  readonly code = "WIRE_CACHE_SNAPSHOT";
  readonly context: { readonly problem: string; readonly offset: number };
  constructor(context: { readonly problem: string; readonly offset: number }) {
    super(`Cannot restore snapshot: ${context.problem} at byte ${context.offset}`);
    this.context = context;
  }
}

/** A snapshot was left open while too many later ones were begun; its blocks were released. */
export class SnapshotEndedError extends StateError {
  override readonly name = "SnapshotEndedError";
  readonly code = "STATE_CACHE_SNAPSHOT_ENDED";
  readonly context: { readonly openSnapshots: number };
  constructor(context: { readonly openSnapshots: number }) {
    super(`Cannot take more of the snapshot: ${context.openSnapshots} later ones were begun`);
    this.context = context;
  }
}
