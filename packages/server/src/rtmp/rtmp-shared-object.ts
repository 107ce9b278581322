/** One object that an RTMP client has opened: what the client writes, and what it is told, in the one order of the object. */
import type { Clock } from "@sluice/base/clock";
import type { EncodedSharedObject, SharedObjectEvent, SharedObjectMessage } from "@sluice/rtmp/shared-object-message";
import { type Change, type Outcome, refusal, type Wish } from "@sluice/state/change";
import { NotPlainDataError, ObjectLimitError } from "@sluice/state/errors";
import type { Delivery } from "@sluice/state/object-copy";
import type { ObjectClient } from "@sluice/state/object-client";
import type { ObjectState } from "@sluice/state/object-state";
import { messageWish, removeWish, setWish } from "@sluice/state/wishes";
import { OBJECT_SESSION_LIMITS } from "../sessions/limits.ts";
import {
  type Echo,
  eventsOf,
  messageOf,
  type ObjectForm,
  type ObjectForms,
  ownEventsOf,
  propertyEvent,
  statusEvent,
  wholeEvents,
} from "./rtmp-object-events.ts";

export interface RtmpSharedObjectOptions {
  readonly form: ObjectForm;
  readonly echo: Echo;
  readonly forms: ObjectForms;
  readonly client: ObjectClient;
  readonly clock: Pick<Clock, "now">;
  /** As it stands in this node's copy. */
  readonly state: () => ObjectState | undefined;
  /** There may be something to tell. */
  readonly wake: () => void;
}

/** A write without an answer, or whose answer the client has not been told. */
interface Written {
  /** Properties that it was about; `all`: it was to clear the object. */
  readonly names: readonly string[] | "all";
  outcome: Outcome | undefined;
}

/**
 * A player has its own values at once. Those of others, which come before them in the order and reach it later, take
 * their place, and a success that has names alone would not bring them back: so it has values too, for this long after
 * a change by somebody else. Must outlast what a request may be under way.
 */
const CONTEST = 5_000;

export class RtmpSharedObject {
  readonly #options: RtmpSharedObjectOptions;
  /** By the sequence of the request. */
  readonly #written = new Map<number, Written>();
  /** The client's own change, which waits for its answer: nothing overtakes it. */
  #held: Delivery | undefined;
  #isGreeted = false;
  /** See `CONTEST`. */
  #contestedUntil = Number.NEGATIVE_INFINITY;
  /** Writes were refused that are not in `#written`. */
  #hasLostWrites = false;
  /** Writes that were refused before they were requests have numbers below zero. */
  #refusedCount = 0;

  constructor(options: RtmpSharedObjectOptions) {
    this.#options = options;
  }

  /** Each event is one change, or none; they are done in their order. */
  write(event: SharedObjectEvent): void {
    const asked = wishesOf(event);
    if (asked === undefined) return;
    if (this.#written.size >= OBJECT_SESSION_LIMITS.untoldWrites) {
      this.#hasLostWrites = true;
      return;
    }
    const { wishes, names } = asked;
    const written: Written = { names, outcome: undefined };
    if (wishes === undefined) {
      written.outcome = refusal("not-plain");
      this.#written.set(--this.#refusedCount, written);
      return this.#options.wake();
    }
    const { client } = this.#options;
    const before = client.lastSequence;
    const answer = client.write(wishes);
    this.#written.set(client.lastSequence > before ? client.lastSequence : --this.#refusedCount, written);
    void answer.then((outcome) => {
      written.outcome = outcome;
      this.#options.wake();
    });
  }

