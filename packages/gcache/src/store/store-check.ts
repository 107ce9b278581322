/** Reads a whole store in a separate process: reading a damaged database may crash the process, which is a result too. */
import { execFile, type ExecFileException } from "node:child_process";
import { fileURLToPath } from "node:url";
import { StoreIoError } from "./store-errors.ts";
import { readTables } from "./store-tables.ts";
import { recover } from "./store-recovery.ts";

/** Exit codes of the child process. */
export const EXIT = { damaged: 1, unreadable: 2 } as const;

/** Long enough for gigabytes from a slow disk. */
const PATIENCE_MS = 120_000;

/** Signals by which reading a damaged database ends the process; any other signal came from outside. */
const ENDED_BY_DAMAGE: readonly string[] = ["SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE", "SIGTRAP"];

/**
 * What is damaged in the store; `undefined` if nothing is.
 *
 * @throws {StoreIoError} when the check itself fails; the signal's reason when it aborts first
 */
export async function findDamage({
  file,
  dir,
  signal,
}: {
  readonly file: string;
  readonly dir: string;
  readonly signal: AbortSignal | undefined;
}): Promise<string | undefined> {
  const { failure, output } = await check(file, dir, signal);
  signal?.throwIfAborted();
  if (failure === null) return undefined;
  if (failure.signal && ENDED_BY_DAMAGE.includes(failure.signal))
    return `the database is damaged (reading it ended with ${failure.signal})`;
  if (failure.killed) throw cannotCheck(dir, `it was not read within ${PATIENCE_MS / 1000} s`);
  if (failure.signal) throw cannotCheck(dir, `the check was ended by ${failure.signal}`);
  if (failure.code === EXIT.unreadable) throw cannotCheck(dir, output);
  return output || "the database cannot be read";
}

interface CheckEnd {
  readonly failure: ExecFileException | null;
  readonly output: string;
}

function check(file: string, dir: string, signal: AbortSignal | undefined): Promise<CheckEnd> {
  const script = fileURLToPath(new URL("./store-check-process.js", import.meta.url));
  const options = { timeout: PATIENCE_MS, ...(signal && { signal }) };
  return new Promise((resolve) => {
    execFile(process.execPath, [script, file, dir], options, (failure, stdout) =>
      resolve({ failure, output: stdout.trim() }),
    );
  });
}

function cannotCheck(dir: string, reason: string): StoreIoError {
  return new StoreIoError({ dir, action: "check the" }, new Error(reason));
}

/** Runs in the child process. @throws when something is damaged */
export async function readAll(file: string, dir: string): Promise<void> {
  const tables = await readTables(file);
  if (tables === undefined) return;
  for (const piece of recover(tables, dir).snapshot?.pieces ?? []) void piece;
  await tables.root.close();
}
