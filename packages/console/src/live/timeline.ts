// Recent events, newest first: for the activity page, and, if important, as a toast.
import type { AdminEvent } from "@sluice/client/admin-contract";
import { Observable, type Readable } from "../base/observable.ts";

export type TimelineEvent = Exclude<AdminEvent, { type: "stats" }>;

export interface TimelineEntry {
  readonly id: number;
  readonly event: TimelineEvent;
}

/** More than a person scrolls through, few enough to draw at once. */
export const TIMELINE_ENTRIES = 200;

export class Timeline {
  readonly #entries = new Observable<readonly TimelineEntry[]>([]);
  #nextId = 1;

  get entries(): Readable<readonly TimelineEntry[]> {
    return this.#entries;
  }

  add(event: TimelineEvent): void {
    const entry = { id: this.#nextId++, event };
    this.#entries.set([entry, ...this.#entries.get()].slice(0, TIMELINE_ENTRIES));
  }
}
