/** Arithmetic of 80-bit floats (64 bits of mantissa) on decimal text, as Redis adds floats: equal on every machine. */

/** value = mantissa × 2^exponent, mantissa below 2^64. */
interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d{1,9}))?$/i;
const INFINITE = /^[+-]?inf(?:inity)?$/i;
const MANTISSA_BITS = 64;
/** Digits after the point that Redis prints. */
const PRINTED_DIGITS = 17;
const MAX_TEXT = 5_119;
/** Above the maximum exponent of an 80-bit float, and below the minimum. */
const MAX_DECIMAL_EXPONENT = 4_940 + MAX_TEXT;
/** An 80-bit float is below 2 to this power, and at least 2 to the other. */
const MAX_BINARY_EXPONENT = 16_384;
const MIN_BINARY_EXPONENT = -16_445;
/** A number smaller by this many bits changes nothing in the sum, not even its rounding. */
const TELLING_BITS = 2 * MANTISSA_BITS + 2;
const ZERO: LongDouble = { mantissa: 0n, exponent: 0 };

export type FloatSum = { readonly sum: string } | { readonly problem: "current" | "by" | "not-finite" };

/** Adds two decimals; the sum has up to 17 digits after the point, without zeros at its end. */
export function addDecimals(current: string, by: string): FloatSum {
  const left = parse(current);
  if (left === undefined) return { problem: "current" };
  const right = parse(by);
  if (right === undefined) return { problem: "by" };
  if (left === "infinite" || right === "infinite") return { problem: "not-finite" };
  const sum = add(left, right);
  return sum === undefined ? { problem: "not-finite" } : { sum: print(sum) };
}

/** Whether it is written as a number; true also for one outside the range of a float. */
export function isNumberText(text: string): boolean {
  if (text.length > MAX_TEXT || text === "") return false;
  const match = DECIMAL.exec(text) ?? HEXADECIMAL.exec(text);
  return match === null ? INFINITE.test(text) : match[2] !== "" || (match[3] ?? "") !== "";
}

/** Parsed like the C library; undefined for numbers out of range. */
function parse(text: string): LongDouble | "infinite" | undefined {
  if (!isNumberText(text)) return undefined;
  if (INFINITE.test(text)) return "infinite";
  const decimal = DECIMAL.exec(text);
  const value = decimal === null ? parseHexadecimal(text) : parseDecimal(decimal);
  if (value === undefined || value.mantissa === 0n) return value;
  const top = topOf(value);
  return top > MAX_BINARY_EXPONENT || top < MIN_BINARY_EXPONENT ? undefined : value;
}

function parseDecimal([, sign, whole = "", fraction = "", power = "0"]: RegExpExecArray): LongDouble | undefined {
  const exponent = Number(power) - fraction.length;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  if (digits === 0n) return ZERO;
  if (Math.abs(exponent) > MAX_DECIMAL_EXPONENT) return undefined;
  if (exponent >= 0) return round(digits * 10n ** BigInt(exponent), 1n);
  return round(digits, 10n ** BigInt(-exponent));
}

function parseHexadecimal(text: string): LongDouble | undefined {
  const [, sign, whole = "", fraction = "", power = "0"] = HEXADECIMAL.exec(text) as RegExpExecArray;
  const digits = BigInt(`0x${whole}${fraction}`) * (sign === "-" ? -1n : 1n);
  if (digits === 0n) return ZERO;
  const { mantissa, exponent } = round(digits, 1n);
  return { mantissa, exponent: exponent + Number(power) - 4 * fraction.length };
}

function add(a: LongDouble, b: LongDouble): LongDouble | undefined {
  const [more, less] = topOf(a) < topOf(b) ? [b, a] : [a, b];
  if (topOf(more) - topOf(less) > TELLING_BITS) return more;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  const rounded = round(sum, 1n);
  const result = { mantissa: rounded.mantissa, exponent: rounded.mantissa === 0n ? 0 : rounded.exponent + exponent };
  return result.exponent + MANTISSA_BITS > MAX_BINARY_EXPONENT ? undefined : result;
}

/** The highest bit of it, as a power of two. */
function topOf({ mantissa, exponent }: LongDouble): number {
  return mantissa === 0n ? Number.NEGATIVE_INFINITY : exponent + bitLength(mantissa < 0n ? -mantissa : mantissa);
}

/** numerator / denominator, to the nearest with 64 bits, ties to even. */
function round(numerator: bigint, denominator: bigint): LongDouble {
  const isNegative = numerator < 0n;
  const top = isNegative ? -numerator : numerator;
  let exponent = bitLength(top) - bitLength(denominator) - MANTISSA_BITS;
  let quotient = divideRounded(top, denominator, exponent);
  if (bitLength(quotient) > MANTISSA_BITS) {
    exponent++;
    quotient = divideRounded(top, denominator, exponent);
  }
  return { mantissa: isNegative ? -quotient : quotient, exponent };
}

/** top / (bottom × 2^exponent) to the nearest whole, ties to even. */
function divideRounded(top: bigint, bottom: bigint, exponent: number): bigint {
  const dividend = exponent < 0 ? top << BigInt(-exponent) : top;
  const divisor = exponent > 0 ? bottom << BigInt(exponent) : bottom;
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  return twice > divisor || (twice === divisor && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

function print({ mantissa, exponent }: LongDouble): string {
  const isNegative = mantissa < 0n;
  const scaled = divideRounded((isNegative ? -mantissa : mantissa) * 10n ** BigInt(PRINTED_DIGITS), 1n, -exponent);
  const digits = scaled.toString().padStart(PRINTED_DIGITS + 1, "0");
  const fraction = digits.slice(-PRINTED_DIGITS).replace(/0+$/, "");
  const text = digits.slice(0, -PRINTED_DIGITS) + (fraction === "" ? "" : `.${fraction}`);
  return isNegative && text !== "0" ? `-${text}` : text;
}

function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits[0] as string, 16)) + 28;
}
