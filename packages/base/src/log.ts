/** The log as a port; the server fills it with pino. */

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A log that adds `fields` to every line. */
  child(fields: LogFields): Log;
}

/** Plain values only; an error goes under `err`. */
export type LogFields = Readonly<Record<string, unknown>>;

export const SILENT_LOG: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => SILENT_LOG,
};
