/** Arithmetic of 80-bit floats (64 bits of mantissa) on decimal text, as Redis adds floats: alike on every machine. */

/** value = mantissa × 2^exponent, mantissa below 2^64. */
interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const MANTISSA_BITS = 64;
/** Digits after the point that Redis prints. */
const PRINTED_DIGITS = 17;
const MAX_TEXT = 256;
/** Above what an 80-bit float reaches, and below its smallest. */
const MAX_DECIMAL_EXPONENT = 4_940;
const ZERO: LongDouble = { mantissa: 0n, exponent: 0 };

export type FloatSum = { readonly sum: string } | { readonly problem: "current" | "by" | "not-finite" };

/** Adds two decimals; the sum has up to 17 digits after the point, without zeros at its end. */
export function addDecimals(current: string, by: string): FloatSum {
  const left = parseDecimal(current);
  if (left === undefined) return { problem: "current" };
  const right = parseDecimal(by);
  if (right === undefined) return { problem: "by" };
  const sum = add(left, right);
  return sum === undefined ? { problem: "not-finite" } : { sum: print(sum) };
}

/** Whether `addDecimals` would take it. */
export function isDecimal(text: string): boolean {
  return parseDecimal(text) !== undefined;
}

function parseDecimal(text: string): LongDouble | undefined {
  const match = text.length > MAX_TEXT ? null : DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  const exponent = Number(power) - fraction.length;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  if (digits === 0n) return ZERO;
  if (Math.abs(exponent) > MAX_DECIMAL_EXPONENT) return undefined;
  if (exponent >= 0) return round(digits * 10n ** BigInt(exponent), 1n);
  return round(digits, 10n ** BigInt(-exponent));
}

function add(a: LongDouble, b: LongDouble): LongDouble | undefined {
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  const rounded = round(sum, 1n);
  const result = { mantissa: rounded.mantissa, exponent: rounded.mantissa === 0n ? 0 : rounded.exponent + exponent };
  return result.exponent + MANTISSA_BITS > 16_384 ? undefined : result;
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
  return value === 0n ? 0 : value.toString(2).length;
}
