/** How a command that cannot go on says so, and with which exit code. */
import { UnavailableError } from "@sluice/base/errors";
import { ConfigError } from "../config/config-error.ts";

/** A listener's address cannot be had. */
export class ListenError extends UnavailableError {
  override readonly name = "ListenError";
  readonly code = "UNAVAILABLE_LISTEN";
  readonly context: { readonly address: string; readonly cause: string };
  constructor(context: { readonly address: string; readonly cause: string }) {
    super(`Cannot listen on ${context.address}: ${CAUSES[context.cause] ?? context.cause}`);
    this.context = context;
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; stop the other program, set another port, or use --instance",
  EACCES: "not permitted; ports below 1024 need a privilege",
  EADDRNOTAVAIL: "this machine has no such address",
};

/** A command was used in a way it cannot serve; the message says how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}

/** Finds the plain reason behind what Node throws when listening fails. */
export function findListenError(error: unknown): ListenError | undefined {
  if (error instanceof ListenError) return error;
  const { code, syscall, address, port } = (error ?? {}) as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === undefined || (syscall !== "listen" && !(code in CAUSES))) return undefined;
  return new ListenError({
    address: `${address?.includes(":") ? `[${address}]` : (address ?? "?")}:${port ?? "?"}`,
    cause: code,
  });
}

/** What to print, and the exit code: 2 for what the user wrote, 1 for everything else. */
export function failureOf(error: unknown): { readonly text: string; readonly exitCode: 1 | 2 } {
  if (error instanceof ConfigError || error instanceof UsageError) return { text: error.message, exitCode: 2 };
  const expected = findListenError(error) ?? (error instanceof UnavailableError ? error : undefined);
  if (expected !== undefined) return { text: `${expected.code}: ${expected.message}`, exitCode: 1 };
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}
