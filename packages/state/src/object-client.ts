/** One client's use of an object: what it wishes, and what it is given at its own pace. */
import type { Clock } from "@sluice/base/clock";
import { type Durability, type Outcome, refusal, type Wish } from "./change.ts";
import type { Delivery, Feed, ObjectCopy } from "./object-copy.ts";
import type { Request } from "./outstanding.ts";
import type { Plain } from "./plain-data.ts";
import type { Position } from "./position.ts";
import { TokenBucket } from "./token-bucket.ts";

/** How a client is connected. */
export type ConnectOutcome =
  /** @property recovered  it goes on from where it stood; false: it begins with a snapshot */
  { readonly type: "connected"; readonly recovered: boolean } | Exclude<Outcome, { readonly type: "success" }>;

export interface ConnectOptions {
  /** Unique in the cluster, and never used again. */
  readonly client: string;
  /** What guards are asked about. */
  readonly who: Plain;
  /** Undefined: as the object is; temporary where it does not exist. */
  readonly durability?: Durability;
  /** Where the client stands already. */
  readonly from?: Position;
  /** Of the request to connect, 1 if left out; those of writes are higher. */
  readonly sequence?: number;
  /** Called when there may be something to `take`, never within `connect`. It must not write, but may take. */
  readonly ready: () => void;
}

export interface ObjectClientPorts {
  readonly copy: ObjectCopy;
  readonly clock: Clock;
  readonly writesPerSecond: number;
  readonly ask: (request: Request, answer: (outcome: Outcome) => void) => void;
  readonly closed: (client: ObjectClient) => void;
}

export class ObjectClient implements Disposable {
  readonly options: ConnectOptions;
  /** Resolves when the home has answered, or could not be asked in time. */
  readonly connected: Promise<ConnectOutcome>;
  readonly #ports: ObjectClientPorts;
  readonly #bucket: TokenBucket;
  #feed: Feed | undefined;
  #sequence: number;
  #isClosed = false;

  constructor(options: ConnectOptions, ports: ObjectClientPorts) {
    this.options = options;
    this.#ports = ports;
    this.#bucket = new TokenBucket(ports.clock, ports.writesPerSecond);
    const { client, who, durability, sequence = 1 } = options;
    this.#sequence = sequence;
    const id = { client, sequence };
    const answered = new Promise<Outcome>((resolve) => ports.ask({ type: "connect", id, who, durability }, resolve));
    this.connected = answered.then((outcome) => this.#connect(outcome));
  }

  get id(): string {
    return this.options.client;
  }

  /** Sequence of the last request: that of a change names it in `by`. */
  get lastSequence(): number {
    return this.#sequence;
  }

  /** Where the client stands by what it took. */
  get at(): Position | undefined {
    return this.#feed?.at;
  }

  /** The next delivery; undefined while there is none. Nothing queues up: who takes late is given less. */
  take(): Delivery | undefined {
    return this.#feed?.take();
  }

  /**
   * All wishes as one change, or none. Never rejects.
   * @param sequence  names the request in `by` of the change; higher than all before, the next one if left out
   */
  write(wishes: readonly Wish[], sequence = this.#sequence + 1): Promise<Outcome> {
    if (this.#feed === undefined) return Promise.resolve(refusal("not-connected"));
    if (!this.#bucket.take()) return Promise.resolve(refusal("rate", "clientWrites"));
    const { client, who } = this.options;
    this.#sequence = sequence;
    const id = { client, sequence };
    return new Promise((resolve) => this.#ports.ask({ type: "write", id, who, wishes }, resolve));
  }

  /** What it locked is free. May be called twice. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#feed?.[Symbol.dispose]();
    this.#feed = undefined;
    this.#ports.closed(this);
  }

  #connect(outcome: Outcome): ConnectOutcome {
    if (outcome.type === "refused") {
      this[Symbol.dispose]();
      return outcome;
    }
    if (this.#isClosed) return refusal("not-connected");
    const { from, ready } = this.options;
    this.#feed = this.#ports.copy.openFeed(from, ready);
    const recovered = this.#feed.at !== undefined;
    ready();
    return { type: "connected", recovered };
  }
}
