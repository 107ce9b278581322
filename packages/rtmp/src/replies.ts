/** Commands that answer other commands: results, errors, statuses. RTMP 1.0 §7.2. */
import type { AmfObject, AmfValue } from "@sluice/amf/value";
import type { CommandMessage } from "./command-message.ts";
import type { TransactionId } from "./ids.ts";

const NO_ANSWER = 0 as TransactionId;

/** Level, code and description, and whatever else belongs to the status. */
export interface Status {
  readonly level: "status" | "warning" | "error";
  readonly code: string;
  readonly description: string;
  readonly [key: string]: AmfValue;
}

export function resultOf(
  transactionId: TransactionId,
  values: readonly AmfValue[],
  commandObject: AmfValue = null,
): CommandMessage {
  return { name: "_result", transactionId, commandObject, args: values };
}

export function errorOf(
  transactionId: TransactionId,
  information: AmfObject,
  commandObject: AmfValue = null,
): CommandMessage {
  return { name: "_error", transactionId, commandObject, args: [information] };
}

export function statusOf(status: Status): CommandMessage {
  return callOf("onStatus", [status]);
}

/** A command that wants no answer. */
export function callOf(name: string, args: readonly AmfValue[]): CommandMessage {
  return { name, transactionId: NO_ANSWER, commandObject: null, args };
}
