/** Searches one key's history for an order in which a register could have given all its answers (Wing and Gong, with Lowe's cache). */
import type { RegisterOperation, RegisterValue } from "./history.ts";
import { isBlind, step, withoutUnnoticed, writtenValue } from "./register.ts";
import { ValueTally } from "./value-tally.ts";

export type SearchResult =
  | { readonly found: "order" }
  /** `best`: the longest order that fits, and the value after it. */
  | { readonly found: "none"; readonly best: readonly RegisterOperation[]; readonly value: RegisterValue }
  | { readonly found: "too-much-work" };

export interface SearchOptions {
  readonly maxSteps?: number | undefined;
  /** Continues until nothing fits, instead of stopping when something can never fit: slower, with a longer `best`. */
  readonly isThorough?: boolean;
}

/** An operation in its position, and the alternatives tried there. */
interface Frame {
  readonly value: RegisterValue;
  readonly candidates: readonly Item[];
  next: number;
}

interface Item {
  readonly operation: RegisterOperation;
  /** Index among the answered operations, or among the others. */
  readonly index: number;
  isPlaced: boolean;
}

/** Steps for one key before the search gives up. A history of one key seldom needs more than its length. */
const DEFAULT_MAX_STEPS = 500_000;

/** Longer histories are checked, but not explained. */
const REMEMBERED_OPERATIONS = 100;

/**
 * Every answered operation needs a position between its call and its answer. An operation without an answer may take
 * one after its call if it is noticed: one directly followed by a blind write can be left out.
 */
export function findOrder(operations: readonly RegisterOperation[], options: SearchOptions = {}): SearchResult {
  return new Search(withoutUnnoticed(operations), options).run(options.maxSteps ?? DEFAULT_MAX_STEPS);
}

function fitsAndOnlyReads(operation: RegisterOperation, value: RegisterValue): boolean {
  return writtenValue(operation) === undefined && step(value, operation.call, operation.answer) !== undefined;
}

class Search {
  readonly #answered: readonly Item[];
  readonly #unanswered: readonly Item[];
  readonly #order: Item[] = [];
  readonly #frames: Frame[] = [];
  readonly #tally: ValueTally;
  readonly #isThorough: boolean;
  /** Pairs of remaining operations and value, each tried once. */
  readonly #seen = new Set<string>();
  /** All answered operations before this index are placed. */
  #first = 0;
  #answeredPlaced = 0;
  #best: readonly Item[] = [];
  #bestPlaced = -1;
  #bestValue: RegisterValue = null;

  constructor(operations: readonly RegisterOperation[], options: SearchOptions) {
    this.#isThorough = options.isThorough ?? false;
    this.#tally = new ValueTally(operations);
    const sorted = operations.toSorted((a, b) => a.from - b.from);
    const item = (operation: RegisterOperation, index: number): Item => ({ operation, index, isPlaced: false });
    this.#answered = sorted.filter((operation) => operation.answer !== undefined).map(item);
    this.#unanswered = sorted.filter((operation) => operation.answer === undefined).map(item);
  }

  run(maxSteps: number): SearchResult {
    this.#enter(null);
    for (let steps = 0; this.#answeredPlaced < this.#answered.length; steps++) {
      if (steps > maxSteps) return { found: "too-much-work" };
      const frame = this.#frames.at(-1);
      if (frame === undefined) {
        return { found: "none", best: this.#best.map((item) => item.operation), value: this.#bestValue };
      }
      const item = frame.candidates[frame.next++];
      if (item === undefined) this.#back();
      else this.#try(item, frame.value);
    }
    return { found: "order" };
  }

  #try(item: Item, value: RegisterValue): void {
    const { call, answer } = item.operation;
    const after = step(value, call, answer);
    if (after === undefined || (answer === undefined && after === value)) return;
    this.#place(item);
    if (!this.#isThorough && after !== value && this.#tally.isStillNeeded(value)) return this.#takeBack();
    const key = this.#whereabouts(after);
    if (this.#seen.has(key)) return this.#takeBack();
    this.#seen.add(key);
    this.#enter(after);
  }

  #enter(value: RegisterValue): void {
    this.#frames.push({ value, candidates: this.#candidates(value), next: 0 });
    if (this.#answeredPlaced <= this.#bestPlaced || this.#answered.length > REMEMBERED_OPERATIONS) return;
    this.#bestPlaced = this.#answeredPlaced;
    this.#best = [...this.#order];
    this.#bestValue = value;
  }

  #back(): void {
    this.#frames.pop();
    if (this.#order.length > 0) this.#takeBack();
  }

  #place(item: Item): void {
    item.isPlaced = true;
    this.#order.push(item);
    this.#tally.remove(item.operation);
    if (item.operation.answer !== undefined) this.#answeredPlaced++;
    while (this.#answered[this.#first]?.isPlaced === true) this.#first++;
  }

  #takeBack(): void {
    const item = this.#order.pop() as Item;
    item.isPlaced = false;
    this.#tally.add(item.operation);
    if (item.operation.answer === undefined) return;
    this.#answeredPlaced--;
    this.#first = Math.min(this.#first, item.index);
  }

  /**
   * Operations that may come next: called before any remaining one was answered. A read, or a refused change, whose
   * answer fits here can be placed at once without loss; then it is the only candidate.
   */
  #candidates(value: RegisterValue): readonly Item[] {
    const mustBeNoticed = this.#order.at(-1)?.operation.answer === undefined && this.#order.length > 0;
    const candidates: Item[] = [];
    let firstAnswer = Number.POSITIVE_INFINITY;
    for (let index = this.#first; index < this.#answered.length; index++) {
      const item = this.#answered[index] as Item;
      if (item.isPlaced) continue;
      if (item.operation.from > firstAnswer) break;
      firstAnswer = Math.min(firstAnswer, item.operation.to);
      if (mustBeNoticed && isBlind(item.operation)) continue;
      if (fitsAndOnlyReads(item.operation, value)) return [item];
      candidates.push(item);
    }
    // The first answered probably came first: halves the work.
    candidates.sort((a, b) => a.operation.to - b.operation.to);
    for (const item of this.#unanswered) {
      if (item.operation.from > firstAnswer) break;
      if (!item.isPlaced && !(mustBeNoticed && isBlind(item.operation))) candidates.push(item);
    }
    return candidates;
  }

  #whereabouts(value: RegisterValue): string {
    let text = `${this.#first}`;
    for (let index = this.#first, left = this.#answeredPlaced - this.#first; left > 0; index++) {
      if (this.#answered[index]?.isPlaced !== true) continue;
      text += `,${index}`;
      left--;
    }
    text += this.#order.at(-1)?.operation.answer === undefined ? "!" : ";";
    for (let index = 0; index < this.#unanswered.length; index++) {
      if (this.#unanswered[index]?.isPlaced === true) text += `${index},`;
    }
    return value === null ? text : `${text}=${value}`;
  }
}
