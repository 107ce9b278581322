/** Commands: a name, a transaction id, an object and arguments, in AMF. RTMP 1.0 §7.1.1. */
import { decodeAmf0Values } from "@sluice/amf/amf0-decode";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import type { AmfValue } from "@sluice/amf/value";
import { RtmpMessageError } from "./errors.ts";
import type { TransactionId } from "./ids.ts";
import { MESSAGE_TYPE } from "./message.ts";

export interface CommandMessage {
  readonly name: string;
  readonly transactionId: TransactionId;
  /** The second argument by position: an object for connect and results, null for most others. */
  readonly commandObject: AmfValue;
  readonly args: readonly AmfValue[];
}

/**
 * Body of a message of type 20, or of type 17, which has one zero byte before the same.
 * A missing transaction id reads as 0, which asks for no answer.
 * @throws {WireError | LimitError}
 */
export function decodeCommand(body: Uint8Array, typeId: number = MESSAGE_TYPE.COMMAND_AMF0): CommandMessage {
  const [name, transactionId, commandObject, ...args] = decodeAmf0Values(withoutAmf3Prefix(body, typeId));
  if (typeof name !== "string") throw new RtmpMessageError({ message: "command", detail: "its name is not a string" });
  const id = typeof transactionId === "number" && Number.isFinite(transactionId) ? transactionId : 0;
  return { name, transactionId: id as TransactionId, commandObject: commandObject ?? null, args };
}

/** Body of a message of type 20. */
export function encodeCommand(command: CommandMessage): Uint8Array {
  return encodeAmf0Values([command.name, command.transactionId, command.commandObject, ...command.args]);
}

/** AMF3 commands and data (types 17 and 15) are AMF0 behind one zero byte, with AMF3 values introduced one by one. */
export function withoutAmf3Prefix(body: Uint8Array, typeId: number): Uint8Array {
  const isAmf3 = typeId === MESSAGE_TYPE.COMMAND_AMF3 || typeId === MESSAGE_TYPE.DATA_AMF3;
  return isAmf3 && body[0] === 0 ? body.subarray(1) : body;
}
