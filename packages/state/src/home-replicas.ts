/** The replicas of one home: each is given what it can take, and one of them is the standby that success waits for. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Change } from "./change.ts";
import { changeBytes } from "./history.ts";
import type { ObjectLimits, ObjectTimings } from "./limits.ts";
import type { Delivery, Feed, ObjectCopy } from "./object-copy.ts";
import type { Position } from "./position.ts";
import type { HomeMessage } from "./wire/object-message.ts";
import type { Epoch } from "@sluice/engine/epoch";

export interface HomeReplicasOptions {
  readonly path: string;
  readonly copy: ObjectCopy;
  readonly clock: Clock;
  readonly limits: ObjectLimits;
  readonly timings: ObjectTimings;
  /** Of the home as it is now. */
  readonly epoch: () => Epoch;
  readonly send: (node: string, message: HomeMessage) => void;
  /** A linked node that may be the standby; never one of `except`. */
  readonly chooseStandby: (except: readonly string[]) => string | undefined;
  /** The standby has more, or there is another or none. */
  readonly changed: () => void;
}

interface Replica {
  readonly interest: "clients" | "standby";
  readonly feed: Feed;
  /** Version of this home's order that it has for sure. */
  acked: number | undefined;
  /** Sent and not acknowledged, oldest first. */
  readonly inFlight: { readonly at: Position; readonly bytes: number }[];
  inFlightBytes: number;
  /** For the snapshot that comes first. */
  historyFrom: Position | undefined;
}

/** What a snapshot counts for in flight: a second one waits for the first. */
const SNAPSHOT_BYTES = 64 * 1024;

export class HomeReplicas implements Disposable {
  readonly #options: HomeReplicasOptions;
  readonly #replicas = new Map<string, Replica>();
  #standby: string | undefined;
  /** When the last standby was given up: until the lease was confirmed later, nobody knows who is cut off. */
  #aloneSince: Millis | undefined;
  #patience: Timer | undefined;
  /** Standbys that were silent, not to be chosen until they say something. */
  readonly #silent = new Set<string>();

  constructor(options: HomeReplicasOptions) {
    this.#options = options;
  }

  get standby(): string | undefined {
    return this.#standby;
  }

  /** When this home lost its standby; undefined while it has one, or never had. */
  get aloneSince(): Millis | undefined {
    return this.#aloneSince;
  }

  /** Nodes with clients of the object. */
  get interestedCount(): number {
    let count = 0;
    for (const { interest } of this.#replicas.values()) if (interest === "clients") count++;
    return count;
  }

  get nodes(): readonly string[] {
    return [...this.#replicas.keys()];
  }

  /** Whether the standby has all up to a version of this home's order; true where there is no standby. */
  standbyHas(version: number): boolean {
    return this.#standby === undefined || (this.#standbyAcked ?? -1) >= version;
  }

  /** Somebody waits for the standby: from now on it must not be silent for long. */
  awaitStandby(): void {
    if (this.#standby === undefined || this.#patience !== undefined) return;
    const node = this.#standby;
    const acked = this.#standbyAcked;
    this.#patience = this.#options.clock.after(this.#options.timings.standbyPatience, () => {
      this.#patience = undefined;
      if (this.#standby !== node || this.#standbyAcked !== acked) return this.#options.changed();
      this.#silent.add(node);
      this.#loseStandby();
    });
  }

  attach(
    node: string,
    wanted: {
      readonly interest: "clients" | "standby";
      position: Position | undefined;
      historyFrom: Position | undefined;
    },
  ): void {
    this.#replicas.get(node)?.feed[Symbol.dispose]();
    const feed = this.#options.copy.openFeed(wanted.position, () => this.#pump(node));
    const { interest, historyFrom } = wanted;
    const acked = feed.at?.version;
    this.#replicas.set(node, { interest, feed, acked, inFlight: [], inFlightBytes: 0, historyFrom });
    this.#silent.delete(node);
    this.chooseStandby();
    this.tellAttached(node);
    this.#pump(node);
    if (node === this.#standby) this.#options.changed();
  }

  /** All replicas ask again what was not answered. */
  tellAllAttached(): void {
    for (const node of this.#replicas.keys()) this.tellAttached(node);
  }

  tellAttached(node: string): void {
    const { path, epoch, send } = this.#options;
    send(node, { type: "attached", path, epoch: epoch() });
  }

  detach(node: string): void {
    this.#replicas.get(node)?.feed[Symbol.dispose]();
    this.#replicas.delete(node);
    if (this.#standby === node) this.#loseStandby();
  }

  ack(node: string, position: Position): void {
    const replica = this.#replicas.get(node);
    if (replica === undefined) return;
    const { inFlight } = replica;
    while (inFlight[0] !== undefined && inFlight[0].at.version <= position.version) {
      replica.inFlightBytes -= inFlight.shift()?.bytes ?? 0;
    }
    replica.acked = position.version;
    this.#silent.delete(node);
    this.chooseStandby();
    if (this.#standby === node) {
      this.#patience?.cancel();
      this.#patience = undefined;
      this.#options.changed();
    }
    this.#pump(node);
  }

  /** One that is linked and may be, if there is none yet. */
  chooseStandby(): void {
    if (this.#standby !== undefined) return;
    const node = this.#options.chooseStandby([...this.#silent]);
    if (node === undefined) return;
    const { path, epoch, send } = this.#options;
    this.#standby = node;
    this.#aloneSince = undefined;
    send(node, { type: "invite", path, epoch: epoch() });
  }

  [Symbol.dispose](): void {
    this.#patience?.cancel();
    for (const { feed } of this.#replicas.values()) feed[Symbol.dispose]();
    this.#replicas.clear();
  }

  get #standbyAcked(): number | undefined {
    return this.#standby === undefined ? undefined : this.#replicas.get(this.#standby)?.acked;
  }

  #loseStandby(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#standby = undefined;
    this.#aloneSince = this.#options.clock.now();
    this.chooseStandby();
    this.#options.changed();
  }

  #pump(node: string): void {
    const replica = this.#replicas.get(node);
    if (replica === undefined) return;
    while (replica.inFlightBytes < this.#options.limits.inFlightBytes) {
      const delivery = replica.feed.take();
      if (delivery === undefined) return;
      this.#send(node, replica, delivery);
    }
  }

  #send(node: string, replica: Replica, delivery: Delivery): void {
    const { path, epoch, send } = this.#options;
    if (delivery.type === "change") {
      const { change } = delivery;
      this.#count(replica, change.to, changeBytes(change));
      return send(node, { type: "change", path, epoch: epoch(), change });
    }
    const { snapshot } = delivery;
    this.#count(replica, snapshot.at, SNAPSHOT_BYTES);
    send(node, { type: "snapshot", path, epoch: epoch(), snapshot, history: this.#historyFor(replica) });
  }

  #count(replica: Replica, at: Position, bytes: number): void {
    replica.inFlight.push({ at, bytes });
    replica.inFlightBytes += bytes;
  }

  #historyFor(replica: Replica): readonly Change[] {
    const { history } = this.#options.copy;
    const from = replica.historyFrom;
    replica.historyFrom = undefined;
    const distance = from === undefined ? 0 : (history.distance(from) ?? 0);
    return distance === 0 ? [] : history.last(distance);
  }
}
