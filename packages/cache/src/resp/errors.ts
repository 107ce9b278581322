/** Errors of a RESP session: invalid bytes, and requests that cannot be executed. */
import { WireError } from "@sluice/bytes/wire-error";
import type { OtherProtocol } from "./other-protocol.ts";

/** The bytes violate the protocol: the client gets an error, and its connection ends. */
export class RespProtocolError extends WireError {
  override readonly name = "RespProtocolError";
  readonly code = "WIRE_RESP_PROTOCOL";
  readonly context: { readonly problem: string };
  /** @param context  the problem, as sent to the client */
  constructor(context: { readonly problem: string }) {
    super(`Cannot read RESP request: ${context.problem}`);
    this.context = context;
  }
}

/** The client speaks HTTP or TLS on the RESP port: its connection ends before any of it is executed. */
export class OtherProtocolError extends WireError {
  override readonly name = "OtherProtocolError";
  readonly code = "WIRE_RESP_OTHER_PROTOCOL";
  readonly context: { readonly protocol: OtherProtocol };
  constructor(context: { readonly protocol: OtherProtocol }) {
    super(`Cannot read RESP request: the client speaks ${context.protocol}`);
    this.context = context;
  }
}

/** One request is answered with an error; the session continues. */
export class CommandRefusal extends WireError {
  override readonly name = "CommandRefusal";
  readonly code = "WIRE_RESP_COMMAND";
  readonly context: { readonly reply: string };
  /** @param context  the whole error line sent to the client, beginning with its code word */
  constructor(context: { readonly reply: string }) {
    super(`Cannot do RESP command: ${context.reply}`);
    this.context = context;
  }
}

/** The first command waits until there is room for its reply; never leaves the session. */
export class ReplyHeld extends Error {
  override readonly name = "ReplyHeld";
}

export function refuse(reply: string): never {
  throw new CommandRefusal({ reply });
}

/** Prefix of an error that ends the transaction. */
export const EXEC_ABORTED = "EXECABORT Transaction discarded because of: ";

export const SYNTAX_ERROR = "ERR syntax error";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
