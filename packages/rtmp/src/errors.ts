/** What can be wrong with a peer's RTMP, or with the way our own caller uses an engine. */
import { StateError } from "@sluice/base/errors";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import type { RtmpLimits } from "./limits.ts";

/** The first byte is no RTMP version that this side speaks. */
export class RtmpVersionError extends WireError {
  override readonly name = "RtmpVersionError";
  readonly code = "WIRE_RTMP_VERSION";
  readonly context: { readonly version: number };
  constructor(context: { readonly version: number }) {
    super(`Cannot read handshake: version byte is ${context.version}, expected 3`);
    this.context = context;
  }
}

/** Version 6 or 8: the encrypted variant, which is refused. */
export class RtmpeRefusedError extends WireError {
  override readonly name = "RtmpeRefusedError";
  readonly code = "WIRE_RTMP_RTMPE";
  readonly context: { readonly version: number };
  constructor(context: { readonly version: number }) {
    super(`Cannot accept handshake: version ${context.version} is RTMPE, use RTMPS instead`);
    this.context = context;
  }
}

/** The peer speaks HTTP. */
export class HttpOnRtmpPortError extends WireError {
  override readonly name = "HttpOnRtmpPortError";
  readonly code = "WIRE_RTMP_HTTP_ON_PORT";
  readonly context: { readonly verb: string };
  constructor(context: { readonly verb: string }) {
    super(`Cannot read handshake: peer sent an HTTP "${context.verb}" request to the RTMP port`);
    this.context = context;
  }
}

/** The peer opened TLS where plain RTMP is spoken. */
export class TlsOnRtmpPortError extends WireError {
  override readonly name = "TlsOnRtmpPortError";
  readonly code = "WIRE_RTMP_TLS_ON_PORT";
  readonly context: Readonly<Record<string, never>> = {};
  constructor() {
    super("Cannot read handshake: peer opened TLS on the plain RTMP port");
  }
}

/** A chunk or a message whose fields contradict RTMP. */
export class RtmpMessageError extends WireError {
  override readonly name = "RtmpMessageError";
  readonly code = "WIRE_RTMP_MESSAGE";
  readonly context: { readonly message: string; readonly detail: string };
  constructor(context: { readonly message: string; readonly detail: string }) {
    super(`Cannot read ${context.message}: ${context.detail}`);
    this.context = context;
  }
}

/** A command that is not legal now, such as a second connect. */
export class RtmpDialogueError extends WireError {
  override readonly name = "RtmpDialogueError";
  readonly code = "WIRE_RTMP_DIALOGUE";
  readonly context: { readonly command: string; readonly phase: string };
  constructor(context: { readonly command: string; readonly phase: string }) {
    super(`Cannot follow "${context.command}": not legal in phase "${context.phase}"`);
    this.context = context;
  }
}

/** The peer passed one of `RtmpLimits`. */
export class RtmpLimitError extends LimitError {
  override readonly name = "RtmpLimitError";
  readonly code = "LIMIT_RTMP";
  readonly context: { readonly limit: keyof RtmpLimits; readonly value: number; readonly maximum: number };
  constructor(context: { readonly limit: keyof RtmpLimits; readonly value: number; readonly maximum: number }) {
    super(`Cannot go on with RTMP peer: ${context.limit} would be ${context.value}, limit is ${context.maximum}`);
    this.context = context;
  }
}

/** An engine was asked for something that its phase does not allow. */
export class RtmpOrderError extends StateError {
  override readonly name = "RtmpOrderError";
  readonly code = "STATE_RTMP_ORDER";
  readonly context: { readonly action: string; readonly phase: string };
  constructor(context: { readonly action: string; readonly phase: string }) {
    super(`Cannot ${context.action}: engine is in phase "${context.phase}"`);
    this.context = context;
  }
}
