/** How a new home finds the latest copy: it asks all linked nodes with its epoch, and takes the highest. */
import type { Clock, Timer } from "@sluice/base/clock";
import type { Epoch } from "@sluice/engine/epoch";
import type { ObjectTimings } from "./limits.ts";
import { comparePositions, type Position } from "./position.ts";
import type { WholeCopy } from "./object-copy.ts";
import type { TakeOverMessage } from "./wire/object-message.ts";

export interface TakeOverOptions {
  readonly path: string;
  readonly epoch: Epoch;
  /** Linked now. */
  readonly nodes: readonly string[];
  /** The best that this node has: its own copy, or the engine's row. */
  readonly own: Position;
  readonly clock: Clock;
  readonly timings: ObjectTimings;
  readonly send: (node: string, message: TakeOverMessage) => void;
  /** Called once. @param found  undefined: nobody has more than `own` */
  readonly done: (found: WholeCopy | undefined) => void;
}

export class TakeOver implements Disposable {
  readonly #options: TakeOverOptions;
  readonly #silent: Set<string>;
  /** Who has more than `own`. */
  readonly #better = new Map<string, Position>();
  #fetchingFrom: string | undefined;
  #timer: Timer | undefined;
  #isDone = false;

  constructor(options: TakeOverOptions) {
    this.#options = options;
    this.#silent = new Set(options.nodes);
  }

  get epoch(): Epoch {
    return this.#options.epoch;
  }

  start(): void {
    const { path, epoch, nodes, send, clock, timings } = this.#options;
    for (const node of nodes) send(node, { type: "inquire", path, epoch });
    this.#timer = clock.after(timings.inquiry, () => this.#fetch());
    this.#fetchIfComplete();
  }

  standing(node: string, position: Position): void {
    if (!this.#silent.delete(node)) return;
    if (comparePositions(position, this.#options.own) > 0) this.#better.set(node, position);
    this.#fetchIfComplete();
  }

  copy(node: string, found: WholeCopy): void {
    if (this.#fetchingFrom === node) this.#end(found);
  }

  linkDown(node: string): void {
    this.#better.delete(node);
    this.#silent.delete(node);
    if (this.#fetchingFrom === node) this.#fetch();
    else this.#fetchIfComplete();
  }

  [Symbol.dispose](): void {
    this.#isDone = true;
    this.#timer?.cancel();
  }

  #fetchIfComplete(): void {
    if (this.#silent.size === 0 && this.#fetchingFrom === undefined) this.#fetch();
  }

  /** From whoever has the highest; from the next where that one is silent as well. */
  #fetch(): void {
    if (this.#isDone) return;
    this.#timer?.cancel();
    const { path, epoch, send, clock, timings } = this.#options;
    const best = [...this.#better].toSorted(([, a], [, b]) => comparePositions(b, a))[0]?.[0];
    this.#fetchingFrom = best;
    if (best === undefined) return this.#end(undefined);
    this.#better.delete(best);
    send(best, { type: "fetch", path, epoch });
    this.#timer = clock.after(timings.inquiry, () => this.#fetch());
  }

  #end(found: WholeCopy | undefined): void {
    if (this.#isDone) return;
    this[Symbol.dispose]();
    this.#options.done(found);
  }
}
