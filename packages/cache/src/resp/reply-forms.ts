/** Converts answers of the state to replies: one form for each shape of reply. */
import { unreachable } from "@sluice/base/unreachable";
import type { OperationAnswer, Refusal, SeenEntry } from "../state/operation.ts";
import type { ReplyForm } from "./command.ts";
import { NOT_AN_INTEGER } from "./errors.ts";
import type { RespWriter } from "./resp-writer.ts";

/** SET: OK, or null when a condition did not hold. */
export const asOk: ReplyForm = (reply, answer) => {
  if (answer.type === "kept") reply.none();
  else if (!replyRefusal(reply, answer)) reply.simple("OK");
};

/** SETNX, MSETNX: whether it was done. */
export const asDone: ReplyForm = (reply, answer) => {
  if (!replyRefusal(reply, answer)) reply.integer(answer.type === "kept" ? 0 : 1);
};

/** SET with GET, GETSET: the previous value. */
export const asPrevious: ReplyForm = (reply, answer) => {
  if (replyRefusal(reply, answer)) return;
  const previous = answer.type === "written" || answer.type === "kept" ? answer.previous : undefined;
  if (previous === undefined) reply.none();
  else reply.bulk(previous);
};

/** GETDEL, GETEX. */
export const asValue: ReplyForm = (reply, answer) => {
  if (replyRefusal(reply, answer)) return;
  if (answer.type !== "value" || answer.value === undefined) reply.none();
  else reply.bulk(answer.value);
};

/** GETEX with an invalid time: the error replaces the value if the key exists. */
export function asValueOr(error: string): ReplyForm {
  return (reply, answer) => {
    if (answer.type === "value" && answer.value !== undefined) reply.error(error);
    else asValue(reply, answer);
  };
}

export const asCount: ReplyForm = (reply, answer) => {
  if (!replyRefusal(reply, answer)) reply.integer(answer.type === "count" ? answer.count : 0);
};

/** GET, MGET in a transaction. */
export const asSeenValue: ReplyForm = (reply, answer) => {
  if (replyRefusal(reply, answer)) return;
  const value = answer.type === "seen" ? answer.entries[0]?.value : undefined;
  if (value === undefined) reply.none();
  else reply.bulk(value);
};

export const asSeenValues: ReplyForm = (reply, answer) => {
  if (replyRefusal(reply, answer)) return;
  const entries = answer.type === "seen" ? answer.entries : [];
  reply.array(entries.length);
  for (const entry of entries) {
    if (entry?.value === undefined) reply.none();
    else reply.bulk(entry.value);
  }
};

/** For commands that reply with a property of one entry, or null. */
export function asSeen(write: (reply: RespWriter, entry: SeenEntry | undefined) => void): ReplyForm {
  return (reply, answer) => {
    if (!replyRefusal(reply, answer)) write(reply, answer.type === "seen" ? answer.entries[0] : undefined);
  };
}

/** EXISTS and TOUCH in a transaction. */
export const asSeenCount: ReplyForm = (reply, answer) => {
  if (replyRefusal(reply, answer)) return;
  reply.integer(answer.type === "seen" ? answer.entries.filter((entry) => entry !== undefined).length : 0);
};

/** INCR and related commands. */
export const asInteger: ReplyForm = (reply, answer) => {
  if (!replyRefusal(reply, answer)) reply.integer(answer.type === "number" ? answer.text : 0);
};

/** INCRBYFLOAT: text in both protocols. */
export const asText: ReplyForm = (reply, answer) => {
  if (!replyRefusal(reply, answer)) reply.bulkText(answer.type === "number" ? answer.text : "");
};

function replyRefusal(reply: RespWriter, answer: OperationAnswer): boolean {
  if (answer.type !== "refused") return false;
  reply.error(refusalText(answer.reason));
  return true;
}

function refusalText(reason: Refusal): string {
  switch (reason) {
    case "not-an-integer":
      return NOT_AN_INTEGER;
    case "not-a-float":
      return "ERR value is not a valid float";
    case "increment-overflow":
      return "ERR increment or decrement would overflow";
    case "increment-not-finite":
      return "ERR increment would produce NaN or Infinity";
    case "value-too-large":
      return "ERR string exceeds maximum allowed size";
    case "entry-over-cache-limit":
      return "OOM command not allowed: the entry is larger than its cache may be";
    case "answer-too-large":
      return "ERR the values that this transaction reads are larger than one reply may be";
    case "too-many-caches":
    case "too-many-leases":
      return "OOM command not allowed: too many caches or leases";
    case "lease-gone":
    case "request-forgotten":
    case "bad-operation":
      return `ERR the cache refused it: ${reason}`;
    default:
      return unreachable(reason);
  }
}
