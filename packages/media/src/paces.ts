/** A cohort's slices by pace: those of viewers that announced a buffer may wait longer for each other. */
import type { Position } from "./cohort-log.ts";
import type { DeliveryWindow } from "./delivery-window.ts";
import { SliceGroup, type SliceGroupOptions } from "./slice-group.ts";
import type { Slice, Subscriber } from "./subscriber.ts";

export class Paces {
  readonly #prompt: SliceGroup;
  readonly #patient: SliceGroup;

  constructor(options: Omit<SliceGroupOptions, "window">, window: DeliveryWindow) {
    this.#prompt = new SliceGroup({ ...options, window: () => window.prompt });
    this.#patient = new SliceGroup({ ...options, window: () => window.patient });
  }

  /** A turn of a flush is due. */
  get isBeating(): boolean {
    return this.#prompt.isBeating || this.#patient.isBeating;
  }

  /** Somebody would get frames now, or before its turn is due. */
  get isListening(): boolean {
    return this.#prompt.isListening || this.#patient.isListening;
  }

  /** All of them, as a list of its own. */
  get slices(): Slice[] {
    return [...this.#prompt.slices, ...this.#patient.slices];
  }

  deliver(): void {
    this.#prompt.deliver();
    this.#patient.deliver();
  }

  /** A slice of the subscriber's pace with room; a fresh one has nothing to catch up on. */
  sliceFor(subscriber: Subscriber, end: Position): Slice {
    return this.#paceOf(subscriber).sliceWithRoom(end);
  }

  /** The slice that it came from, if that still has room; else another. */
  homeFor(subscriber: Subscriber, home: Slice, end: Position): Slice {
    const pace = this.#paceOf(subscriber);
    return home.hasRoom && pace.has(home) ? home : pace.sliceWithRoom(end);
  }

  seat(subscriber: Subscriber, home: Slice): void {
    this.#paceOf(subscriber).seat(subscriber, home);
  }

  remove(subscriber: Subscriber, slice: Slice): void {
    (this.#patient.has(slice) ? this.#patient : this.#prompt).remove(subscriber, slice);
  }

  stop(): void {
    this.#prompt.stop();
    this.#patient.stop();
  }

  #paceOf(subscriber: Subscriber): SliceGroup {
    return subscriber.isPatient ? this.#patient : this.#prompt;
  }
}
