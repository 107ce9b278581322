/** Why a link between members ends beyond what every link refuses. */
import { WireError } from "@sluice/bytes/wire-error";

/** Bytes on a member connection that no member sends. */
export class MemberFrameError extends WireError {
  override readonly name = "MemberFrameError";
  readonly code = "WIRE_MEMBER_FRAME";
  readonly context: { readonly detail: string };
  constructor(context: { readonly detail: string }) {
    super(`Cannot read from member connection: ${context.detail}`);
    this.context = context;
  }
}
