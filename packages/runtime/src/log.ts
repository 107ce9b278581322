/** The log of a running server: pino on standard error, coloured text on a terminal, JSON lines otherwise. */
import { UnavailableError } from "@sluice/base/errors";
import type { Log, LogFields } from "@sluice/base/log";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { type DestinationStream, type Logger, pino, stdSerializers, stdTimeFunctions } from "pino";
import { prettyFactory } from "pino-pretty";
import { plainLines, plainWords } from "./plain-text.ts";

export interface LogOptions {
  readonly format: "auto" | "json" | "pretty";
  readonly level: LogLevel;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Writes synchronously, so that the last line before a crash is not lost. */
export function openLog(
  options: LogOptions,
  stream: DestinationStream & { readonly isTTY?: boolean } = process.stderr,
): ServerLog {
  const isPretty = options.format === "pretty" || (options.format === "auto" && stream.isTTY === true);
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: shownError },
    },
    isPretty ? prettyStream(stream) : { write: (line) => stream.write(plainLines(line)) },
  );
  return new ServerLog(root, {});
}

/** Merges the fields of a child and of a line itself: pino would write a name twice that both have. */
export class ServerLog implements Log {
  readonly #root: Logger;
  readonly #own: LogFields;

  constructor(root: Logger, own: LogFields) {
    this.#root = root;
    this.#own = own;
  }

  debug(fields: LogFields, message: string): void {
    if (this.#root.isLevelEnabled("debug")) this.#root.debug(this.#line(fields), message);
  }

  info(fields: LogFields, message: string): void {
    this.#root.info(this.#line(fields), message);
  }

  warn(fields: LogFields, message: string): void {
    this.#root.warn(this.#line(fields), message);
  }

  error(fields: LogFields, message: string): void {
    this.#root.error(this.#line(fields), message);
  }

  child(fields: LogFields): ServerLog {
    return new ServerLog(this.#root, { ...this.#own, ...fields });
  }

  /** Applies to this log and to all that share its output. */
  setLevel(level: LogLevel): void {
    this.#root.level = level;
  }

  #line(fields: LogFields): LogFields {
    const line: Record<string, unknown> = { ...this.#own, ...fields };
    for (const name of OWN_FIELDS) {
      if (!Object.hasOwn(line, name)) continue;
      line[`${name}_`] = line[name];
      delete line[name];
    }
    return line;
  }
}

/** Fields present in every line. */
const OWN_FIELDS = ["level", "time", "msg"] as const;

/** A stack is for bugs: failures of peers, network and disk are shown by code and message. */
function shownError(error: unknown): unknown {
  if (!(error instanceof Error) || !isOutside(error)) return stdSerializers.err(error as Error);
  const { code } = error as NodeJS.ErrnoException;
  return { type: error.name, ...(code === undefined ? {} : { code }), message: messageOf(error) };
}

function isOutside(error: Error): boolean {
  if (error instanceof UnavailableError || error instanceof WireError || error instanceof LimitError) return true;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined || (typeof code === "string" && /^(E[A-Z0-9]+|ERR_(SSL|TLS)_.*)$/.test(code));
}

/** Includes the causes, unless they repeat the message. */
function messageOf(error: Error): string {
  const messages: string[] = [];
  for (let at: unknown = error; at instanceof Error && messages.length < MOST_CAUSES; at = at.cause) {
    const { message } = at;
    if (message !== "" && !messages.some((said) => said.includes(message))) messages.push(message);
  }
  return messages.length > 0 ? messages.join(": ") : ((error as NodeJS.ErrnoException).code ?? error.name);
}

const MOST_CAUSES = 5;

function prettyStream(stream: DestinationStream & { readonly isTTY?: boolean }): DestinationStream {
  const colorize = stream.isTTY === true && !process.env["NO_COLOR"];
  const prettify = prettyFactory({ colorize, translateTime: "SYS:HH:MM:ss.l", singleLine: true });
  return { write: (line) => stream.write(prettify(plain(JSON.parse(line)) as object)) };
}

/** Applied before the colours: those are the only control characters allowed. */
function plain(value: unknown, name = ""): unknown {
  if (typeof value === "string") return name === "stack" ? plainLines(value) : plainWords(value);
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [plainWords(key), plain(item, key)]));
}
