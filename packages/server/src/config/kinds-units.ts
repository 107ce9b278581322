/** Kinds of measured values: durations (`250ms`, `3s`, `5m`, `1h`) and sizes (`512KiB`, `4MiB`, `1GiB`). */
import type { Millis } from "@sluice/base/brand";
import { type Kind, refuse, textOf } from "./kind.ts";

/** Largest first, so that printing finds the shortest exact form. */
const DURATION_UNITS = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;
const SIZE_UNITS = [
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["B", 1],
] as const;

type Units = readonly (readonly [name: string, factor: number])[];

/** `undefined` unless the text is a number and one of the units, or a bare number, and comes out whole. */
function measure(text: string | undefined, units: Units): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text ?? "");
  if (match === null) return undefined;
  const unit = match[2] === "" ? 1 : units.find(([name]) => name.toLowerCase() === match[2]?.toLowerCase())?.[1];
  const value = Number(match[1]) * (unit ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The shortest exact form, such as `1500ms`, `90s`, `2m`. */
function express(value: number, units: Units): string {
  const unit = units.find(([, factor]) => value !== 0 && value % factor === 0);
  return unit === undefined ? "0" : `${value / unit[1]}${unit[0]}`;
}

export const printDuration = (value: number): string => express(value, DURATION_UNITS);
export const printSize = (value: number): string => express(value, SIZE_UNITS);

/** Finds milliseconds in `3s` and the like; `undefined` when it is no duration. */
export const findDuration = (text: string): Millis | undefined => measure(text, DURATION_UNITS) as Millis | undefined;

interface Range {
  readonly min: number;
  readonly max: number;
}

export function duration(range: Range): Kind<Millis> {
  return {
    accepts: `a duration such as \`250ms\`, \`3s\`, \`5m\`, \`1h\` (bare number: ms), ${printDuration(range.min)} to ${printDuration(range.max)}`,
    read(raw) {
      const value = measure(textOf(raw), DURATION_UNITS);
      return value !== undefined && value >= range.min && value <= range.max
        ? { value: value as Millis }
        : refuse(this);
    },
    print: printDuration,
  };
}

/** Whole bytes. */
export function size(range: Range): Kind<number> {
  return {
    accepts: `a size such as \`512KiB\`, \`4MiB\` (bare number: bytes), ${printSize(range.min)} to ${printSize(range.max)}`,
    read(raw) {
      const value = measure(textOf(raw), SIZE_UNITS);
      return value !== undefined && value >= range.min && value <= range.max ? { value } : refuse(this);
    },
    print: printSize,
  };
}
