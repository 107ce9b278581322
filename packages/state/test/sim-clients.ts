/** Clients of simulated nodes, and what they write down. */
import { amfObject } from "@sluice/amf/value";
import type { Durability, Outcome, Wish } from "@sluice/state/change";
import type { ConnectOutcome, ObjectClient } from "@sluice/state/object-client";
import type { Delivery } from "@sluice/state/object-copy";
import { toPlain } from "@sluice/state/plain-data";
import type { Position } from "@sluice/state/position";
import type { SimNode } from "./sim-cluster.ts";

export interface TestClientOptions {
  readonly client?: string;
  readonly who?: Readonly<Record<string, string>>;
  readonly durability?: Durability;
  readonly from?: Position;
  /** It takes only when `takeAll` is called. */
  readonly isSlow?: boolean;
}

/** Takes everything at once unless it is slow. */
export class TestClient {
  readonly deliveries: Delivery[] = [];
  readonly outcomes: Outcome[] = [];
  connectOutcome: ConnectOutcome | undefined;
  readonly client: ObjectClient;

  constructor(node: Pick<SimNode, "name" | "host">, path: string, options: TestClientOptions = {}) {
    const { client = `${node.name}-${Math.floor(Math.random() * 1e9)}`, who = {}, durability, from, isSlow } = options;
    this.client = node.host.connect(path, {
      client,
      who: toPlain(amfObject(who), "who", 1_000),
      ...(durability !== undefined && { durability }),
      ...(from !== undefined && { from }),
      ready: () => {
        if (isSlow !== true) this.takeAll();
      },
    });
    void this.client.connected.then((outcome) => {
      this.connectOutcome = outcome;
    });
  }

  takeAll(): void {
    for (let one = this.client.take(); one !== undefined; one = this.client.take()) this.deliveries.push(one);
  }

  write(...wishes: readonly Wish[]): void {
    void this.client.write(wishes).then((outcome) => this.outcomes.push(outcome));
  }

  /** Values by name, by what was delivered. */
  get values(): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const delivery of this.deliveries) {
      if (delivery.type === "snapshot") {
        for (const name of Object.keys(values)) delete values[name];
        for (const [name, { plain }] of delivery.snapshot.properties) values[name] = plain.value;
        continue;
      }
      for (const operation of delivery.change.operations) {
        if (operation.type === "set") values[operation.name] = operation.plain.value;
        if (operation.type === "remove") delete values[operation.name];
        if (operation.type === "clear") for (const name of Object.keys(values)) delete values[name];
      }
    }
    return values;
  }

  /** What was delivered, in short: `snapshot 3`, `4`, `5-9`. */
  get story(): string {
    return this.deliveries
      .map((one) => {
        if (one.type === "snapshot") return `snapshot ${one.snapshot.at.version}`;
        const { from, to } = one.change;
        return to.version === from.version + 1 ? `${to.version}` : `${from.version + 1}-${to.version}`;
      })
      .join(", ");
  }
}
