/** Assertions of the conformance suite, which must work without a test runner. */

/** An engine behaved differently from its port. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
}

export function expect(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new ConformanceError(otherwise);
}

/** Compares plain data and bytes by value. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [render(actual), render(expected)];
  expect(left === right, `${what}: got ${shorten(left)}, expected ${shorten(right)}`);
}

/** Accepts a call that throws at once instead of rejecting. */
export async function expectFailure<E>(
  call: () => unknown,
  kind: abstract new (...args: never[]) => E,
  what: string,
): Promise<E> {
  const error = await failureOf(call);
  expect(error instanceof kind, `${what}: got ${describe(error)}, expected ${kind.name}`);
  return error;
}

async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error ?? "an empty rejection";
  }
}

function describe(error: unknown): string {
  if (error === undefined) return "no error";
  return error instanceof Error ? `${error.name}: ${error.message}` : render(error);
}

function render(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) => (part instanceof Uint8Array ? `bytes ${part.join(" ")}` : part)) ??
    "undefined"
  );
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}… (${text.length} characters)`;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && decoder.decode(bytes);
}
