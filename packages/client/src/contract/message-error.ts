/** How the bytes of a message can fail. */

/** What is no message of `sluice.v1`: no JSON, no MessagePack of its rules, no object with a type, a value that it has no word for. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
  readonly code = "WIRE_SLUICE_MESSAGE";
  /**
   * @property id  of the request, where the message could be read as far as that; it is to be refused and nothing else
   * @property path  of the value that is wrong, where one is
   */
  readonly context: { readonly problem: string; readonly id?: number; readonly path?: string };
  constructor(context: MalformedMessageError["context"]) {
    super(`Cannot read a message: ${context.problem}`);
    this.context = context;
  }
}
