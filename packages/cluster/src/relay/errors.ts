/** Error for unreadable bytes on the channels of streams. */
import { WireError } from "@sluice/bytes/wire-error";

/** Bytes on a channel of a stream that no known version sends. */
export class RelayFrameError extends WireError {
  override readonly name = "RelayFrameError";
  readonly code = "WIRE_RELAY_FRAME";
  readonly context: { readonly detail: string };
  constructor(context: RelayFrameError["context"]) {
    super(`Cannot read from the channel of a stream: ${context.detail}`);
    this.context = context;
  }
}
