/** Properties of one object: as its home has them, and beneath what this client's own unanswered writes will make of them. */
import type { PlainValue } from "../contract/plain-value.ts";
import type {
  ChangeMessage,
  Operation,
  PositionText,
  SnapshotMessage,
  WishedOperation,
} from "../contract/sluice-v1.ts";

export interface Property {
  readonly value: PlainValue;
  /** Of the change that wrote it. */
  readonly at: PositionText | null;
}

/** A write that shows before it is answered. */
export interface Wish {
  readonly operations: readonly WishedOperation[];
  /** Done, but the delivery that shows it is still to come. */
  isDone: boolean;
  /** A delivery since it was made may hold it without saying so: a merged change, a snapshot, or one of another connection. */
  isPassed: boolean;
}

export class ObjectState {
  #properties = new Map<string, Property>();
  readonly #wishes = new Set<Wish>();
  #at: PositionText | undefined;
  #lockOwner: string | undefined;

  /** Of the last delivery; undefined before the first. */
  get at(): PositionText | undefined {
    return this.#at;
  }

  get lockOwner(): string | undefined {
    return this.#lockOwner;
  }

  /** As the home had it at the last delivery. */
  find(name: string): Property | undefined {
    return this.#properties.get(name);
  }

  /** With own wishes. */
  shown(): Map<string, PlainValue> {
    const shown = new Map<string, PlainValue>();
    for (const [name, { value }] of this.#properties) shown.set(name, value);
    for (const { operations } of this.#wishes) {
      for (const operation of operations) {
        if (operation.type === "set") shown.set(operation.name, operation.value);
        else if (operation.type === "remove") shown.delete(operation.name);
        else if (operation.type === "clear") shown.clear();
      }
    }
    return shown;
  }

  /** One property with own wishes: the last of them counts. */
  get(name: string): PlainValue {
    let value = this.#properties.get(name)?.value;
    for (const { operations } of this.#wishes) {
      for (const operation of operations) {
        if (operation.type === "clear") value = undefined;
        else if ((operation.type === "set" || operation.type === "remove") && operation.name === name) {
          value = operation.type === "set" ? operation.value : undefined;
        }
      }
    }
    return value;
  }

  wish(wish: Wish): void {
    this.#wishes.add(wish);
  }

  forget(wish: Wish): void {
    this.#wishes.delete(wish);
  }

  /** From here on what comes may hold what was wished before. */
  pass(): void {
    for (const wish of this.#wishes) wish.isPassed = true;
  }

  /** The home did it, and stands at `at`: shown until a delivery has brought it, or may have. */
  done(wish: Wish, at: PositionText | undefined): void {
    if (wish.isPassed || at === this.#at) this.#wishes.delete(wish);
    else wish.isDone = true;
  }

  /** Forgets what was. */
  reset(snapshot: SnapshotMessage): void {
    this.#properties = new Map(snapshot.properties.map(({ name, value, at }) => [name, { value, at }]));
    this.#lockOwner = snapshot.lock?.owner;
    this.pass();
    this.#arrive(snapshot.at);
  }

  /** @returns names of the properties that it wrote or removed; undefined where it does not follow on what was */
  apply(change: ChangeMessage, own: Wish | undefined): ReadonlySet<string> | undefined {
    if (change.from !== this.#at) return undefined;
    const touched = new Set<string>();
    for (const operation of change.operations) this.#step(operation, change.to, touched);
    if (own !== undefined) this.#wishes.delete(own);
    if (change.by === undefined) this.pass();
    this.#arrive(change.to);
    return touched;
  }

  #step(operation: Operation, to: PositionText, touched: Set<string>): void {
    switch (operation.type) {
      case "set": {
        const { name, value, version } = operation;
        this.#properties.set(name, { value, at: version === undefined ? to : withVersion(to, version) });
        touched.add(name);
        return;
      }
      case "remove":
        this.#properties.delete(operation.name);
        touched.add(operation.name);
        return;
      case "clear":
        for (const name of this.#properties.keys()) touched.add(name);
        this.#properties.clear();
        return;
      case "lock":
        this.#lockOwner = operation.owner;
        return;
      case "unlock":
        this.#lockOwner = undefined;
        return;
      default:
      // `create`, messages, and what later versions add
    }
  }

  #arrive(at: PositionText): void {
    this.#at = at;
    for (const wish of this.#wishes) if (wish.isDone) this.#wishes.delete(wish);
  }
}

function withVersion(position: PositionText, version: number): PositionText {
  return `${position.slice(0, position.lastIndexOf("/"))}/${version}`;
}
