/** `sluice config check` and `sluice config print`. */
import { printEffective } from "../config/effective.ts";
import { type ConfigOptions, configOf } from "./config-options.ts";

export function checkConfig(options: ConfigOptions): void {
  const config = configOf(options);
  const chosen = config.entries.filter(({ source }) => source !== "default").length;
  process.stdout.write(`Configuration is good: ${chosen} ${chosen === 1 ? "key" : "keys"} set, the rest by default\n`);
}

export function printConfig(options: ConfigOptions): void {
  process.stdout.write(printEffective(configOf(options)));
}
