/** Judges measured values against bench/budget.json and prints goals as met or missed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatTable, short } from "./table.ts";

export interface Verdict {
  /** Description of the measurement. */
  readonly goal: string;
  readonly value: number;
  readonly limit: number;
  /** More is better: the limit is the least acceptable value. */
  readonly isFloor?: true;
  readonly isMet: boolean;
}

export type Budget = Readonly<Record<string, number>>;

export const readBudget = (): Budget =>
  JSON.parse(readFileSync(join(import.meta.dirname, "budget.json"), "utf8")) as Budget;

/** Most goals are upper limits: met when the value is at most the limit; a value that could not be measured (NaN) misses. @throws {RangeError} when the budget has no such id. */
export function judge(budget: Budget, id: string, goal: string, value: number): Verdict {
  const limit = limitOf(budget, id);
  return { goal, value, limit, isMet: value <= limit };
}

/** Met when the value is at least the limit. @throws {RangeError} when the budget has no such id. */
export function judgeFloor(budget: Budget, id: string, goal: string, value: number): Verdict {
  const limit = limitOf(budget, id);
  return { goal, value, limit, isFloor: true, isMet: value >= limit };
}

function limitOf(budget: Budget, id: string): number {
  const limit = budget[id];
  if (limit === undefined) throw new RangeError(`Cannot find ${id} in the budget`);
  return limit;
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return formatTable(
    ["goal", "measured", "wanted", "verdict"],
    verdicts.map((v) => [
      v.goal,
      short(v.value),
      `${v.isFloor ? "≥" : "≤"} ${short(v.limit)}`,
      v.isMet ? "met" : "MISSED",
    ]),
  );
}

/** Result of a scenario: raw results for the JSON file, and its verdicts. */
export interface ScenarioResult {
  readonly results: readonly unknown[];
  readonly verdicts: readonly Verdict[];
}
