/** A simulated network: delays, losses, cuts and partitions, all from one seed and on the fake clock. */
import type { Millis } from "@sluice/base/brand";
import type { FakeClock } from "./fake-clock.ts";
import { randomBelow, seededRandom } from "./random.ts";
import type { SimClock } from "./sim-clock.ts";
import { type CutMode, SimLane } from "./sim-lane.ts";

/** Events of a node. Events from one peer come in the order in which it sent them, except datagrams. */
export type SimEvent<Message> =
  | { readonly type: "message"; readonly from: string; readonly message: Message }
  | { readonly type: "datagram"; readonly from: string; readonly message: Message }
  /** The ordered stream to that peer broke: messages in flight are lost, in both directions. */
  | { readonly type: "closed"; readonly peer: string }
  /** The ordered stream to that peer can be used (again). */
  | { readonly type: "opened"; readonly peer: string };

export interface SimEndpoint<Message> {
  receive(event: SimEvent<Message>): void;
}

export interface SimNetworkOptions {
  readonly clock: FakeClock;
  readonly seed: number;
  /** Delay of each message in milliseconds, uniformly distributed. */
  readonly delay?: { readonly min: number; readonly max: number };
  /** Probability of loss and of duplication of a datagram. An open ordered stream loses nothing. */
  readonly loss?: number;
  readonly duplication?: number;
}

export interface SimCounters {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
}

interface SimNode<Message> {
  readonly endpoint: SimEndpoint<Message>;
  readonly clock: SimClock;
}

/** Nodes are names. Each pair has one ordered stream, open from the start, and datagrams. */
export class SimNetwork<Message> {
  readonly counters: SimCounters = { sent: 0, delivered: 0, lost: 0, duplicated: 0 };
  readonly #options: SimNetworkOptions;
  readonly #random: () => number;
  readonly #nodes = new Map<string, SimNode<Message>>();
  readonly #lanes = new Map<string, SimLane>();

  constructor(options: SimNetworkOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  get names(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** Adds a node, or starts a removed one again: its streams open anew. */
  add(name: string, endpoint: SimEndpoint<Message>, clock: SimClock): void {
    this.#nodes.set(name, { endpoint, clock });
    for (const peer of this.names) if (peer !== name) this.#openIfPossible(name, peer);
  }

  /** Ends the process: peers receive `closed`, and messages in flight to and from it are lost. Stop its clock as well. */
  remove(name: string): void {
    this.#nodes.delete(name);
    for (const peer of this.names) this.#breakIfOpen(name, peer);
  }

  /** Sends on the ordered stream between two nodes. The message is not copied: never change it afterwards. */
  send(from: string, to: string, message: Message): void {
    this.counters.sent++;
    const lane = this.#lane(from, to);
    if (!lane.isOpen || lane.cut === "vanish") {
      this.counters.lost++;
      lane.hasHole ||= lane.cut === "vanish";
      return;
    }
    this.#ride(lane, { type: "message", from, message });
  }

  /** May be lost, duplicated and reordered. */
  sendDatagram(from: string, to: string, message: Message): void {
    this.counters.sent++;
    const copies = this.#random() < (this.#options.duplication ?? 0) ? 2 : 1;
    this.counters.duplicated += copies - 1;
    for (let copy = 0; copy < copies; copy++) {
      const isLost = this.#random() < (this.#options.loss ?? 0) || this.#lane(from, to).cut !== undefined;
      if (isLost) this.counters.lost++;
      else this.#later(this.#delay(), () => this.#deliver(to, { type: "datagram", from, message }));
    }
  }

  /** Cuts one direction. With `close` the whole stream breaks at once. */
  cut(from: string, to: string, mode: CutMode): void {
    const lane = this.#lane(from, to);
    lane.cut = mode;
    if (mode === "close") this.#breakIfOpen(from, to);
    if (mode === "vanish") {
      lane.hasHole ||= lane.pendingCount > 0;
      this.#lose(lane);
    }
  }

  /** Cuts both directions between nodes of different groups; a node in no group is alone. */
  partition(groups: readonly (readonly string[])[], mode: CutMode): void {
    const groupOf = (name: string): number => groups.findIndex((group) => group.includes(name));
    for (const from of this.names) {
      for (const to of this.names) {
        const isTogether = groupOf(from) === groupOf(to) && groupOf(from) !== -1;
        if (from !== to && !isTogether) this.cut(from, to, mode);
      }
    }
  }

  /** Heals one direction, or everything without names. */
  heal(from?: string, to?: string): void {
    for (const lane of this.#lanes.values()) {
      const isMeant = (from === undefined || lane.from === from) && (to === undefined || lane.to === to);
      if (isMeant && lane.cut !== undefined) this.#healLane(lane);
    }
  }

  #healLane(lane: SimLane): void {
    lane.cut = undefined;
    for (const arrive of lane.takeHeld()) arrive();
    if (lane.hasHole) this.#breakIfOpen(lane.from, lane.to);
    lane.hasHole = false;
    this.#openIfPossible(lane.from, lane.to);
  }

  /** A stream needs both nodes and both directions to open, though not to stay open. */
  #openIfPossible(a: string, b: string): void {
    const lanes = [this.#lane(a, b), this.#lane(b, a)];
    const isPossible = lanes.every((lane) => lane.cut === undefined && !lane.isOpen && this.#nodes.has(lane.from));
    if (!isPossible) return;
    for (const lane of lanes) {
      lane.isOpen = true;
      this.#ride(lane, { type: "opened", peer: lane.from }, "news");
    }
  }

  #breakIfOpen(a: string, b: string): void {
    for (const lane of [this.#lane(a, b), this.#lane(b, a)]) {
      if (!lane.isOpen) continue;
      lane.isOpen = false;
      this.#lose(lane);
      this.#ride(lane, { type: "closed", peer: lane.from }, "news");
    }
  }

  #lose(lane: SimLane): void {
    this.counters.lost += lane.dropAll();
  }

  /** Events about the stream itself stay in order with its messages, but cannot be lost or held. */
  #ride(lane: SimLane, event: SimEvent<Message>, kind: "message" | "news" = "message"): void {
    const now = this.#options.clock.now();
    const ticket = kind === "message" ? lane.board() : undefined;
    this.#later(lane.nextArrival(now + this.#delay()) - now, () => {
      if (ticket === undefined) return this.#deliver(lane.to, event);
      if (lane.cut === "hold") lane.hold(() => this.#leave(lane, ticket, event));
      else this.#leave(lane, ticket, event);
    });
  }

  #leave(lane: SimLane, ticket: number, event: SimEvent<Message>): void {
    if (lane.leave(ticket)) this.#deliver(lane.to, event);
  }

  #deliver(to: string, event: SimEvent<Message>): void {
    const node = this.#nodes.get(to);
    if (node === undefined) return;
    if (event.type === "message" || event.type === "datagram") this.counters.delivered++;
    node.clock.run(() => node.endpoint.receive(event));
  }

  #delay(): number {
    const { min, max } = this.#options.delay ?? { min: 1, max: 3 };
    return min + randomBelow(this.#random, max - min + 1);
  }

  #later(delay: number, action: () => void): void {
    this.#options.clock.after(delay as Millis, action);
  }

  #lane(from: string, to: string): SimLane {
    const key = `${from}\0${to}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lane = new SimLane(from, to);
    this.#lanes.set(key, lane);
    return lane;
  }
}
