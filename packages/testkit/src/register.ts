/** A register as it should be: what each operation does to one value, and what it can answer. */
import type { RegisterAnswer, RegisterCall, RegisterOperation, RegisterValue } from "./history.ts";

/** The value afterwards, or undefined when the operation cannot give that answer here. No answer fits everywhere. */
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

/** Neither effect nor answer depend on what was there before. */
export function isBlind(operation: RegisterOperation): boolean {
  const { call, answer } = operation;
  return call.type === "put" || (call.type === "delete" && answer?.type !== "success");
}

/** The one value that must be there for this answer; undefined where several are possible. */
export function neededValue({ call, answer }: RegisterOperation): RegisterValue | undefined {
  if (answer?.type === "found") return answer.value;
  if (answer?.type !== "success") return undefined;
  if (call.type === "cas") return answer.success ? call.expected : undefined;
  return answer.success ? undefined : null;
}

/** What it may leave behind; undefined when it certainly changes nothing. */
export function writtenValue({ call, answer }: RegisterOperation): RegisterValue | undefined {
  if (call.type === "get" || (answer?.type === "success" && !answer.success)) return undefined;
  return call.type === "delete" ? null : call.value;
}

/**
 * Leaves out what has no answer and whose effect nobody can have noticed: with or without it the rest is as possible.
 * Otherwise each time-out of a long history would double the orders to be tried.
 */
export function withoutUnnoticed(operations: readonly RegisterOperation[]): readonly RegisterOperation[] {
  const noticed = new Set<RegisterValue>();
  let isAnyValueNoticed = false;
  for (const { call, answer } of operations) {
    if (answer?.type === "found") noticed.add(answer.value);
    if (call.type === "cas") {
      noticed.add(call.expected);
      isAnyValueNoticed ||= answer?.type === "success" && !answer.success;
    }
    if (call.type === "delete" && answer?.type === "success") {
      if (answer.success) isAnyValueNoticed = true;
      else noticed.add(null);
    }
  }
  return operations.filter(({ call, answer }) => {
    if (answer !== undefined) return true;
    if (call.type === "get") return false;
    return isAnyValueNoticed || noticed.has(call.type === "delete" ? null : call.value);
  });
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
