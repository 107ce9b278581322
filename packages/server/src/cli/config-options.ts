/** The options that say where the configuration comes from, the same on every command that needs one. */
import type { Command } from "commander";

export interface ConfigOptions {
  readonly config?: string;
  readonly set: readonly string[];
  readonly instance?: string;
}

export function withConfigOptions(command: Command): Command {
  return command
    .option("-c, --config <file>", "read this file instead of sluice.yaml; `none` reads no file")
    .option(
      "-s, --set <key=value>",
      "set one key; may be repeated",
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option("--instance <n>", "move every default port by n, for several nodes on one machine");
}
