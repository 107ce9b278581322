/** Reduces a non-linearizable history to a small one and explains the contradiction. */
import type { RegisterOperation } from "./history.ts";
import { findOrder } from "./linearization-search.ts";
import { answerText, callText, valueText, withoutUnnoticed } from "./register.ts";

/**
 * A small set of contradicting operations from a non-linearizable history, with the unanswered ones that any of
 * them may have noticed.
 */
export function smallestViolation(
  operations: readonly RegisterOperation[],
  maxSteps?: number,
): readonly RegisterOperation[] {
  const isImpossible = (some: readonly RegisterOperation[]): boolean => findOrder(some, { maxSteps }).found === "none";
  const exact = shortestImpossiblePrefix(operations, isImpossible);
  const blurred = exact.map(withoutFinding);
  const prefix = isImpossible(blurred) ? blurred : exact;
  const answered = prefix.filter(({ answer }) => answer !== undefined);
  const shown = ORDERS.map((rank) => {
    const ranked = answered.toSorted((a, b) => rank(a) - rank(b));
    return onlyTheseAnswers(
      prefix,
      neededOnes(ranked, (some) => isImpossible(onlyTheseAnswers(prefix, some))),
    );
  });
  const fewest = new Set(shown.toSorted((a, b) => a.length - b.length)[0]?.map(nameOf));
  // Shown with all known answers, which only adds constraints; but without the omitted operations.
  const known = prefix === blurred ? operations.map(withoutFinding) : operations;
  return known.filter((operation) => fewest.has(nameOf(operation))).toSorted((a, b) => a.from - b.from);
}

/** Orders in which to try omitting operations: if one leads to a large result, another may not. Reads explain least. */
const ORDERS: readonly ((operation: RegisterOperation) => number)[] = [
  ({ call, from }) => (call.type === "get" ? from - 1e12 : from),
  ({ call, from }) => (call.type === "get" ? -from - 1e12 : -from),
  ({ call, answer, from }) => (call.type === "put" ? from : answer?.type === "success" ? from - 2e12 : from - 1e12),
  ({ call, answer, from }) => (call.type === "put" ? -from : answer?.type === "success" ? -from - 2e12 : -from - 1e12),
];

/** Omits whole runs while they are long, then single operations. */
function neededOnes(
  operations: readonly RegisterOperation[],
  isEnough: (some: readonly RegisterOperation[]) => boolean,
): readonly RegisterOperation[] {
  let needed = operations;
  for (let size = Math.ceil(needed.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < needed.length; ) {
      const fewer = needed.toSpliced(start, size);
      if (isEnough(fewer)) needed = fewer;
      else start += size;
    }
  }
  return needed;
}

/** A client runs one operation at a time, so client and time identify it. */
function nameOf({ client, from }: RegisterOperation): string {
  return `${client}\0${from}`;
}

/** The prefix up to the first impossible answer: later answers become unknown, later calls are omitted. */
function shortestImpossiblePrefix(
  operations: readonly RegisterOperation[],
  isImpossible: (some: readonly RegisterOperation[]) => boolean,
): readonly RegisterOperation[] {
  const answers = operations.filter(({ answer }) => answer !== undefined).map(({ to }) => to);
  answers.sort((a, b) => a - b);
  let possible = 0;
  let impossible = answers.length;
  while (impossible - possible > 1) {
    const middle = Math.floor((possible + impossible) / 2);
    if (isImpossible(seenBy(operations, answers[middle - 1] as number))) impossible = middle;
    else possible = middle;
  }
  return withoutUnnoticed(seenBy(operations, answers[impossible - 1] as number));
}

function seenBy(operations: readonly RegisterOperation[], moment: number): readonly RegisterOperation[] {
  return operations
    .filter(({ from }) => from <= moment)
    .map((operation) => (operation.to <= moment ? operation : withoutAnswer(operation)));
}

/** Forgetting an answer only allows more, so a history that stays impossible did not need it. */
function onlyTheseAnswers(
  operations: readonly RegisterOperation[],
  needed: readonly RegisterOperation[],
): readonly RegisterOperation[] {
  const kept = new Set(needed);
  return withoutUnnoticed(operations.map((operation) => (kept.has(operation) ? operation : withoutAnswer(operation))));
}

/** Forgets first whether a delete found something, since that makes every earlier write relevant. */
function withoutFinding(operation: RegisterOperation): RegisterOperation {
  const isDelete = operation.call.type === "delete" && operation.answer !== undefined;
  return isDelete ? { ...operation, answer: { type: "done" } } : operation;
}

function withoutAnswer(operation: RegisterOperation): RegisterOperation {
  return { ...operation, answer: undefined, to: Number.POSITIVE_INFINITY, toLabel: undefined };
}

/** A table of the operations, and the longest order that fits. */
export function explain(key: string, operations: readonly RegisterOperation[]): string {
  const lines = [
    `Key "${key}" is not linearizable: no order of these ${operations.length} operations gives their answers`,
  ];
  const rows = operations.map((operation) => [
    operation.client,
    moment(operation.from, operation.fromLabel),
    operation.answer === undefined ? "…" : moment(operation.to, operation.toLabel),
    callText(operation.call),
    answerText(operation.answer),
  ]);
  lines.push(...table([["client", "from", "to", "asked", "heard"], ...rows]));
  const result = findOrder(operations, { isThorough: true });
  if (result.found === "none") {
    const order = result.best.map((operation) => `${operation.client} ${callText(operation.call)}`).join(", then ");
    lines.push(
      `  the longest order that fits: ${order === "" ? "none" : order}; the value there is ${valueText(result.value)}`,
    );
  }
  return lines.join("\n");
}

function moment(at: number, label = ""): string {
  return label === "" ? String(at) : `${at} (${label})`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}
