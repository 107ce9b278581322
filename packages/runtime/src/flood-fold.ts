/** Folds repeats of a log message about one stream or peer into one line per second with a count. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log, LogFields } from "@sluice/base/log";

type Level = "debug" | "info" | "warn" | "error";

/** Long enough that a flood costs one line, short enough that an operator sees it while it lasts. */
const WINDOW = 1_000 as Millis;
/** Messages folded at once. Messages are constants of the code, so exceeding this is a bug; further messages pass unfolded. */
const MOST_MESSAGES = 500;
/** Lines of one message per second, over all subjects; the rest is counted in one more line. */
export const MOST_LINES = 1_000;
/** Fields that identify the stream or peer of a line. */
const SUBJECT_FIELDS = ["key", "address", "member", "peer", "client", "listener", "hook"] as const;

/** The first line about a subject passes at once; its repeats within the window become one line with `repeats`. */
class Fold {
  #repeats = 0;
  #write: (repeats: number) => void = () => {};

  /** @param write  writes the newest repeat, with the fields of its own log */
  add(write: (repeats: number) => void): void {
    this.#repeats += 1;
    this.#write = write;
  }

  /** @returns false when nothing was repeated */
  flush(): boolean {
    if (this.#repeats === 0) return false;
    this.#write(this.#repeats);
    this.#repeats = 0;
    return true;
  }
}

/** Lines of one message within the window. */
class Said {
  readonly folds = new Map<string, Fold>();
  readonly beyond = new Fold();
  lines = 0;

  /** @returns false when the message was not repeated and can be forgotten */
  flush(): boolean {
    for (const [subject, fold] of this.folds) if (!fold.flush()) this.folds.delete(subject);
    const isOver = this.beyond.flush();
    this.lines = this.folds.size;
    return isOver || this.lines > 0;
  }
}

export interface FoldOptions {
  /** Messages whose lines all differ; their number is limited, but they are not folded. */
  readonly unfolded?: ReadonlySet<string>;
}

/** Children share the folding. */
export function floodFold(log: Log, clock: Clock, { unfolded = new Set() }: FoldOptions = {}): Log {
  const said = new Map<string, Said>();

  const look = (message: string, of: Said): void => {
    if (of.flush()) clock.after(WINDOW, () => look(message, of));
    else said.delete(message);
  };
  const saidOf = (message: string): Said | undefined => {
    const known = said.get(message);
    if (known !== undefined || said.size >= MOST_MESSAGES) return known;
    const fresh = new Said();
    said.set(message, fresh);
    clock.after(WINDOW, () => look(message, fresh));
    return fresh;
  };
  const wrap = (target: Log, own: LogFields): Log => {
    const folding =
      (level: Level) =>
      (fields: LogFields, message: string): void => {
        const of = saidOf(`${level} ${message}`);
        if (of === undefined) return target[level](fields, message);
        const subject = unfolded.has(message) ? undefined : subjectOf({ ...own, ...fields });
        const fold = subject === undefined ? undefined : of.folds.get(subject);
        if (fold !== undefined) return fold.add((repeats) => target[level]({ ...fields, repeats }, message));
        if (of.lines >= MOST_LINES) return of.beyond.add((repeats) => target[level]({ repeats }, message));
        of.lines += 1;
        if (subject !== undefined) of.folds.set(subject, new Fold());
        target[level](fields, message);
      };
    return {
      debug: folding("debug"),
      info: folding("info"),
      warn: folding("warn"),
      error: folding("error"),
      child: (fields) => wrap(target.child(fields), { ...own, ...fields }),
    };
  };
  return wrap(log, {});
}

function subjectOf(fields: LogFields): string {
  return SUBJECT_FIELDS.map((name) => fields[name])
    .map((value) => (typeof value === "string" ? value : ""))
    .join("\n");
}
