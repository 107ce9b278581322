/** Where a copy of an object stands in the one order of its changes. */
import { compareEpochs, type Epoch, formatEpoch } from "@sluice/engine/epoch";

/**
 * Names one change of one object: the epoch of the home that ordered it, and its number. Versions go on through
 * take-overs; two homes may have given one number to different changes, and then the epochs differ.
 */
export interface Position {
  readonly epoch: Epoch;
  readonly version: number;
}

/** Before the first change of an object; as the position of a property: it does not exist. */
export const ORIGIN: Position = { epoch: { generation: 0, number: 0 }, version: 0 };

/** Negative, zero or positive, as `a` comes before, is or comes after `b`: epochs first, as with terms of a log. */
export function comparePositions(a: Position, b: Position): number {
  return compareEpochs(a.epoch, b.epoch) || a.version - b.version;
}

export function isSamePosition(a: Position, b: Position): boolean {
  return a.version === b.version && compareEpochs(a.epoch, b.epoch) === 0;
}

/** `GENERATION.NUMBER/VERSION`, for people. */
export function formatPosition({ epoch, version }: Position): string {
  return `${formatEpoch(epoch)}/${version}`;
}

const FORM = /^(\d{1,16})\.(\d{1,16})\/(\d{1,16})$/;

/** What `formatPosition` wrote; undefined for anything else. */
export function parsePosition(text: string): Position | undefined {
  const [generation, number, version] = (FORM.exec(text) ?? []).slice(1).map(Number);
  const isWhole = version !== undefined && [generation, number, version].every(Number.isSafeInteger);
  return isWhole ? { epoch: { generation: generation as number, number: number as number }, version } : undefined;
}
