/** A shared object as server code uses it: a map that is read without waiting, and events that come once per node or once. */
import type { AmfValue } from "@sluice/amf/value";
import type { Outcome, Wish } from "./change.ts";
import { OBJECT_LIMITS, type ObjectLimits } from "./limits.ts";
import type { ConnectOptions, ConnectOutcome, ObjectClient } from "./object-client.ts";
import type { Delivery } from "./object-copy.ts";
import type { ObjectHost } from "./object-host.ts";
import type { SharedObject } from "./shared-object.ts";
import { ORIGIN, type Position } from "./position.ts";
import { messageWish, removeWish, setWish } from "./wishes.ts";

export type MapEvent =
  | { readonly type: "set"; readonly name: string; readonly value: AmfValue }
  | { readonly type: "removed"; readonly name: string }
  /** All properties at once. */
  | { readonly type: "cleared" }
  /** Of `send`; in order with the changes. */
  | { readonly type: "message"; readonly name: string; readonly args: readonly AmfValue[] }
  /** Messages that this node could not be given; undefined: nobody knows how many. */
  | { readonly type: "missed"; readonly messageCount: number | undefined }
  /** Everything may be another: read anew what matters. */
  | { readonly type: "reset" };

/** Where a listener is called: on each node that has opened the map, or on whichever is the home at that moment. */
export type ListenAt = "everywhere" | "home";

/** A value that was there, or was put there; or why neither could be. */
export type GetOrCreateOutcome =
  | { readonly type: "found" | "created"; readonly value: AmfValue }
  | Exclude<Outcome, { readonly type: "success" }>;

export interface SharedMapOptions extends Omit<ConnectOptions, "ready" | "from"> {
  readonly limits?: Pick<ObjectLimits, "nameBytes" | "valueBytes">;
}

export class SharedMap implements Disposable {
  /** Reads show the home's values once this has resolved. */
  readonly connected: Promise<ConnectOutcome>;
  readonly #object: SharedObject;
  readonly #client: ObjectClient;
  readonly #limits: Pick<ObjectLimits, "nameBytes" | "valueBytes">;
  readonly #listeners = new Map<(event: MapEvent) => void, ListenAt>();

  /** Throws as `ObjectHost.connect` does. */
  constructor(host: ObjectHost, path: string, options: SharedMapOptions) {
    this.#limits = options.limits ?? OBJECT_LIMITS;
    this.#client = host.connect(path, { ...options, ready: () => this.#takeAll() });
    this.#object = host.find(path) as SharedObject;
    this.connected = this.#client.connected;
  }

  /** Of this node's copy, which is where the home was a moment ago. */
  get(name: string): AmfValue {
    return this.#object.copy.state.properties.get(name)?.plain.value;
  }

  get names(): readonly string[] {
    return [...this.#object.copy.state.properties.keys()];
  }

  /** For `compareAndSet`; `ORIGIN` where the property does not exist. */
  positionOf(name: string): Position {
    return this.#object.copy.state.current(name).at;
  }

  /** @throws {NotPlainDataError} with the path of what cannot be shared. @throws {ObjectLimitError} */
  async set(name: string, value: unknown): Promise<Outcome> {
    return this.#write([setWish(name, value, undefined, this.#limits)]);
  }

  /** Refused as `stale`, with the true value, unless the property stands there still. Throws as `set` does. */
  async compareAndSet(name: string, expected: Position, value: unknown): Promise<Outcome> {
    return this.#write([setWish(name, value, expected, this.#limits)]);
  }

  async delete(name: string): Promise<Outcome> {
    return this.#write([removeWish(name)]);
  }

  /** Of all that do this at once, on all nodes, one creates, and all are told its value. Throws as `set` does. */
  async getOrCreate(name: string, make: () => unknown): Promise<GetOrCreateOutcome> {
    const standing = this.#object.copy.state.properties.get(name);
    if (standing !== undefined) return { type: "found", value: standing.plain.value };
    const wish = setWish(name, make(), ORIGIN, this.#limits);
    const outcome = await this.#write([wish]);
    if (outcome.type === "success")
      return { type: "created", value: wish.type === "set" ? wish.plain.value : undefined };
    const { status, current } = outcome;
    const found = current[0]?.plain;
    return status === "stale" && found !== undefined ? { type: "found", value: found.value } : outcome;
  }

  /** Calls the listeners of all nodes, in order with the changes. Throws as `set` does. */
  async send(name: string, ...args: readonly unknown[]): Promise<Outcome> {
    return this.#write([messageWish(name, args, this.#limits)]);
  }

  /** From the next change on. What a home had not told its own listeners when it died is not told by the next. */
  listen(at: ListenAt, listener: (event: MapEvent) => void): Disposable {
    this.#listeners.set(listener, at);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    this.#client[Symbol.dispose]();
  }

  async #write(wishes: readonly Wish[]): Promise<Outcome> {
    const connected = await this.connected;
    return connected.type === "refused" ? connected : this.#client.write(wishes);
  }

  #takeAll(): void {
    for (let delivery = this.#client.take(); delivery !== undefined; delivery = this.#client.take()) {
      for (const event of eventsOf(delivery)) this.#tell(event);
    }
  }

  #tell(event: MapEvent): void {
    for (const [listener, at] of this.#listeners) if (at === "everywhere" || this.#object.isHome) listener(event);
  }
}

function eventsOf(delivery: Delivery): readonly MapEvent[] {
  if (delivery.type === "snapshot") {
    const missed: MapEvent = { type: "missed", messageCount: delivery.droppedMessages };
    return delivery.droppedMessages === 0 ? [{ type: "reset" }] : [missed, { type: "reset" }];
  }
  const { operations, droppedMessages } = delivery.change;
  const events: MapEvent[] = droppedMessages > 0 ? [{ type: "missed", messageCount: droppedMessages }] : [];
  for (const operation of operations) {
    if (operation.type === "set") events.push({ type: "set", name: operation.name, value: operation.plain.value });
    else if (operation.type === "remove") events.push({ type: "removed", name: operation.name });
    else if (operation.type === "clear") events.push({ type: "cleared" });
    else if (operation.type === "message") {
      events.push({ type: "message", name: operation.name, args: operation.plain.value as readonly AmfValue[] });
    }
  }
  return events;
}
