#!/usr/bin/env node
/** Where the process begins: reads the command line and runs one command. */
import { failureOf } from "./cli/failure.ts";
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
