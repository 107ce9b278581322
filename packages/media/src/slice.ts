/** The viewers of a cohort that are written to in one turn: one cursor, one batch. */
import type { Position } from "./cohort-log.ts";
import type { Subscriber } from "./subscriber.ts";

/** Writes of one turn; more would hold up the loop, and with it the publisher, for many milliseconds; fewer wake the readers more often. */
export const SLICE_MEMBERS = 512;

export class Slice {
  readonly members: Subscriber[] = [];
  /** Everything before it has been handed to every member. */
  cursor: Position;

  constructor(cursor: Position) {
    this.cursor = cursor;
  }

  get hasRoom(): boolean {
    return this.members.length < SLICE_MEMBERS;
  }

  add(subscriber: Subscriber): void {
    subscriber.index = this.members.length;
    this.members.push(subscriber);
    subscriber.state = { at: "in-step", slice: this };
  }

  /** The last member takes the place of the one that goes, so a walk from the end sees everybody once. */
  remove(subscriber: Subscriber): void {
    const last = this.members.pop() as Subscriber;
    if (last === subscriber) return;
    this.members[subscriber.index] = last;
    last.index = subscriber.index;
  }
}
