/** One viewer: its sink, its position and its slice; and the delivery counts of all viewers. */
import type { Millis } from "@sluice/base/brand";
import type { Position } from "./cohort-log.ts";
import type { Prelude } from "./prelude.ts";
import type { SubscriberSink } from "./subscriber-sink.ts";

/** Delivery counts, updated once per batch, never once per frame and viewer. */
export class DeliveryCounts {
  /** Bytes handed to subscribers. */
  bytesOut = 0;
  /** Batches written to a subscriber. */
  writes = 0;
  /** Times a subscriber left its slice because its transport was full. */
  lags = 0;
  /** Times a lagging subscriber was moved to a later key frame. */
  skips = 0;
  /** Subscribers disconnected because they took nothing for too long. */
  stalls = 0;
}

export type SubscriberState =
  /** Gets every batch of its slice; has no position of its own. */
  | { readonly at: "in-step"; readonly slice: Slice }
  /** Reads the log by itself until it reaches `home`. `since`: its last progress. `prelude`: sent first. */
  | {
      readonly at: "behind";
      readonly home: Slice;
      readonly cursor: Position;
      readonly since: Millis;
      readonly prelude: Prelude | undefined;
    }
  /** Gets nothing until a key frame opens a GOP. */
  | { readonly at: "awaiting-key"; readonly since: Millis }
  | { readonly at: "left" };

/** Sessions read it, only its cohort changes it. */
export class Subscriber {
  readonly sink: SubscriberSink;
  /** `alone`: its cohort has no other viewer, whatever their form. */
  readonly sharing: "cohort" | "alone";
  /** It announced a buffer, so a wide window does not harm it. */
  isPatient: boolean;
  state: SubscriberState = { at: "left" };
  /** Place in its slice's members; meaningless outside one. */
  index = 0;
  /** Times it was moved to a later key frame. */
  skips = 0;
  /** Whether the opening of its protocol was sent (the FLV file header). */
  hasOpening = false;
  /** Its transport has not yet taken everything written. */
  isDraining = false;
  /** Bytes taken by its transport, at the last check for stalls. */
  takenBytes = 0;
  /** Its publication ended; it is notified once the rest has been written. */
  isOwedEnd = false;
  /** Called when it has drained; set by its present cohort, possibly another than when it began to drain. */
  onDrained: ((subscriber: Subscriber) => void) | undefined;

  constructor(sink: SubscriberSink, isPatient: boolean, sharing: "cohort" | "alone" = "cohort") {
    this.sink = sink;
    this.isPatient = isPatient;
    this.sharing = sharing;
  }

  get isLagging(): boolean {
    return this.state.at === "behind";
  }

  /** @param ownBytes  of pieces made for it alone @returns whether its transport took all of them */
  write(pieces: readonly Uint8Array[], counts: DeliveryCounts, ownBytes = 0): boolean {
    if (pieces.length === 0) return true;
    for (const piece of pieces) counts.bytesOut += piece.length;
    counts.writes++;
    if (pieces.length === 1 && ownBytes === 0) return this.sink.write(pieces[0] as Uint8Array);
    return this.sink.writeAll(pieces, ownBytes);
  }

  /** Calls `onDrained` once its transport has taken what was written. */
  waitForDrain(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    this.sink.whenDrained(() => {
      this.isDraining = false;
      this.onDrained?.(this);
    });
  }

  /** Whether its transport has taken nothing for `timeout`; call about once a second while it is behind. */
  isStalled(now: Millis, timeout: Millis): boolean {
    const { state } = this;
    if (state.at !== "behind" || !this.isDraining) return false;
    const { takenBytes } = this.sink;
    if (takenBytes !== this.takenBytes) this.state = { ...state, since: now };
    this.takenBytes = takenBytes;
    return this.state === state && now - state.since >= timeout;
  }
}

/** Viewers of one slice. A TLS write ends one loop iteration later: with so few, its data is still in the processor's caches. */
export const SLICE_MEMBERS = 64;

/** Viewers written to together: one cursor, one batch. */
export class Slice {
  readonly members: Subscriber[] = [];
  /** Sinks of the members, by index: a flush need not touch the members themselves. */
  readonly sinks: SubscriberSink[] = [];
  /** All bytes before it have been handed to every member. */
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
    this.sinks.push(subscriber.sink);
    subscriber.state = { at: "in-step", slice: this };
  }

  /** The last member moves to the free index, so a walk from the end visits each member once. */
  remove(subscriber: Subscriber): void {
    const last = this.members.pop() as Subscriber;
    this.sinks.pop();
    if (last === subscriber) return;
    this.members[subscriber.index] = last;
    this.sinks[subscriber.index] = last.sink;
    last.index = subscriber.index;
  }
}
