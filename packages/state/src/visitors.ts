/** Other nodes at a home, or at what they take for it: who waits for it, what their clients ask, and who those are. */
import type { AmfObject } from "@sluice/amf/value";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import { type Outcome, refusal, type RequestId } from "./change.ts";
import type { Home } from "./home.ts";
import type { Plain } from "./plain-data.ts";
import type { HomeMessage, ReplicaMessage } from "./wire/object-message.ts";

type Attach = ReplicaMessage & { readonly type: "attach" };

export interface VisitorsOptions {
  readonly path: string;
  /** Clients of one node. */
  readonly limit: number;
  readonly send: (node: string, message: HomeMessage) => void;
}

export class Visitors {
  readonly #options: VisitorsOptions;
  /** Nodes that take this one for the home, while it is not. */
  readonly #waiting = new Map<string, Attach>();
  /** By node and client. */
  readonly #known = new Map<string, Map<string, Plain>>();

  constructor(options: VisitorsOptions) {
    this.#options = options;
  }

  get isWaitedFor(): boolean {
    return this.#waiting.size > 0;
  }

  /** @param home  undefined: not the home just now; whoever asked will be told `attached` or `gone`, and asks again */
  receive(from: string, message: ReplicaMessage, home: Home | undefined): void {
    switch (message.type) {
      case "attach":
        this.#known.delete(from); // it tells them anew
        if (home === undefined) this.#waiting.set(from, message);
        else home.replicas.attach(from, message);
        return;
      case "detach":
        this.forget(from);
        return home?.replicas.detach(from);
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

  /** By node. */
  get counts(): ReadonlyMap<string, number> {
    return new Map([...this.#known].map(([node, clients]) => [node, clients.size]));
  }

  findWho(client: string): Plain | undefined {
    for (const clients of this.#known.values()) if (clients.has(client)) return clients.get(client);
    return undefined;
  }

  clientsOf(node: string): ReadonlySet<string> {
    return new Set(this.#known.get(node)?.keys());
  }

  forget(node: string): void {
    this.#known.delete(node);
    this.#waiting.delete(node);
  }

  /** Whoever waited has found the home. */
  welcome(home: Home): void {
    for (const [node, attach] of this.#waiting) home.replicas.attach(node, attach);
    this.#waiting.clear();
  }

  /** The home is elsewhere. @param epoch  of that one */
  sendAway(epoch: Epoch): void {
    const { path, send } = this.#options;
    for (const node of this.#waiting.keys()) send(node, { type: "gone", path, epoch });
    this.#waiting.clear();
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
