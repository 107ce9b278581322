#!/usr/bin/env node
/** Where the process begins: reads the command line, runs one command, and says why one cannot go on. */
import { UnavailableError } from "@sluice/base/errors";
import { CacheSetupError } from "@sluice/gcache/node/node-errors";
import { ConfigError } from "./config/config-error.ts";
import { UsageError } from "@sluice/runtime/process/usage-error";
import { buildProgram } from "./cli/program.ts";
import { plainLines } from "@sluice/runtime/plain-text";
import { VERSION } from "./version.ts";

try {
  await buildProgram(VERSION).parseAsync();
} catch (error) {
  const { text, exitCode } = failureOf(error);
  process.stderr.write(`${plainLines(text)}\n`);
  process.exit(exitCode);
}

/** What to print, and the exit code: 2 for what the user wrote, 1 for everything else. */
function failureOf(error: unknown): { readonly text: string; readonly exitCode: 1 | 2 } {
  if (error instanceof ConfigError || error instanceof UsageError) return { text: error.message, exitCode: 2 };
  if (error instanceof CacheSetupError) return { text: `${error.code}: ${error.message}`, exitCode: 2 };
  if (error instanceof UnavailableError) return { text: `${error.code}: ${error.message}`, exitCode: 1 };
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}
