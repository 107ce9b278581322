/** The log of a running server: pino on standard error, pretty for eyes, JSON lines for machines. */
import type { Log } from "@sluice/base/log";
import { type DestinationStream, pino, stdTimeFunctions } from "pino";
import { prettyFactory } from "pino-pretty";

export interface LogOptions {
  readonly format: "auto" | "json" | "pretty";
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
}

/** Written synchronously, so that the last line before a crash is there. */
export function openLog(
  options: LogOptions,
  stream: DestinationStream & { readonly isTTY?: boolean } = process.stderr,
): Log {
  const isPretty = options.format === "pretty" || (options.format === "auto" && stream.isTTY === true);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    isPretty ? prettyStream(stream) : stream,
  );
}

function prettyStream(stream: DestinationStream & { readonly isTTY?: boolean }): DestinationStream {
  const colorize = stream.isTTY === true && !process.env["NO_COLOR"];
  const prettify = prettyFactory({ colorize, translateTime: "SYS:HH:MM:ss.l", singleLine: true });
  return { write: (line) => stream.write(prettify(line)) };
}
