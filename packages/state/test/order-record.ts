/** All that homes ever ordered in one simulated run, and the rules that every copy and every client is held to. */
import { compareEpochs, type Epoch, formatEpoch } from "@sluice/engine/epoch";
import { type Change, isMerged, type Outcome } from "@sluice/state/change";
import { Home } from "@sluice/state/home";
import { ObjectCopy } from "@sluice/state/object-copy";
import type { Snapshot } from "@sluice/state/object-state";
import { formatPosition, isSamePosition, ORIGIN, type Position } from "@sluice/state/position";
import { toHex } from "@sluice/testkit/hex";

/** Bytes of each property and the version that wrote it. */
export type Values = ReadonlyMap<string, string>;

interface Ordered {
  readonly change: Change;
  /** Of the change alone. */
  readonly words: string;
  readonly values: Values;
}

export class Violation extends Error {}

/** Made once per run; `[Symbol.dispose]` takes it out of the way of the code under test. */
export class OrderRecord implements Disposable {
  readonly #ordered = new Map<string, Ordered>();
  readonly #acknowledgedBy = new Map<string, Home>();
  #highestAcknowledged: Epoch = ORIGIN.epoch;
  readonly #restore: () => void;

  constructor() {
    const { apply } = ObjectCopy.prototype;
    const { write, connect } = Home.prototype;
    const order = (change: Change): void => this.#order(change);
    const acknowledge = (home: Home, outcome: Outcome): void => this.#acknowledge(home, outcome);
    ObjectCopy.prototype.apply = function (change) {
      const isDone = apply.call(this, change);
      if (isDone && !isMerged(change)) order(change);
      return isDone;
    };
    Home.prototype.write = function (request, who, answer) {
      return write.call(this, request, who, (outcome) => {
        acknowledge(this, outcome);
        answer(outcome);
      });
    };
    Home.prototype.connect = function (request, answer) {
      return connect.call(this, request, (outcome) => {
        acknowledge(this, outcome);
        answer(outcome);
      });
    };
    this.#restore = () =>
      Object.assign(ObjectCopy.prototype, { apply }) && Object.assign(Home.prototype, { write, connect });
  }

  [Symbol.dispose](): void {
    this.#restore();
  }

  valuesAt(position: Position): Values {
    if (isSamePosition(position, ORIGIN)) return new Map();
    const found = this.#ordered.get(formatPosition(position));
    if (found === undefined) throw new Violation(`nobody ordered ${formatPosition(position)}`);
    return found.values;
  }

  /** The changes from one position to another. @throws {Violation} where the one does not lead to the other */
  between(from: Position, to: Position): readonly Change[] {
    const changes: Change[] = [];
    for (let at = to; !isSamePosition(at, from); ) {
      const found = this.#ordered.get(formatPosition(at));
      if (found === undefined) throw new Violation(`${formatPosition(from)} does not lead to ${formatPosition(to)}`);
      changes.unshift(found.change);
      at = found.change.from;
    }
    return changes;
  }

  leadsTo(from: Position, to: Position): boolean {
    try {
      this.between(from, to);
      return true;
    } catch {
      return false;
    }
  }

  #order(change: Change): void {
    const name = formatPosition(change.to);
    const words = wordsOf(change);
    const known = this.#ordered.get(name);
    if (known !== undefined && known.words !== words)
      throw new Violation(`${name} is two changes: ${known.words} and ${words}`);
    if (known === undefined)
      this.#ordered.set(name, { change, words, values: applied(this.valuesAt(change.from), change) });
  }

  /** One home per epoch, and none acknowledges after a later one has. */
  #acknowledge(home: Home, outcome: Outcome): void {
    if (outcome.type !== "success") return;
    const { epoch } = home;
    const other = this.#acknowledgedBy.get(formatEpoch(epoch)) ?? home;
    this.#acknowledgedBy.set(formatEpoch(epoch), home);
    if (other !== home) throw new Violation(`two homes acknowledge in ${formatEpoch(epoch)}`);
    if (compareEpochs(epoch, this.#highestAcknowledged) < 0)
      throw new Violation(`${formatEpoch(epoch)} acknowledges after a later one`);
    this.#highestAcknowledged = epoch;
  }
}

export function applied(before: Values, change: Change): Values {
  const values = new Map(before);
  for (const operation of change.operations) {
    if (operation.type === "set") {
      values.set(operation.name, `${toHex(operation.plain.bytes)} @${operation.version ?? change.to.version}`);
    } else if (operation.type === "remove") values.delete(operation.name);
    else if (operation.type === "clear") values.clear();
  }
  return values;
}

export function valuesOf(snapshot: Snapshot): Values {
  return new Map(
    [...snapshot.properties].map(([name, { plain, at }]) => [name, `${toHex(plain.bytes)} @${at.version}`]),
  );
}

export function sameValues(a: Values, b: Values): boolean {
  return a.size === b.size && [...a].every(([name, words]) => b.get(name) === words);
}

export function messagesIn(change: Change): number {
  return change.operations.filter(({ type }) => type === "message").length;
}

function wordsOf({ from, operations, by }: Change): string {
  const steps = operations.map((one) => ("plain" in one ? [one.type, one.name, toHex(one.plain.bytes)] : one));
  return JSON.stringify([formatPosition(from), steps, by]);
}
