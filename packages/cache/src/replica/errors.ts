/** Errors in a member's bytes, in its stored log, and between two logs that must agree. */
import { StateError } from "@sluice/base/errors";
import { LimitError, WireError } from "@sluice/bytes/wire-error";

/** A member message, or a record inside one, that contradicts the protocol. */
export class MemberMessageError extends WireError {
  override readonly name = "MemberMessageError";
  readonly code = "WIRE_CACHE_MEMBER_MESSAGE";
  readonly context: { readonly what: string; readonly value: number | string };
  constructor(context: { readonly what: string; readonly value: number | string }) {
    super(`Cannot read member message: ${context.what} is ${context.value}`);
    this.context = context;
  }
}

/** A member message, or a part of one, that exceeds a limit of this member. */
export class MemberMessageLimitError extends LimitError {
  override readonly name = "MemberMessageLimitError";
  readonly code = "LIMIT_CACHE_MEMBER_MESSAGE";
  readonly context: { readonly what: string; readonly value: number; readonly limit: number };
  constructor(context: { readonly what: string; readonly value: number; readonly limit: number }) {
    super(`Cannot accept member message: ${context.what} of ${context.value}, limit is ${context.limit}`);
    this.context = context;
  }
}

/** The log read from disk at start is invalid: it has a gap, or decreasing terms. */
export class StoredLogError extends WireError {
  override readonly name = "StoredLogError";
  readonly code = "WIRE_CACHE_STORED_LOG";
  readonly context: { readonly what: string; readonly index: number; readonly expected: number };
  constructor(context: { readonly what: string; readonly index: number; readonly expected: number }) {
    super(`Cannot start from stored log: ${context.what} at index ${context.index}, expected ${context.expected}`);
    this.context = context;
  }
}

/** A leader's log contradicts a record committed here: its data belongs to another cluster, or is damaged. */
export class CommittedLogError extends WireError {
  override readonly name = "CommittedLogError";
  readonly code = "WIRE_CACHE_COMMITTED_LOG";
  readonly context: { readonly index: number; readonly commit: number };
  constructor(context: { readonly index: number; readonly commit: number }) {
    super(`Cannot follow leader: its log differs at index ${context.index}, and ${context.commit} is committed here`);
    this.context = context;
  }
}

/** The driver called a halted replica, or reported a store that was never requested. */
export class ReplicaStateError extends StateError {
  override readonly name = "ReplicaStateError";
  readonly code = "STATE_CACHE_REPLICA";
  readonly context: { readonly what: string };
  constructor(context: { readonly what: string }) {
    super(`Cannot drive replica: ${context.what}`);
    this.context = context;
  }
}
