/** The answers to connect. RTMP 1.0 §7.2.1.1; E-RTMP v2. */
import type { AmfObject } from "@sluice/amf/value";
import { answerCapabilities } from "./capabilities.ts";
import type { ConnectCommand } from "./connect-request.ts";
import { encodeSetPeerBandwidth } from "./control-message.ts";
import type { TransactionId } from "./ids.ts";
import type { MessageExchange } from "./message-exchange.ts";
import { errorOf, resultOf } from "./replies.ts";

export interface ConnectAcceptance {
  /** Beside or instead of our own properties. */
  readonly properties?: AmfObject;
  /** Beside or instead of our own information. */
  readonly information?: AmfObject;
}

export interface ConnectRefusal {
  readonly code?: "NetConnection.Connect.Rejected" | "NetConnection.Connect.InvalidApp";
  readonly description: string;
  /** Address that the client should go to instead. */
  readonly redirect?: string;
}

export interface OpeningSizes {
  readonly chunkSize: number;
  readonly windowAckSize: number;
}

/** A version that clients know: some read features off it. Capabilities and mode are those of the same time. */
const PROPERTIES: AmfObject = { fmsVer: "FMS/3,5,7,7009", capabilities: 31, mode: 1 };

/** Window, bandwidth and chunk size, then the result: one piece of output, since some clients wait for each. */
export function sendConnectResult(
  exchange: MessageExchange,
  transactionId: TransactionId,
  { request, commandObject }: ConnectCommand,
  sizes: OpeningSizes,
  acceptance: ConnectAcceptance,
): void {
  const { windowAckSize, chunkSize } = sizes;
  exchange.announceWindow(windowAckSize);
  exchange.sendBandwidth(encodeSetPeerBandwidth({ windowAckSize, limit: "dynamic" }));
  exchange.announceChunkSize(chunkSize);
  const capabilities = answerCapabilities(commandObject);
  const success = {
    level: "status",
    code: "NetConnection.Connect.Success",
    description: "Connection succeeded",
    objectEncoding: request.objectEncoding,
  };
  const information = { ...success, ...capabilities, ...acceptance.information };
  const properties = { ...PROPERTIES, ...capabilities, ...acceptance.properties };
  exchange.sendCommand(resultOf(transactionId, [information], properties));
}

export function sendConnectError(
  exchange: MessageExchange,
  transactionId: TransactionId,
  refusal: ConnectRefusal,
): void {
  const { code = "NetConnection.Connect.Rejected", description, redirect } = refusal;
  const ex = redirect === undefined ? {} : { ex: { code: 302, redirect } };
  exchange.sendCommand(errorOf(transactionId, { level: "error", code, description, ...ex }, PROPERTIES));
}
