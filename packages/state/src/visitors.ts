/** What clients of other nodes ask of the home, and who they are. */
import type { AmfObject } from "@sluice/amf/value";
import { compareEpochs } from "@sluice/engine/epoch";
import { type Outcome, refusal, type RequestId } from "./change.ts";
import type { Home } from "./home.ts";
import type { Plain } from "./plain-data.ts";
import type { HomeMessage, ReplicaMessage } from "./wire/object-message.ts";

/** All that a replica says, but for its coming and going. */
export type VisitorMessage = Exclude<ReplicaMessage, { readonly type: "attach" | "detach" }>;

export interface VisitorsOptions {
  readonly path: string;
  /** Clients of one node. */
  readonly limit: number;
  readonly send: (node: string, message: HomeMessage) => void;
}

export class Visitors {
  readonly #options: VisitorsOptions;
  /** By node and client. */
  readonly #known = new Map<string, Map<string, Plain>>();

  constructor(options: VisitorsOptions) {
    this.#options = options;
  }

  /** @param home  undefined: not the home just now; whoever asked will be told `attached` or `gone`, and asks again */
  receive(from: string, message: VisitorMessage, home: Home | undefined): void {
    switch (message.type) {
      case "connect":
        this.#meet(from, message.id.client, message.who);
        home?.connect({ ...message, who: message.who.value as AmfObject }, this.#answerTo(from, message.id));
        return;
      case "write": {
        if (message.who !== undefined) this.#meet(from, message.id.client, message.who);
        const who = this.#known.get(from)?.get(message.id.client);
        const answer = this.#answerTo(from, message.id);
        if (home === undefined) return;
        if (who === undefined) answer(refusal("not-connected"));
        else home.write(message, who.value as AmfObject, answer);
        return;
      }
      case "leave":
        this.#known.get(from)?.delete(message.client);
        return home?.leave(message.client);
      case "ack":
        if (home === undefined || compareEpochs(message.epoch, home.firstEpoch) < 0) return;
        home.replicas.ack(from, message.position);
    }
  }

  forget(node: string): void {
    this.#known.delete(node);
  }

  clear(): void {
    this.#known.clear();
  }

  #meet(from: string, client: string, who: Plain): void {
    const clients = this.#known.get(from) ?? new Map<string, Plain>();
    this.#known.set(from, clients);
    if (clients.size < this.#options.limit) clients.set(client, who);
  }

  #answerTo(node: string, id: RequestId): (outcome: Outcome) => void {
    const { path, send } = this.#options;
    return (outcome) => send(node, { type: "answer", path, id, outcome });
  }
}
