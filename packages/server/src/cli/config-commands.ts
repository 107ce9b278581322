/** `sluice config check` and `sluice config print`. */
import { printEffective } from "../config/effective.ts";
import { configOf } from "./config-of.ts";
import type { ConfigOptions } from "./config-options.ts";
import { print } from "@sluice/runtime/process/print";

export function checkConfig(options: ConfigOptions): void {
  const config = configOf(options);
  const chosen = config.entries.filter(({ source }) => source !== "default").length;
  print(`Configuration is good: ${chosen} ${chosen === 1 ? "key" : "keys"} set, the rest by default\n`);
}

export function printConfig(options: ConfigOptions): void {
  print(printEffective(configOf(options)));
}
