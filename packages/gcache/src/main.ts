#!/usr/bin/env node
/** The cache as a separate program: the commands of `sluice cache`, without the media server. */
import { UnavailableError } from "@sluice/base/errors";
import { plainLines } from "@sluice/runtime/plain-text";
import { UsageError } from "@sluice/runtime/process/usage-error";
import { Command } from "commander";
import { addCacheCommands } from "./cli/cache-commands.ts";
import { CacheSetupError } from "./node/node-errors.ts";

try {
  const program = new Command("sluice-cache").enablePositionalOptions();
  addCacheCommands(program);
  const [first = "", ...rest] = process.argv.slice(2);
  await program.parseAsync(first === "cache" ? [first, ...rest] : ["cache", ...process.argv.slice(2)], {
    from: "user",
  });
} catch (error) {
  const isMisuse = error instanceof UsageError || error instanceof CacheSetupError;
  const isExpected = isMisuse || error instanceof UnavailableError;
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${plainLines(text)}\n`);
  process.exit(isMisuse ? 2 : 1);
}
