// The rows of a node's streams, assembled from `stats`: whole, or in pieces if there are many.
import type { StatsPart, StreamRow } from "@sluice/client/admin-contract";

export class StreamRows {
  #rows = new Map<string, StreamRow>();
  /** Keys received since the round began; `undefined` if its beginning was missed. */
  #round: Set<string> | undefined;

  /** All rows known after this event. A stream missing in a whole round is gone. */
  take(streams: readonly StreamRow[], part: StatsPart): readonly StreamRow[] {
    if (part === "whole") this.#rows.clear();
    if (part !== "middle" && part !== "end") this.#round = part === "begin" ? new Set() : undefined;
    for (const row of streams) {
      this.#rows.set(row.key, row);
      this.#round?.add(row.key);
    }
    if (part === "end") this.#endRound();
    return [...this.#rows.values()];
  }

  #endRound(): void {
    const told = this.#round;
    this.#round = undefined;
    if (told) for (const key of this.#rows.keys()) if (!told.has(key)) this.#rows.delete(key);
  }
}
