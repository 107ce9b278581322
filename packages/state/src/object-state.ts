/** What an object is at one position: its properties, its lock, how durable it is. */
import type { Millis } from "@sluice/base/brand";
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import type { Change, CurrentProperty, Durability, Operation } from "./change.ts";
import type { Plain } from "./plain-data.ts";
import { ORIGIN, type Position } from "./position.ts";

export interface Property {
  readonly plain: Plain;
  /** Of the change that wrote it. */
  readonly at: Position;
}

export interface Lock {
  /** Client that may write. */
  readonly owner: string;
  readonly lease: Millis;
  /** Fencing token: higher than that of every earlier lock of the object. */
  readonly at: Position;
}

/** A whole object, as it is given to those who cannot be given changes. */
export interface Snapshot {
  readonly at: Position;
  /** Undefined: it was never created. */
  readonly durability: Durability | undefined;
  readonly lock: Lock | undefined;
  /** Messages ever sent; the difference of two snapshots is what a reader missed. */
  readonly messageCount: number;
  readonly properties: ReadonlyMap<string, Property>;
}

/** What a property costs beside its name and value. */
const PROPERTY_BYTES = 32;

export class ObjectState {
  readonly #properties = new Map<string, Property>();
  #at: Position = ORIGIN;
  #durability: Durability | undefined;
  #lock: Lock | undefined;
  #messageCount = 0;
  #byteSize = 0;
  /** The last that was given, as long as nothing has changed. */
  #given: Snapshot | undefined;

  get at(): Position {
    return this.#at;
  }

  get durability(): Durability | undefined {
    return this.#durability;
  }

  get isDurable(): boolean {
    return this.#durability !== undefined && this.#durability.type !== "temporary";
  }

  get lock(): Lock | undefined {
    return this.#lock;
  }

  get messageCount(): number {
    return this.#messageCount;
  }

  /** Of all properties with their names. */
  get byteSize(): number {
    return this.#byteSize;
  }

  /** A view: it changes with the state. */
  get properties(): ReadonlyMap<string, Property> {
    return this.#properties;
  }

  current(name: string): CurrentProperty {
    const found = this.#properties.get(name);
    return { name, plain: found?.plain, at: found?.at ?? ORIGIN };
  }

  /** Of a change that starts where this stands. */
  apply(change: Change): void {
    this.#given = undefined;
    for (const operation of change.operations) this.#apply(operation, change.to);
    this.#messageCount += change.droppedMessages;
    this.#at = change.to;
  }

  /** Becomes what the snapshot says, whatever it was. */
  adopt(snapshot: Snapshot): void {
    this.#given = undefined;
    this.#clear();
    for (const [name, { plain, at }] of snapshot.properties) this.#set(name, plain, at);
    this.#at = snapshot.at;
    this.#durability = snapshot.durability;
    this.#lock = snapshot.lock;
    this.#messageCount = snapshot.messageCount;
  }

  /** A copy that never changes, the same for all who ask before the next change; values are shared, as they never change. */
  snapshot(): Snapshot {
    this.#given ??= {
      at: this.#at,
      durability: this.#durability,
      lock: this.#lock,
      messageCount: this.#messageCount,
      properties: new Map(this.#properties),
    };
    return this.#given;
  }

  #apply(operation: Operation, to: Position): void {
    switch (operation.type) {
      case "create":
        this.#durability = operation.durability;
        break;
      case "set":
        this.#set(operation.name, operation.plain, at(to, operation.version));
        break;
      case "remove":
        this.#remove(operation.name);
        break;
      case "clear":
        this.#clear();
        break;
      case "message":
        this.#messageCount++;
        break;
      case "lock":
        this.#lock = { owner: operation.owner, lease: operation.lease, at: at(to, operation.version) };
        break;
      case "unlock":
        this.#lock = undefined;
    }
  }

  #set(name: string, plain: Plain, at: Position): void {
    const before = this.#properties.get(name);
    this.#byteSize +=
      before === undefined ? propertyBytes(name, plain) : plain.bytes.length - before.plain.bytes.length;
    this.#properties.set(name, { plain, at });
  }

  #remove(name: string): void {
    const before = this.#properties.get(name);
    if (before === undefined) return;
    this.#byteSize -= propertyBytes(name, before.plain);
    this.#properties.delete(name);
  }

  #clear(): void {
    this.#properties.clear();
    this.#byteSize = 0;
  }
}

/** What a property adds to the size of its object. */
export function propertyBytes(name: string, plain: Plain): number {
  return encodeUtf8(name).length + plain.bytes.length + PROPERTY_BYTES;
}

function at(to: Position, version: number | undefined): Position {
  return version === undefined ? to : { epoch: to.epoch, version };
}
