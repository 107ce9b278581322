/** Errors of calls to any state engine. */
import { StateError, UnavailableError } from "@sluice/base/errors";
import { LimitError } from "@sluice/bytes/wire-error";
import { type Epoch, formatEpoch } from "./epoch.ts";

/** The engine did not answer, or refused for its own reason. With `isUnknown` a write may or may not have happened. */
export class EngineUnavailableError extends UnavailableError {
  override readonly name = "EngineUnavailableError";
  readonly code = "UNAVAILABLE_ENGINE";
  readonly context: {
    readonly engine: string;
    /** The call that failed: `get`, `cas`, `lease`, … */
    readonly action: string;
    readonly reason: string;
    readonly isUnknown: boolean;
  };
  constructor(context: EngineUnavailableError["context"], options?: { readonly cause?: unknown }) {
    super(`Cannot ${context.action} in engine "${context.engine}": ${context.reason}`, options);
    this.context = context;
  }
  /** The write may have happened, or may still happen: read before writing again. False: it did not and will not happen. */
  get isUnknown(): boolean {
    return this.context.isUnknown;
  }
}

/** A lease is released, expired or lost. The write to be bound to it was not made. */
export class EngineLeaseLostError extends UnavailableError {
  override readonly name = "EngineLeaseLostError";
  readonly code = "UNAVAILABLE_ENGINE_LEASE_LOST";
  readonly context: { readonly token: Epoch };
  constructor(context: EngineLeaseLostError["context"]) {
    super(`Cannot act under lease ${formatEpoch(context.token)}: it is gone`);
    this.context = context;
  }
}

/** A call to an engine that was closed. */
export class EngineClosedError extends StateError {
  override readonly name = "EngineClosedError";
  readonly code = "STATE_ENGINE_CLOSED";
  readonly context: { readonly action: string };
  constructor(context: EngineClosedError["context"]) {
    super(`Cannot ${context.action}: the engine is closed`);
    this.context = context;
  }
}

/** An argument that no engine accepts: a key, a time to live or a sequence. */
export class EngineArgumentError extends StateError {
  override readonly name = "EngineArgumentError";
  readonly code = "STATE_ENGINE_ARGUMENT";
  readonly context: { readonly argument: string; readonly problem: string };
  constructor(context: EngineArgumentError["context"]) {
    super(`Cannot take ${context.argument}: ${context.problem}`);
    this.context = context;
  }
}

/** A key, prefix, subject or log name above `EngineLimits.keyBytes`. */
export class EngineKeyTooLongError extends LimitError {
  override readonly name = "EngineKeyTooLongError";
  readonly code = "LIMIT_ENGINE_KEY_BYTES";
  readonly context: { readonly bytes: number; readonly limit: number };
  constructor(context: EngineKeyTooLongError["context"]) {
    super(`Cannot take a key of ${context.bytes} bytes: limit is ${context.limit}`);
    this.context = context;
  }
}

/** A value, message or record above the engine's `maxValueBytes`. */
export class EngineValueTooLongError extends LimitError {
  override readonly name = "EngineValueTooLongError";
  readonly code = "LIMIT_ENGINE_VALUE_BYTES";
  readonly context: { readonly bytes: number; readonly limit: number };
  constructor(context: EngineValueTooLongError["context"]) {
    super(`Cannot take a value of ${context.bytes} bytes: limit is ${context.limit}`);
    this.context = context;
  }
}

/** More watches and subscriptions, or leases, open at once than `EngineLimits` allows. */
export class EngineCrowdedError extends LimitError {
  override readonly name = "EngineCrowdedError";
  readonly code = "LIMIT_ENGINE_OPEN";
  readonly context: { readonly what: "readers" | "leases"; readonly limit: number };
  constructor(context: EngineCrowdedError["context"]) {
    super(`Cannot open one more of ${context.what}: limit is ${context.limit}`);
    this.context = context;
  }
}
