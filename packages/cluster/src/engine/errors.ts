/** Error for unreadable bytes on the channels of the engine. */
import { WireError } from "@sluice/bytes/wire-error";

/** Bytes on a channel of the engine that no known version sends. */
export class EngineFrameError extends WireError {
  override readonly name = "EngineFrameError";
  readonly code = "WIRE_ENGINE_FRAME";
  readonly context: { readonly detail: string };
  constructor(context: EngineFrameError["context"]) {
    super(`Cannot read from a channel of the engine: ${context.detail}`);
    this.context = context;
  }
}
