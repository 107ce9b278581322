/** What a client asks for with connect, in our words. RTMP 1.0 §7.2.1.1. */
import { type AmfObject, type AmfValue, entriesOf } from "@sluice/amf/value";
import { type PeerCapabilities, readCapabilities } from "./capabilities.ts";
import type { CommandMessage } from "./command-message.ts";
import { RtmpMessageError } from "./errors.ts";
import { queryOf, withoutQuery } from "./stream-name.ts";

export interface ConnectRequest {
  /** Without query and without slashes at its ends; may have several parts. */
  readonly app: string;
  /** As sent, "" when left out. */
  readonly tcUrl: string;
  readonly flashVer: string;
  readonly swfUrl: string;
  readonly pageUrl: string;
  readonly objectEncoding: 0 | 3;
  /** Of `app`, or else of `tcUrl`; without "?". */
  readonly query: string;
  /** The client's own arguments, behind the command object. */
  readonly args: readonly AmfValue[];
  readonly capabilities: PeerCapabilities;
  readonly rawCommandObject: AmfObject;
}

/** @throws {RtmpMessageError} no command object */
export function readConnectRequest(command: CommandMessage): ConnectRequest {
  const fields = entriesOf(command.commandObject);
  if (fields === undefined) throw new RtmpMessageError({ message: "connect", detail: "it has no command object" });
  const app = text(fields["app"]);
  const tcUrl = text(fields["tcUrl"]);
  return {
    app: withoutQuery(app).replace(/^\/+|\/+$/g, ""),
    tcUrl,
    flashVer: text(fields["flashVer"]),
    swfUrl: text(fields["swfUrl"]),
    pageUrl: text(fields["pageUrl"]),
    objectEncoding: fields["objectEncoding"] === 3 ? 3 : 0,
    query: queryOf(app) || queryOf(tcUrl),
    args: command.args,
    capabilities: readCapabilities(fields),
    rawCommandObject: fields,
  };
}

function text(value: AmfValue): string {
  return typeof value === "string" ? value : "";
}
