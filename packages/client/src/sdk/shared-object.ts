/** A shared object as a program sees it: its properties at once, what others do as events, what it does itself as promises. */
import { SLUICE_V1_LIMITS } from "../contract/limits.ts";
import { checkPlainValue, isPlainName, type PlainValue } from "../contract/plain-value.ts";
import type {
  ChangeMessage,
  Durability,
  PositionText,
  SnapshotMessage,
  WishedOperation,
} from "../contract/sluice-v1.ts";
import { SDK_LIMITS } from "./limits.ts";
import { Listeners } from "./listeners.ts";
import { ObjectState, type Wish } from "./object-state.ts";
import { SluiceError } from "./sluice-error.ts";
import type { Outcome, Wire } from "./wire.ts";

type Name<Props> = keyof Props & string;

export interface ObjectEvents<Props> {
  /** The home did it: what `names` are now, `get` tells. `isOwn`: this client asked for it. */
  readonly change: {
    readonly names: ReadonlySet<Name<Props>>;
    readonly isOwn: boolean;
    /** Id of the client that caused it; missing where several changes were merged. */
    readonly client: string | undefined;
    /** Messages that the merging left out. */
    readonly dropped: number;
  };
  readonly message: {
    readonly name: string;
    readonly arguments: readonly PlainValue[];
    readonly isOwn: boolean;
    readonly client: string | undefined;
  };
  /** All properties are new: at first, and where it is not known what was missed. `dropped`: messages missed; null: unknown. */
  readonly reset: { readonly dropped: number | null };
  /** It was opened, or it is closed for good with the error. */
  readonly state: { readonly isOpen: boolean; readonly error: SluiceError | undefined };
}

/** What the object needs of its connection. */
export interface ObjectOwner {
  opened(object: SharedObjectEndpoint, path: string): void;
  /** Closed for good, by refusal or by the program. */
  gone(name: string): void;
  /** Asks again after a while. */
  retry(object: SharedObjectEndpoint): void;
}

/** What the connection asks of an object, whatever its properties are. */
export interface SharedObjectEndpoint {
  readonly name: string;
  attach(wire: Wire, client: string): void;
  detach(): void;
  /** @returns false where it does not follow on what was */
  deliver(message: SnapshotMessage | ChangeMessage): boolean;
  end(error: SluiceError): void;
}

/** Writes of one batch; all are done, or none. */
export interface Batch<Props> {
  set<N extends Name<Props>>(name: N, value: Props[N]): void;
  /** Then the whole batch depends on it, and shows once it is done. */
  compareAndSet<N extends Name<Props>>(name: N, value: Props[N], expected?: PositionText | null): void;
  remove(name: Name<Props>): void;
  send(name: string, ...args: readonly PlainValue[]): void;
}

interface Waiting {
  readonly operations: readonly WishedOperation[];
  readonly wish: Wish | undefined;
  readonly settle: (outcome: Outcome) => void;
}

