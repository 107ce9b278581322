/** All shared objects of one node: opens them for clients, and gives each what other nodes say of it. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import { ObjectLimitError } from "./errors.ts";
import { OBJECT_LIMITS, OBJECT_TIMINGS } from "./limits.ts";
import type { ConnectOptions, ObjectClient } from "./object-client.ts";
import type { ObjectLinks, ObjectPorts } from "./ports.ts";
import { ORIGIN } from "./position.ts";
import { SharedObject } from "./shared-object.ts";
import { decodeMessage } from "./wire/decode.ts";
import { encodeMessage } from "./wire/encode.ts";
import type { ObjectMessage } from "./wire/object-message.ts";

export type ObjectHostOptions = Omit<ObjectPorts, "limits" | "timings" | "nodes" | "send" | "guard"> &
  Partial<Pick<ObjectPorts, "limits" | "timings" | "guard">> & { readonly links: ObjectLinks };

export class ObjectHost implements AsyncDisposable {
  readonly #links: ObjectLinks;
  readonly #ports: ObjectPorts;
  readonly #objects = new Map<string, SharedObject>();
  readonly #watch: Disposable;
  #isClosed = false;

  constructor(options: ObjectHostOptions) {
    const { links, limits = OBJECT_LIMITS, timings = OBJECT_TIMINGS, guard = {} } = options;
    this.#links = links;
    this.#ports = {
      ...options,
      limits,
      timings,
      guard,
      nodes: () => links.nodes,
      send: (node, message) => links.send(node, encodeMessage(message)),
    };
    this.#watch = options.ownership.onChange((path) => this.#objects.get(path)?.ownershipChanged());
  }

  /** Objects that this node has a copy of, as they are now. */
  get objects(): readonly SharedObject[] {
    return [...this.#objects.values()];
  }

  find(path: string): SharedObject | undefined {
    return this.#objects.get(path);
  }

  /**
   * Opens the object for a client; where it does not exist it is created at its home.
   * @throws {ObjectLimitError} for a path that is too long, and for one object or client too many
   */
  connect(path: string, options: ConnectOptions): ObjectClient {
    return this.#open(path).connect(options);
  }

  /** The object stays although nobody uses it, until the answer is disposed of. Throws as `connect` does. */
  pin(path: string): Disposable {
    return this.#open(path).pin();
  }

  linkUp(_node: string): void {
    for (const object of this.objects) object.linkUp();
  }

  /** What was sent and not taken is lost. */
  linkDown(node: string): void {
    for (const object of this.objects) object.linkDown(node);
  }

  /** Keeps nothing of `bytes`. @throws {WireError} for what no node sends: the link must end */
  receive(from: string, bytes: Uint8Array): void {
    const message = decodeMessage(bytes);
    if (message === undefined || this.#isClosed) return;
    const known = this.#objects.get(message.path);
    if (known !== undefined) return known.receive(from, message);
    switch (message.type) {
      case "attach":
      case "invite":
      case "hand-over":
        if (this.#objects.size < this.#ports.limits.objects) return this.#add(message.path).receive(from, message);
        return this.#refuse(from, message);
      case "inquire": {
        const { path, epoch } = message;
        return this.#links.send(from, encodeMessage({ type: "standing", path, epoch, position: ORIGIN }));
      }
      default: // it was forgotten here; whoever waits for an answer has a time limit
    }
  }

  /** Durable objects are written, as far as the engine can be reached; then the claims are given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.objects.map((object) => object.close()));
    this.#watch[Symbol.dispose]();
  }

  #open(path: string): SharedObject {
    const known = this.#objects.get(path);
    if (known !== undefined) return known;
    const { objects, pathBytes } = this.#ports.limits;
    const wanted = encodeUtf8(path).length;
    if (wanted > pathBytes) throw new ObjectLimitError({ limit: "pathBytes", wanted, allowed: pathBytes });
    if (this.#objects.size >= objects) {
      throw new ObjectLimitError({ limit: "objects", wanted: this.#objects.size + 1, allowed: objects });
    }
    return this.#add(path);
  }

  #add(path: string): SharedObject {
    const object = new SharedObject(path, this.#ports, () => {
      if (this.#objects.get(path) === object) this.#objects.delete(path);
    });
    this.#objects.set(path, object);
    return object;
  }

  #refuse(from: string, message: ObjectMessage & { readonly type: "attach" | "invite" | "hand-over" }): void {
    const { path } = message;
    if (message.type === "attach") this.#links.send(from, encodeMessage({ type: "gone", path, epoch: ORIGIN.epoch }));
    if (message.type !== "hand-over") return;
    this.#links.send(from, encodeMessage({ type: "handed", path, epoch: message.epoch, isTaken: false }));
  }
}
