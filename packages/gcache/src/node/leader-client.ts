/** On every member: sends writes and barriers to the leader, itself or another. */
import type { CommandSink, StoreFailure } from "@sluice/cache/resp/command-backend";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import type { MemberTransport } from "../members/member-transport.ts";
import type { ReplicatedStore } from "../resp/command-store.ts";
import {
  type CallOutcome,
  decodeCall,
  decodeReply,
  encodeCall,
  encodeReply,
  type MemberCall,
  type MemberOrder,
} from "../members/member-calls.ts";
import type { MemberOrders } from "./member-orders.ts";
import { CacheChangeError } from "./node-errors.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

export interface LeaderClientOptions {
  readonly commands: Pick<ReplicatedStore, "write" | "confirmRead">;
  readonly driver: Pick<ReplicaDriver<OperationAnswer>, "role" | "leader" | "status">;
  readonly orders: Pick<MemberOrders, "perform">;
  readonly transport: Pick<MemberTransport, "send">;
}

interface OpenCall {
  readonly to: string;
  readonly settle: (outcome: CallOutcome) => void;
}

/** The caller: another member, or a callback in this process. */
type Asker = { readonly from: string; readonly id: number } | ((outcome: CallOutcome) => void);

export class LeaderClient implements CommandSink {
  readonly #options: LeaderClientOptions;
  readonly #open = new Map<number, OpenCall>();
  readonly #askers = new Map<number, Asker>();
  #waits: { readonly index: number; readonly reached: () => void }[] = [];
  #lastCall = 0;
  #lastTicket = 0;

  constructor(options: LeaderClientOptions) {
    this.#options = options;
  }

  /** @param operation  encoded; kept, not copied. Never rejects. */
  write(operation: Uint8Array): Promise<CallOutcome> {
    return this.#ask({ type: "write", operation });
  }

  /** Never rejects. */
  order(order: MemberOrder): Promise<CallOutcome> {
    return this.#ask({ type: "order", order });
  }

  /** Resolves when this member's copy includes everything acknowledged before the call. */
  async barrier(): Promise<StoreFailure | "reached"> {
    const outcome = await this.#ask({ type: "barrier" });
    if (outcome.type === "failed") return outcome.failure;
    if (outcome.type === "barrier") await this.applied(outcome.index);
    return "reached";
  }

  /** Resolves when this member's copy includes the record at `index`. */
  async applied(index: number): Promise<void> {
    if (index > this.#applied) await this.#waitFor(index);
  }

  onCall(from: string, bytes: Uint8Array): void {
    const { id, ask } = decodeCall(bytes);
    this.#askHere(ask, { from, id });
  }

  onReply(bytes: Uint8Array): void {
    const { id, outcome } = decodeReply(bytes);
    const call = this.#open.get(id);
    this.#open.delete(id);
    call?.settle(outcome);
  }

  /** A member cannot answer any more what it was asked. */
  lost(member: string): void {
    for (const [id, call] of this.#open) {
      if (call.to !== member) continue;
      this.#open.delete(id);
      call.settle({ type: "failed", failure: "unknown-outcome" });
    }
  }

  endTurn(): void {
    if (this.#waits.length === 0) return;
    const applied = this.#applied;
    this.#waits = this.#waits.filter(({ index, reached }) => {
      if (index <= applied) reached();
      return index > applied;
    });
  }

  /** Ends pending calls with `unknown-outcome`. */
  close(): void {
    for (const call of this.#open.values()) call.settle({ type: "failed", failure: "unknown-outcome" });
    this.#open.clear();
    for (const ticket of [...this.#askers.keys()]) this.#settle(ticket, { type: "failed", failure: "unknown-outcome" });
    for (const { reached } of this.#waits.splice(0)) reached();
  }

  answered(ticket: number, answer: OperationAnswer): void {
    this.#settle(ticket, { type: "answer", answer });
  }

  failed(ticket: number, failure: StoreFailure): void {
    this.#settle(ticket, { type: "failed", failure });
  }

  confirmed(ticket: number): void {
    this.#settle(ticket, { type: "barrier", index: this.#applied });
  }

  replicated(): void {}

  /** Index of the last record applied here. */
  get #applied(): number {
    return this.#options.driver.status().applied;
  }

  #ask(ask: MemberCall["ask"]): Promise<CallOutcome> {
    return new Promise((resolve) => {
      if (this.#options.driver.role === "leader") return this.#askHere(ask, resolve);
      const { leader } = this.#options.driver;
      if (leader === undefined) return resolve({ type: "failed", failure: "no-leader" });
      const id = (this.#lastCall = (this.#lastCall + 1) >>> 0);
      this.#open.set(id, { to: leader, settle: resolve });
      if (this.#options.transport.send(leader, "call", encodeCall({ id, ask }))) return;
      this.#open.delete(id);
      resolve({ type: "failed", failure: "no-leader" });
    });
  }

  #askHere(ask: MemberCall["ask"], asker: Asker): void {
    const ticket = ++this.#lastTicket;
    this.#askers.set(ticket, asker);
    if (ask.type === "write") this.#options.commands.write(this, ticket, ask.operation);
    else if (ask.type === "order") void this.#perform(ticket, ask.order);
    else this.#options.commands.confirmRead(this, ticket);
  }

  async #perform(ticket: number, order: MemberOrder): Promise<void> {
    try {
      await this.#options.orders.perform(order);
      this.#settle(ticket, { type: "ordered" });
    } catch (error) {
      if (!(error instanceof CacheChangeError)) throw error;
      this.#settle(ticket, { type: "refused", reason: error.context.reason });
    }
  }

  #settle(ticket: number, outcome: CallOutcome): void {
    const asker = this.#askers.get(ticket);
    this.#askers.delete(ticket);
    if (typeof asker === "function") asker(outcome);
    else if (asker !== undefined) this.#options.transport.send(asker.from, "reply", encodeReply(asker.id, outcome));
  }

  #waitFor(index: number): Promise<void> {
    return new Promise((resolve) => this.#waits.push({ index, reached: resolve }));
  }
}
