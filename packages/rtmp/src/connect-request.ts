/** What a client asks for with connect, in our words. RTMP 1.0 §7.2.1.1. */
import { type AmfObject, type AmfValue, entriesOf } from "@sluice/amf/value";
import { CLAIM_LIMITS, cutText } from "@sluice/base/claimed-text";
import { type PeerCapabilities, readCapabilities } from "./capabilities.ts";
import type { CommandMessage } from "./command-message.ts";
import { RtmpMessageError } from "./errors.ts";
import type { RtmpLimits } from "./limits.ts";
import { boundedName, queryOf, withoutQuery } from "./stream-name.ts";

/** Kept for as long as the connection stands, so that everything in it is bounded. */
export interface ConnectRequest {
  /** Without query and without slashes at its ends; may have several parts. */
  readonly app: string;
  /** As sent up to `ClaimLimits`, "" when left out. */
  readonly tcUrl: string;
  readonly flashVer: string;
  readonly swfUrl: string;
  readonly pageUrl: string;
  readonly objectEncoding: 0 | 3;
  /** Of `app`, or else of `tcUrl`; without "?". */
  readonly query: string;
  readonly capabilities: PeerCapabilities;
}

/** A connect command as it came; of any size up to that of a command. */
export interface ConnectCommand {
  readonly request: ConnectRequest;
  readonly commandObject: AmfObject;
  /** The client's own arguments, behind the command object. */
  readonly args: readonly AmfValue[];
}

/** @throws {RtmpMessageError} no command object; {RtmpLimitError} `app` or `tcUrl` too long */
export function readConnectCommand(command: CommandMessage, limits: RtmpLimits): ConnectCommand {
  const fields = entriesOf(command.commandObject);
  if (fields === undefined) throw new RtmpMessageError({ message: "connect", detail: "it has no command object" });
  const app = boundedName(text(fields["app"]), limits);
  const tcUrl = boundedName(text(fields["tcUrl"]), limits);
  const { agentCharacters, urlCharacters } = CLAIM_LIMITS;
  const request: ConnectRequest = {
    app: withoutQuery(app).replace(/^\/+|\/+$/g, ""),
    tcUrl: cutText(tcUrl, urlCharacters),
    flashVer: cutText(text(fields["flashVer"]), agentCharacters),
    swfUrl: cutText(text(fields["swfUrl"]), urlCharacters),
    pageUrl: cutText(text(fields["pageUrl"]), urlCharacters),
    objectEncoding: fields["objectEncoding"] === 3 ? 3 : 0,
    query: queryOf(app) || queryOf(tcUrl),
    capabilities: readCapabilities(fields),
  };
  return { request, commandObject: fields, args: command.args };
}

function text(value: AmfValue): string {
  return typeof value === "string" ? value : "";
}
