/** How answers of the state become replies: one form for each shape of reply. */
import { unreachable } from "@sluice/base/unreachable";
import type { OperationAnswer, Refusal } from "../state/operation.ts";
import type { ReplyForm } from "./command.ts";
import { NOT_AN_INTEGER } from "./errors.ts";
import type { RespWriter } from "./resp-writer.ts";

/** SET: OK, or nothing when a condition did not hold. */
export const asOk: ReplyForm = (reply, answer) => {
  if (answer.type === "kept") reply.none();
  else if (!replyRefusal(reply, answer)) reply.simple("OK");
};

/** SETNX, MSETNX: whether it was done. */
export const asDone: ReplyForm = (reply, answer) => {
  if (!replyRefusal(reply, answer)) reply.integer(answer.type === "kept" ? 0 : 1);
};

/** SET with GET, GETSET: what stood there before. */
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

export const asCount: ReplyForm = (reply, answer) => {
  if (!replyRefusal(reply, answer)) reply.integer(answer.type === "count" ? answer.count : 0);
};

/** INCR and its kin. */
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