  /** What is to be told next; undefined while there is nothing. */
  next(): SharedObjectMessage | EncodedSharedObject | undefined {
    const { client, form, forms } = this.#options;
    for (;;) {
      const delivery = this.#held ?? client.take();
      this.#held = undefined;
      if (delivery === undefined) return this.#settle();
      const own = delivery.type === "change" ? this.#ownOf(delivery.change) : undefined;
      if (own === undefined) this.#contestedUntil = this.#options.clock.now() + CONTEST;
      if (delivery.type === "snapshot") {
        const { at, properties } = delivery.snapshot;
        return messageOf(form, at.version, [...this.#greeting(), ...wholeEvents(properties)]);
      }
      const { change } = delivery;
      if (own === undefined) {
        const told = forms.of(change, form);
        if (told !== undefined) return told;
      } else if (own.outcome === undefined) {
        this.#held = delivery;
        return undefined;
      } else {
        const told = this.#tellOwn(change, own.outcome);
        if (told.length > 0) return messageOf(form, change.to.version, told);
      }
    }
  }

  #greeting(): readonly SharedObjectEvent[] {
    if (this.#isGreeted) return [];
    this.#isGreeted = true;
    return [{ type: "use-success" }];
  }

  #ownOf({ by }: Change): Written | undefined {
    return by?.client === this.#options.client.id ? this.#written.get(by.sequence) : undefined;
  }

  /** Refused although it is done here: nobody knows whether it will stand, and the client hears no success. */
  #tellOwn(change: Change, outcome: Outcome): readonly SharedObjectEvent[] {
    this.#written.delete(change.by?.sequence ?? 0);
    if (outcome.type === "refused") return [statusEvent("NoWriteAccess"), ...eventsOf(change)];
    const told = ownEventsOf(change, this.#options.echo);
    if (!this.#needsValues) return told;
    return [...told, ...eventsOf(change).filter(({ type }) => type === "change" || type === "remove")];
  }

  get #needsValues(): boolean {
    return this.#options.echo === "success" && this.#options.clock.now() < this.#contestedUntil;
  }

  /** The client has all changes: it hears what became of writes that are in none of them, and what stands now. */
  #settle(): SharedObjectMessage | undefined {
    const state = this.#options.state();
    if (state === undefined) return undefined;
    const isLate = this.#hasLostWrites;
    this.#hasLostWrites = false;
    const done = { succeeded: new Set<string>(), refused: new Set<string>(), isRefused: isLate, isWhole: isLate };
    for (const [sequence, { names, outcome }] of this.#written) {
      if (outcome === undefined) continue;
      this.#written.delete(sequence);
      const isRefused = outcome.type === "refused";
      done.isRefused ||= isRefused;
      if (names === "all") done.isWhole ||= isRefused;
      else for (const name of names) (isRefused ? done.refused : done.succeeded).add(name);
    }
    const events = [
      ...(done.isRefused ? [statusEvent("NoWriteAccess")] : []),
      ...(done.isWhole ? wholeEvents(state.properties) : []),
      ...[...done.refused].map((name) => propertyEvent("change", name, valueOf(state, name))),
      ...this.#echoes(state, done.succeeded),
    ];
    return events.length === 0 ? undefined : messageOf(this.#options.form, state.at.version, events);
  }

  #echoes(state: ObjectState, names: ReadonlySet<string>): SharedObjectEvent[] {
    const { echo } = this.#options;
    const valuesAs = (type: "change" | "change-echo") =>
      [...names].map((name) => propertyEvent(type, name, valueOf(state, name)));
    if (echo === "change-echo" || names.size === 0) return valuesAs("change-echo");
    return [{ type: "success", names: [...names] }, ...(this.#needsValues ? valuesAs("change") : [])];
  }
}

function valueOf(state: ObjectState, name: string) {
  return state.properties.get(name)?.plain.value;
}

interface AskedWrite {
  /** Undefined: what was written can be no property. */
  readonly wishes: readonly Wish[] | undefined;
  readonly names: Written["names"];
}

/** Undefined for what is no write. */
function wishesOf(event: SharedObjectEvent): AskedWrite | undefined {
  switch (event.type) {
    case "request-change": {
      const names = event.properties.map(([name]) => name);
      return { names, wishes: plainly(() => event.properties.map(([name, value]) => propertyWish(name, value))) };
    }
    case "request-remove":
      return { names: event.names, wishes: event.names.map((name) => removeWish(name)) };
    case "request-clear":
      return { names: "all", wishes: [{ type: "clear" }] };
    case "send-message":
      return { names: [], wishes: plainly(() => [messageWish(event.name, event.args)]) };
    default:
      return undefined;
  }
}

/** A property that is set to nothing is removed, as in Flash. */
function propertyWish(name: string, value: unknown): Wish {
  return value === null || value === undefined ? removeWish(name) : setWish(name, value);
}

function plainly(make: () => readonly Wish[]): readonly Wish[] | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof NotPlainDataError || error instanceof ObjectLimitError) return undefined;
    throw error;
  }
}
