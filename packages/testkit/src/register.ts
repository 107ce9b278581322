/** Model of a register: the effect of each operation on a value, and its possible answers. */
import type { RegisterAnswer, RegisterCall, RegisterOperation, RegisterValue } from "./history.ts";

/** The value afterwards, or undefined if the operation cannot give that answer here. A missing answer always fits. */
export function step(
  value: RegisterValue,
  call: RegisterCall,
  answer: RegisterAnswer | undefined,
): RegisterValue | undefined {
  switch (call.type) {
    case "put":
      return call.value;
    case "get":
      return answer?.type !== "found" || answer.value === value ? value : undefined;
    case "cas": {
      const isSwapped = value === call.expected;
      if (answer?.type === "success" && answer.success !== isSwapped) return undefined;
      return isSwapped ? call.value : value;
    }
    case "delete":
      if (answer?.type === "success" && answer.success !== (value !== null)) return undefined;
      return null;
  }
}

/** True if neither effect nor answer depends on the previous value. */
export function isBlind(operation: RegisterOperation): boolean {
  const { call, answer } = operation;
  return call.type === "put" || (call.type === "delete" && answer?.type !== "success");
}

/** The one value required for this answer; undefined if several are possible. */
export function neededValue({ call, answer }: RegisterOperation): RegisterValue | undefined {
  if (answer?.type === "found") return answer.value;
  if (answer?.type !== "success") return undefined;
  if (call.type === "cas") return answer.success ? call.expected : undefined;
  return answer.success ? undefined : null;
}

/** The value that it may leave behind; undefined if it certainly changes nothing. */
export function writtenValue({ call, answer }: RegisterOperation): RegisterValue | undefined {
  if (call.type === "get" || (answer?.type === "success" && !answer.success)) return undefined;
  return call.type === "delete" ? null : call.value;
}

/**
 * Removes operations without an answer whose effect no other operation can have noticed; the verdict stays the same.
 * Otherwise each timeout in a long history would double the orders to try.
 */
export function withoutUnnoticed(operations: readonly RegisterOperation[]): readonly RegisterOperation[] {
  if (operations.some(noticesAnyValue))
    return operations.filter(({ call, answer }) => answer !== undefined || call.type !== "get");
  const noticed = new Set<RegisterValue>();
  const kept = new Set<RegisterOperation>();
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false;
    for (const operation of operations) {
      if (kept.has(operation) || !(operation.answer !== undefined || isNoticed(operation, noticed))) continue;
      kept.add(operation);
      isGrowing = true;
      const needed = operation.call.type === "cas" ? operation.call.expected : neededValue(operation);
      if (needed !== undefined) noticed.add(needed);
    }
  }
  return operations.filter((operation) => kept.has(operation));
}

function isNoticed(operation: RegisterOperation, noticed: ReadonlySet<RegisterValue>): boolean {
  const written = writtenValue(operation);
  return written !== undefined && noticed.has(written);
}

/** Reports only what was not there, so any present value fits. */
function noticesAnyValue({ call, answer }: RegisterOperation): boolean {
  return answer?.type === "success" && (call.type === "delete" ? answer.success : !answer.success);
}

export function callText(call: RegisterCall): string {
  switch (call.type) {
    case "put":
      return `put ${valueText(call.value)}`;
    case "get":
    case "delete":
      return call.type;
    case "cas":
      return `cas ${valueText(call.expected)} → ${valueText(call.value)}`;
  }
}

export function answerText(answer: RegisterAnswer | undefined): string {
  switch (answer?.type) {
    case undefined:
      return "unknown";
    case "done":
      return "done";
    case "found":
      return valueText(answer.value);
    case "success":
      return answer.success ? "yes" : "no";
  }
}

export function valueText(value: RegisterValue): string {
  return value === null ? "nothing" : JSON.stringify(value);
}
