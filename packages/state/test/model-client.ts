/** A client of the model: whatever it is given must be the home's order, or say that it starts anew. */
import { amfObject } from "@sluice/amf/value";
import type { Millis } from "@sluice/base/brand";
import type { Durability, Outcome, Wish } from "@sluice/state/change";
import type { ObjectClient } from "@sluice/state/object-client";
import type { Delivery } from "@sluice/state/object-copy";
import { toPlain } from "@sluice/state/plain-data";
import { formatPosition, isSamePosition, type Position } from "@sluice/state/position";
import { applied, messagesIn, type OrderRecord, sameValues, type Values, valuesOf, Violation } from "./order-record.ts";
import type { SimNode } from "./sim-cluster.ts";

const WHO = toPlain(amfObject({}), "who", 100);

export interface ModelClientOptions {
  readonly name: string;
  readonly path: string;
  readonly durability: Durability;
  readonly record: OrderRecord;
}

/** A write that succeeded. */
export interface Acknowledged {
  readonly at: Position;
  readonly by: string;
}

export class ModelClient {
  readonly acknowledged: Acknowledged[] = [];
  /** Milliseconds between two deliveries that it takes. */
  pace = 0;
  at: Position | undefined;
  values: Values = new Map();
  node: SimNode | undefined;
  connectionCount = 0;
  violation: Error | undefined;
  readonly counts = { changes: 0, merged: 0, snapshots: 0, recovered: 0, refused: 0 };
  readonly #options: ModelClientOptions;
  #client: ObjectClient | undefined;
  /** Where a delivery will be taken from soon. */
  #takingAt: SimNode | undefined;

  constructor(options: ModelClientOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  /** Goes on from where it stands. */
  connect(node: SimNode): void {
    this.disconnect();
    const { name, path, durability } = this.#options;
    const id = `${name}-${++this.connectionCount}`;
    this.node = node;
    const from = this.at;
    const client = node.host.connect(path, {
      client: id,
      who: WHO,
      durability,
      ...(from !== undefined && { from }),
      ready: () => this.#takeLater(node),
    });
    this.#client = client;
    void client.connected.then((outcome) => {
      if (this.#client !== client) return;
      if (outcome.type === "refused") this.#client = undefined;
      else if (outcome.recovered) this.counts.recovered++;
    });
  }

  /** @param isSilent  its node is dead, and says nothing more */
  disconnect(isSilent = false): void {
    const client = this.#client;
    this.#client = undefined;
    this.node = undefined;
    if (!isSilent) client?.[Symbol.dispose]();
  }

  write(wishes: readonly Wish[]): void {
    const client = this.#client;
    if (client === undefined || this.node?.clock.isPaused === true) return;
    void client.write(wishes).then((outcome: Outcome) => {
      if (outcome.type === "success") this.acknowledged.push({ at: outcome.at, by: client.id });
      else this.counts.refused++;
    });
  }

  versionOf(name: string): number {
    return Number(this.values.get(name)?.split("@")[1] ?? 0);
  }

  #takeLater(node: SimNode): void {
    if (this.#takingAt === node) return;
    this.#takingAt = node;
    node.clock.after(this.pace as Millis, () => {
      this.#takingAt = undefined;
      const delivery = this.node === node ? this.#client?.take() : undefined;
      if (delivery === undefined) return;
      try {
        this.#check(delivery);
      } catch (error) {
        this.violation ??= error as Error;
      }
      this.#takeLater(node);
    });
  }

  #check(delivery: Delivery): void {
    const { record } = this.#options;
    if (delivery.type === "snapshot") {
      this.counts.snapshots++;
      this.at = delivery.snapshot.at;
      this.values = valuesOf(delivery.snapshot);
    } else {
      const { change } = delivery;
      if (this.at === undefined || !isSamePosition(change.from, this.at)) {
        const at = this.at === undefined ? "nowhere" : formatPosition(this.at);
        throw new Violation(
          `${this.#options.name} stands at ${at} and is given a change from ${formatPosition(change.from)}`,
        );
      }
      const missed = record.between(change.from, change.to);
      const sent = missed.reduce((sum, one) => sum + messagesIn(one), 0);
      if (sent !== messagesIn(change) + change.droppedMessages)
        throw new Violation(`${sent} messages were sent, not so many told`);
      this.counts[missed.length > 1 ? "merged" : "changes"]++;
      this.at = change.to;
      this.values = applied(this.values, change);
    }
    if (!sameValues(this.values, record.valuesAt(this.at))) {
      throw new Violation(`${this.#options.name} has other values at ${formatPosition(this.at)}`);
    }
  }
}
