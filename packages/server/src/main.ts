#!/usr/bin/env node
/** Where the process begins: reads the command line and runs one command. */
import { readFileSync } from "node:fs";
import { failureOf } from "./cli/failure.ts";
import { buildProgram } from "./cli/program.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

try {
  await buildProgram(version).parseAsync();
} catch (error) {
  const { text, exitCode } = failureOf(error);
  process.stderr.write(`${text}\n`);
  process.exit(exitCode);
}
