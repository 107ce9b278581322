/** What all streams of the node took in and gave out since it started, those of ended streams included. */
import type { LiveStream } from "@sluice/media/live-stream";
import type { StreamDirectory } from "@sluice/media/stream-directory";

/** Fields of a stream's ingest and delivery counts. */
export type StreamTotal =
  | Exclude<keyof LiveStream["ingest"], "videoFrames">
  | "bytesOut"
  | "writes"
  | "lags"
  | "skips"
  | "stalls"
  | "gopOverflows";

const NAMES: readonly StreamTotal[] = [
  "bytesIn",
  "frames",
  "withoutConfig",
  "beforeKey",
  "beyondTracks",
  "poorSetUp",
  "beyondSetUp",
  "gopOverflows",
  "bytesOut",
  "writes",
  "lags",
  "skips",
  "stalls",
];

/** A stream that ends between two looks is remembered until the next, so that nothing is missed. */
export class StreamTotals {
  readonly #counted = new Map<LiveStream, Record<StreamTotal, number>>();

  /** A stream has got a publisher; from then on it has something to count. */
  note(stream: LiveStream): void {
    if (!this.#counted.has(stream))
      this.#counted.set(
        stream,
        record(() => 0),
      );
  }

  /** What came since the last time, of all streams together; call it often enough that ended streams are let go of. */
  take(directory: StreamDirectory): Readonly<Record<StreamTotal, number>> {
    const grown = record(() => 0);
    for (const [stream, before] of this.#counted) {
      const now = countsOf(stream);
      for (const name of NAMES) grown[name] += now[name] - before[name];
      if (directory.findEntry(stream.key)?.stream === stream) this.#counted.set(stream, now);
      else this.#counted.delete(stream);
    }
    return grown;
  }
}

function countsOf({ ingest, delivery, gop }: LiveStream): Record<StreamTotal, number> {
  const all: Readonly<Partial<Record<StreamTotal, number>>> = { ...ingest, ...delivery, gopOverflows: gop.overflows };
  return record((name) => all[name] ?? 0);
}

function record(valueOf: (name: StreamTotal) => number): Record<StreamTotal, number> {
  return Object.fromEntries(NAMES.map((name) => [name, valueOf(name)])) as Record<StreamTotal, number>;
}
