/** The configuration that the options of a command name. */
import { type ConfigSources, loadConfig, type SluiceConfig } from "../config/load-config.ts";
import type { ConfigOptions } from "./config-options.ts";

export function sourcesOf({ set, config, instance }: ConfigOptions): ConfigSources {
  return { sets: set, file: config, instance };
}

/** @throws {ConfigError} */
export function configOf(options: ConfigOptions): SluiceConfig {
  return loadConfig(sourcesOf(options));
}
