/** Folds repeats of one log message into one line a second with a count, whoever sent them. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log, LogFields } from "@sluice/base/log";

type Level = "debug" | "info" | "warn" | "error";

interface Fold {
  repeats: number;
  /** Writes the newest repeat, with the fields of its own log. */
  write: (repeats: number) => void;
}

/** Long enough that a flood costs one line, short enough that an operator sees it while it runs. */
const WINDOW = 1_000 as Millis;
/** Messages folded at once; they are constants of the code, so more than this is a mistake, and passes unfolded. */
const MOST_MESSAGES = 500;

/** The first line of a message passes at once; its repeats within a second become one line with `repeats`. Children share the folding. */
export function floodFold(log: Log, clock: Clock): Log {
  const folds = new Map<string, Fold>();

  const close = (key: string): void => {
    const fold = folds.get(key);
    folds.delete(key);
    if (fold === undefined || fold.repeats === 0) return;
    fold.write(fold.repeats);
    open(key);
  };
  const open = (key: string): void => {
    folds.set(key, { repeats: 0, write() {} });
    clock.after(WINDOW, () => close(key));
  };
  const folding =
    (target: Log, level: Level) =>
    (fields: LogFields, message: string): void => {
      const key = `${level} ${message}`;
      const fold = folds.get(key);
      if (fold !== undefined) {
        fold.repeats += 1;
        fold.write = (repeats) => target[level]({ ...fields, repeats }, message);
        return;
      }
      if (folds.size < MOST_MESSAGES) open(key);
      target[level](fields, message);
    };
  const wrap = (target: Log): Log => ({
    debug: folding(target, "debug"),
    info: folding(target, "info"),
    warn: folding(target, "warn"),
    error: folding(target, "error"),
    child: (fields) => wrap(target.child(fields)),
  });
  return wrap(log);
}