export class SharedObject<Props extends object = Record<string, PlainValue>>
  implements SharedObjectEndpoint, Disposable
{
  readonly name: string;
  readonly #durability: Durability | undefined;
  readonly #owner: ObjectOwner;
  readonly #state = new ObjectState();
  readonly #listeners = new Listeners<ObjectEvents<Props>>();
  readonly #opened = Promise.withResolvers<void>();
  /** Own writes on the present connection, by id. */
  readonly #sent = new Map<number, Wish | undefined>();
  #waiting: Waiting[] = [];
  #wire: Wire | undefined;
  /** Ids of this client: now, and on the connection before. */
  #clients: readonly string[] = [];
  #path: string | undefined;
  #error: SluiceError | undefined;

  constructor(name: string, durability: Durability | undefined, owner: ObjectOwner) {
    this.name = name;
    this.#durability = durability;
    this.#owner = owner;
    this.#opened.promise.catch(() => {});
  }

  /** Resolves with the first snapshot; rejects where the object may not be opened. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** With this client's own writes, before they are answered. */
  get<N extends Name<Props>>(name: N): Props[N] | undefined {
    return this.#state.get(name) as Props[N] | undefined;
  }

  /** All properties, likewise. */
  entries(): ReadonlyMap<Name<Props>, PlainValue> {
    return this.#state.shown() as ReadonlyMap<string, PlainValue> as ReadonlyMap<Name<Props>, PlainValue>;
  }

  /** Where a property stands, for `compareAndSet`; null: it does not exist. */
  positionOf(name: Name<Props>): PositionText | null {
    return this.#state.find(name)?.at ?? null;
  }

  /** Id of the client that has the lock. */
  get lockOwner(): string | undefined {
    return this.#state.lockOwner;
  }

  set<N extends Name<Props>>(name: N, value: Props[N]): Promise<void> {
    return this.#write([{ type: "set", name, value: value as PlainValue }]);
  }

  /**
   * Sets it if it still stands at `expected`; else rejects with `stale` and the true value. Shows once it is done.
   * @param expected  where the property stood when the program looked; missing: where it stands now, as far as this client knows
   */
  compareAndSet<N extends Name<Props>>(name: N, value: Props[N], expected = this.positionOf(name)): Promise<void> {
    return this.#write([{ type: "set", name, value: value as PlainValue, expected }]);
  }

  remove(name: Name<Props>): Promise<void> {
    return this.#write([{ type: "remove", name }]);
  }

  clear(): Promise<void> {
    return this.#write([{ type: "clear" }]);
  }

  /** To all who have the object open, this client too. Nothing is kept of it. */
  send(name: string, ...args: readonly PlainValue[]): Promise<void> {
    return this.#write([{ type: "message", name, arguments: args }]);
  }

  /** @param fill  called at once */
  batch(fill: (batch: Batch<Props>) => void): Promise<void> {
    const operations: WishedOperation[] = [];
    fill({
      set: (name, value) => operations.push({ type: "set", name, value: value as PlainValue }),
      compareAndSet: (name, value, expected = this.positionOf(name)) =>
        operations.push({ type: "set", name, value: value as PlainValue, expected }),
      remove: (name) => operations.push({ type: "remove", name }),
      send: (name, ...args) => operations.push({ type: "message", name, arguments: args }),
    });
    return this.#write(operations);
  }

  /** Others' writes are refused until `unlock`, or for `lease` milliseconds, or until this client goes. */
  lock(lease: number): Promise<void> {
    return this.#write([{ type: "lock", lease }]);
  }

  unlock(): Promise<void> {
    return this.#write([{ type: "unlock" }]);
  }

  /** @returns ends it */
  on<Type extends keyof ObjectEvents<Props>>(
    type: Type,
    listener: (event: ObjectEvents<Props>[Type]) => void,
  ): () => void {
    return this.#listeners.add(type, listener);
  }

  /** For this client; what it locked is free. */
  close(): void {
    if (this.#error !== undefined) return;
    if (this.#path !== undefined) this.#wire?.request({ type: "close", object: this.#path }, () => {});
    this.end(new SluiceError("closed", this.name));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  attach(wire: Wire, client: string): void {
    this.detach();
    this.#wire = wire;
    if (this.#clients[0] !== client) this.#clients = [client, ...this.#clients].slice(0, 2);
    const from = this.#state.at;
    wire.request(
      {
        type: "open",
        name: this.name,
        ...(this.#durability !== undefined && { durability: this.#durability }),
        ...(from !== undefined && { from }),
      },
      (outcome) => this.#opening(wire, outcome),
    );
  }

  detach(): void {
    this.#wire = undefined;
    this.#path = undefined;
    this.#sent.clear();
    this.#state.pass();
  }

  deliver(message: SnapshotMessage | ChangeMessage): boolean {
    if (message.type === "snapshot") {
      this.#state.reset(message);
      this.#opened.resolve();
      this.#listeners.tell("reset", { dropped: message.dropped });
      return true;
    }
    const { by, operations } = message;
    const isOwn = by !== undefined && this.#clients.includes(by.client);
    const names = this.#state.apply(message, by?.client === this.#clients[0] ? this.#sent.get(by?.id ?? 0) : undefined);
    if (names === undefined) return false;
    const dropped = message.dropped ?? 0;
    if (names.size > 0 || dropped > 0) {
      const shown = names as ReadonlySet<Name<Props>>;
      this.#listeners.tell("change", { names: shown, isOwn, client: by?.client, dropped });
    }
    for (const operation of operations) {
      if (operation.type !== "message") continue;
      const { name, arguments: args } = operation;
      this.#listeners.tell("message", { name, arguments: args, isOwn, client: by?.client });
    }
    return true;
  }

  end(error: SluiceError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.detach();
    this.#owner.gone(this.name);
    for (const { settle } of this.#waiting.splice(0)) settle(error);
    this.#opened.reject(error);
    this.#listeners.tell("state", { isOpen: false, error });
  }

  #opening(wire: Wire, outcome: Outcome): void {
    if (wire !== this.#wire) return;
    if (outcome instanceof SluiceError) {
      if (outcome.code === "unavailable" || outcome.code === "rate") this.#owner.retry(this);
      else if (outcome.code !== "unknown-outcome") this.end(outcome);
      return;
    }
    this.#path = outcome.object ?? this.name;
    this.#owner.opened(this, this.#path);
    if (outcome.recovered === true) this.#opened.resolve();
    this.#listeners.tell("state", { isOpen: true, error: undefined });
    this.#sendWaiting();
  }

  #write(operations: readonly WishedOperation[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Who does not wait for a write, as while dragging, does not hear of its refusal either.
    promise.catch(() => {});
    const refusal = this.#error ?? findFault(operations) ?? this.#fullness();
    if (refusal !== undefined) {
      reject(refusal);
      return promise;
    }
    // A conditional write may well be refused: it shows once it is done.
    const isCertain = operations.every((operation) => !("expected" in operation));
    const wish = isCertain ? { operations, isDone: false, isPassed: false } : undefined;
    if (wish !== undefined) this.#state.wish(wish);
    const settle = (outcome: Outcome): void => {
      if (outcome instanceof SluiceError) {
        if (wish !== undefined) this.#state.forget(wish);
        reject(outcome);
        return;
      }
      if (wish !== undefined) this.#state.done(wish, outcome.at);
      resolve();
    };
    this.#waiting.push({ operations, wish, settle });
    this.#sendWaiting();
    return promise;
  }

  #fullness(): SluiceError | undefined {
    return this.#waiting.length >= SDK_LIMITS.waitingWrites ? new SluiceError("limit", "waitingWrites") : undefined;
  }

  #sendWaiting(): void {
    while (this.#path !== undefined && this.#wire !== undefined && this.#waiting.length > 0) {
      if (this.#wire.unansweredCount >= SLUICE_V1_LIMITS.requestsInFlight / 2) return;
      this.#sendOne(this.#wire, this.#path, this.#waiting.shift() as Waiting);
    }
  }

  #sendOne(wire: Wire, object: string, { operations, wish, settle }: Waiting): void {
    const id = wire.request({ type: "write", object, operations }, (outcome) => {
      if (wire === this.#wire) this.#sent.delete(id);
      settle(outcome);
      this.#sendWaiting();
    });
    this.#sent.set(id, wish);
  }
}

/** @returns what would be refused, found before it is sent */
function findFault(operations: readonly WishedOperation[]): SluiceError | undefined {
  for (const [i, operation] of operations.entries()) {
    const path = `operations[${i}]`;
    try {
      if ("name" in operation && !isPlainName(operation.name)) return new SluiceError("not-plain", operation.name);
      if (operation.type === "set") checkPlainValue(operation.value, `${path}.value`, SLUICE_V1_LIMITS.depth);
      if (operation.type === "message")
        checkPlainValue(operation.arguments, `${path}.arguments`, SLUICE_V1_LIMITS.depth);
    } catch (error) {
      return new SluiceError("not-plain", (error as { readonly context: { readonly path: string } }).context.path);
    }
  }
  return undefined;
}
