/** One viewer of a cohort: where its bytes go, and how far it has come. */
import type { Millis } from "@sluice/base/brand";
import type { Position } from "./cohort-log.ts";
import type { Slice } from "./slice.ts";
import type { SubscriberSink } from "./subscriber-sink.ts";

export type SubscriberState =
  /** Gets every batch of its slice; has no position of its own. */
  | { readonly at: "in-step"; readonly slice: Slice }
  /** Reads the log by itself until it reaches `home`. `since`: its last progress. */
  | {
      readonly at: "behind";
      readonly home: Slice;
      readonly cursor: Position;
      readonly since: Millis;
      readonly needsPrelude: boolean;
    }
  /** Gets nothing until a key frame opens a GOP. */
  | { readonly at: "awaiting-key"; readonly since: Millis }
  | { readonly at: "left" };

/** Who reads it: a session. Who moves it: its cohort. */
export class Subscriber {
  readonly sink: SubscriberSink;
  /** It announced a buffer of its own and loses nothing by a wide window. */
  isPatient: boolean;
  state: SubscriberState = { at: "left" };
  /** Place in its slice's members; meaningless outside one. */
  index = 0;
  /** Times it was moved to a later key frame. */
  skips = 0;
  /** It has been sent what opens its protocol's byte run (the FLV file header). */
  hasOpening = false;
  /** The transport has not yet said that it took what it was given. */
  isDraining = false;

  constructor(sink: SubscriberSink, isPatient: boolean) {
    this.sink = sink;
    this.isPatient = isPatient;
  }

  get isLagging(): boolean {
    return this.state.at === "behind";
  }
}
