/** Several changes as one, for a reader that does not keep up: the last value of each property, and no messages. */
import type { Change, Operation } from "./change.ts";
import { compareEpochs } from "@sluice/engine/epoch";

/** @returns undefined where homes changed on the way: versions alone would not say whose they are */
export function mergeChanges(changes: readonly Change[]): Change | undefined {
  const first = changes[0];
  const last = changes.at(-1);
  if (first === undefined || last === undefined) return undefined;
  if (changes.some(({ to }) => compareEpochs(to.epoch, last.to.epoch) !== 0)) return undefined;
  const merged = new Merged();
  for (const change of changes) merged.add(change);
  return { from: first.from, to: last.to, operations: merged.operations, droppedMessages: merged.droppedMessages };
}

class Merged {
  droppedMessages = 0;
  #creation: Operation | undefined;
  #isCleared = false;
  #lock: Operation | undefined;
  /** Last operation of each name, in the order of those last ones. */
  readonly #byName = new Map<string, Operation>();

  get operations(): readonly Operation[] {
    const clear: Operation[] = this.#isCleared ? [{ type: "clear" }] : [];
    return [this.#creation, ...clear, ...this.#byName.values(), this.#lock].filter((one) => one !== undefined);
  }

  add(change: Change): void {
    this.droppedMessages += change.droppedMessages;
    for (const operation of change.operations) this.#add(operation, change.to.version);
  }

  #add(operation: Operation, version: number): void {
    switch (operation.type) {
      case "create":
        this.#creation = operation;
        break;
      case "set":
        this.#byName.delete(operation.name);
        this.#byName.set(operation.name, { version, ...operation });
        break;
      case "remove":
        this.#byName.delete(operation.name);
        this.#byName.set(operation.name, operation);
        break;
      case "clear":
        this.#byName.clear();
        this.#isCleared = true;
        break;
      case "message":
        this.droppedMessages++;
        break;
      case "lock":
        this.#lock = { version, ...operation };
        break;
      case "unlock":
        this.#lock = operation;
    }
  }
}
