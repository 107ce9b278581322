/** Errors of engines on an external server, beyond those of the port. */
import { UnavailableError } from "@sluice/base/errors";
import { LimitError } from "@sluice/bytes/wire-error";

/** The server behind an engine is too old, or lacks a part that the engine needs. */
export class EngineServerUnfitError extends UnavailableError {
  override readonly name = "EngineServerUnfitError";
  readonly code = "UNAVAILABLE_ENGINE_SERVER_UNFIT";
  readonly context: { readonly engine: string; readonly serverVersion: string; readonly problem: string };
  constructor(context: EngineServerUnfitError["context"], options?: { readonly cause?: unknown }) {
    const server = context.serverVersion === "" ? "the server" : `server ${context.serverVersion}`;
    super(`Cannot open engine "${context.engine}" on ${server}: ${context.problem}`, options);
    this.context = context;
  }
}

/** The limit of calls in progress to the engine's server was reached. */
export class EngineOverloadedError extends LimitError {
  override readonly name = "EngineOverloadedError";
  readonly code = "LIMIT_ENGINE_CALLS";
  readonly context: { readonly calls: number; readonly bytes: number };
  constructor(context: EngineOverloadedError["context"]) {
    super(`Cannot call the engine: ${context.calls} calls with ${context.bytes} bytes wait for its server`);
    this.context = context;
  }
}
