/** What a RESP session refuses: bytes that are no request, and requests that cannot be carried out. */
import { WireError } from "@sluice/bytes/wire-error";
import type { OtherProtocol } from "./other-protocol.ts";

/** The bytes are out of step with the protocol: the client is told, and its connection ends. */
export class RespProtocolError extends WireError {
  override readonly name = "RespProtocolError";
  readonly code = "WIRE_RESP_PROTOCOL";
  readonly context: { readonly problem: string };
  /** @param context  the problem as the client is told */
  constructor(context: { readonly problem: string }) {
    super(`Cannot read RESP request: ${context.problem}`);
    this.context = context;
  }
}

/** The client speaks HTTP or TLS to a port of RESP: its connection ends before anything of it is carried out. */
export class OtherProtocolError extends WireError {
  override readonly name = "OtherProtocolError";
  readonly code = "WIRE_RESP_OTHER_PROTOCOL";
  readonly context: { readonly protocol: OtherProtocol };
  constructor(context: { readonly protocol: OtherProtocol }) {
    super(`Cannot read RESP request: the client speaks ${context.protocol}`);
    this.context = context;
  }
}

/** One request is answered with an error; the session goes on. */
export class CommandRefusal extends WireError {
  override readonly name = "CommandRefusal";
  readonly code = "WIRE_RESP_COMMAND";
  readonly context: { readonly reply: string };
  /** @param context  the whole error line as the client reads it, its code word first */
  constructor(context: { readonly reply: string }) {
    super(`Cannot do RESP command: ${context.reply}`);
    this.context = context;
  }
}

/** The command at the front waits until there is room for its reply; never leaves the session. */
export class ReplyHeld extends Error {
  override readonly name = "ReplyHeld";
}

export function refuse(reply: string): never {
  throw new CommandRefusal({ reply });
}

/** Begins an error that ends the transaction. */
export const EXEC_ABORTED = "EXECABORT Transaction discarded because of: ";

export const SYNTAX_ERROR = "ERR syntax error";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
