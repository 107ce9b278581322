/** A small replicated store for trying the checker on: right as it stands, and wrong in one way where a fault is planted. */
import type { RegisterAnswer, RegisterCall, RegisterValue } from "@sluice/testkit/history";
import type { SimClock } from "@sluice/testkit/sim-clock";
import type { SimEvent, SimNetwork } from "@sluice/testkit/sim-network";

export type Fault =
  /** A leader answers reads from its own memory, without asking whether it still is one. */
  | "no-lease"
  /** A write is answered before anybody else has it. */
  | "ack-before-replication"
  /** Any replica answers reads. */
  | "stale-read"
  /** A request that comes twice is done twice. */
  | "double-apply"
  /** A new leader starts from what it has itself, although others may have more. */
  | "lost-write";

/** The whole state goes with every message: a toy. Newer is the higher term, then the higher version. */
interface Copy {
  readonly term: number;
  readonly version: number;
  readonly values: ReadonlyMap<string, RegisterValue>;
  readonly answers: ReadonlyMap<string, RegisterAnswer>;
}

export interface ToyRequest {
  readonly id: string;
  readonly key: string;
  readonly call: RegisterCall;
}

export type ToyMessage =
  | { readonly type: "request"; readonly request: ToyRequest }
  | { readonly type: "answer"; readonly id: string; readonly answer: RegisterAnswer }
  | { readonly type: "campaign" | "campaign-yes"; readonly term: number; readonly copy?: Copy }
  | { readonly type: "round"; readonly term: number; readonly round: number; readonly copy: Copy }
  | { readonly type: "round-yes"; readonly term: number; readonly round: number };

/** One at a time: a proposal that a majority must take, or a read for which a majority must confirm the leader. */
interface Round {
  readonly number: number;
  readonly copy: Copy;
  readonly yes: Set<string>;
  readonly answers: readonly { readonly client: string; readonly id: string; readonly answer: RegisterAnswer }[];
}

const NOTHING: Copy = { term: 0, version: 0, values: new Map(), answers: new Map() };

export interface ToyOptions {
  readonly name: string;
  readonly members: readonly string[];
  readonly network: SimNetwork<ToyMessage>;
  readonly clock: SimClock;
  readonly fault?: Fault | undefined;
}

/** Terms come from the test, which says who is to campaign: what is tried here is what happens when it is wrong. */
export class ToyReplica {
  readonly #options: ToyOptions;
  readonly #queue: { readonly client: string; readonly request: ToyRequest }[] = [];
  #promised = 0;
  #copy: Copy = NOTHING;
  #votes: Map<string, Copy> | undefined;
  #round: Round | undefined;
  #rounds = 0;
  #isLeader = false;

  constructor(options: ToyOptions) {
    this.#options = options;
  }

  /** Terms must be told apart: `term` is used by nobody else. */
  campaign(term: number): void {
    if (term <= this.#promised) return;
    this.#stepDown(term);
    this.#votes = new Map([[this.#options.name, this.#copy]]);
    this.#toOthers({ type: "campaign", term });
  }

  receive(event: SimEvent<ToyMessage>): void {
    if (event.type !== "message") return;
    const { from, message } = event;
    if (message.type === "request") this.#request(from, message.request);
    if (message.type === "answer" || message.type === "request" || message.term < this.#promised) return;
    if (message.term > this.#promised) this.#stepDown(message.term);
    if (message.type === "campaign") this.#send(from, { type: "campaign-yes", term: message.term, copy: this.#copy });
    if (message.type === "campaign-yes") this.#voted(from, message.copy ?? NOTHING);
    if (message.type === "round") {
      this.#copy = message.copy;
      this.#send(from, { type: "round-yes", term: message.term, round: message.round });
    }
    if (message.type === "round-yes") this.#confirmed(from, message.round);
  }

  #stepDown(term: number): void {
    this.#promised = term;
    this.#isLeader = false;
    this.#votes = undefined;
    this.#round = undefined;
    this.#queue.length = 0;
  }

  #voted(from: string, copy: Copy): void {
    this.#votes?.set(from, copy);
    if (this.#votes === undefined || this.#votes.size < this.#majority) return;
    const copies = this.#options.fault === "lost-write" ? [this.#copy] : [...this.#votes.values()];
    const newest = copies.reduce((a, b) => (b.term > a.term || (b.term === a.term && b.version > a.version) ? b : a));
    this.#votes = undefined;
    this.#isLeader = true;
    this.#start({ ...newest, term: this.#promised }, []);
  }

  #request(client: string, request: ToyRequest): void {
    const { fault } = this.#options;
    const isRead = request.call.type === "get";
    if (isRead && (fault === "stale-read" || (fault === "no-lease" && this.#isLeader))) {
      const value = this.#copy.values.get(request.key) ?? null;
      return this.#send(client, { type: "answer", id: request.id, answer: { type: "found", value } });
    }
    if (!this.#isLeader) return;
    this.#queue.push({ client, request });
    this.#next();
  }

  #next(): void {
    const first = this.#round === undefined ? this.#queue.shift() : undefined;
    if (first === undefined) return;
    const { copy, answer } = this.#effect(first.request);
    if (this.#options.fault === "ack-before-replication") {
      this.#send(first.client, { type: "answer", id: first.request.id, answer });
    }
    this.#start(copy, [{ client: first.client, id: first.request.id, answer }]);
  }

  #effect({ id, key, call }: ToyRequest): { readonly copy: Copy; readonly answer: RegisterAnswer } {
    const known = this.#options.fault === "double-apply" ? undefined : this.#copy.answers.get(id);
    if (known !== undefined) return { copy: this.#copy, answer: known };
    const before = this.#copy.values.get(key) ?? null;
    const { after, answer } = effectOf(call, before);
    const copy: Copy = {
      term: this.#promised,
      version: this.#copy.version + 1,
      values: new Map(this.#copy.values).set(key, after),
      answers: new Map(this.#copy.answers).set(id, answer),
    };
    return { copy, answer };
  }

  #start(copy: Copy, answers: Round["answers"]): void {
    this.#copy = copy;
    this.#round = { number: ++this.#rounds, copy, yes: new Set([this.#options.name]), answers };
    this.#toOthers({ type: "round", term: this.#promised, round: this.#rounds, copy });
  }

  #confirmed(from: string, number: number): void {
    const round = this.#round;
    if (round === undefined || round.number !== number) return;
    round.yes.add(from);
    if (round.yes.size < this.#majority) return;
    this.#round = undefined;
    for (const { client, id, answer } of round.answers) this.#send(client, { type: "answer", id, answer });
    this.#next();
  }

  get #majority(): number {
    return Math.floor(this.#options.members.length / 2) + 1;
  }

  #toOthers(message: ToyMessage): void {
    for (const member of this.#options.members) if (member !== this.#options.name) this.#send(member, message);
  }

  #send(to: string, message: ToyMessage): void {
    this.#options.network.send(this.#options.name, to, message);
  }
}

function effectOf(call: RegisterCall, before: RegisterValue): { after: RegisterValue; answer: RegisterAnswer } {
  if (call.type === "get") return { after: before, answer: { type: "found", value: before } };
  if (call.type === "put") return { after: call.value, answer: { type: "done" } };
  if (call.type === "delete") return { after: null, answer: { type: "success", success: before !== null } };
  const isSwapped = before === call.expected;
  return { after: isSwapped ? call.value : before, answer: { type: "success", success: isSwapped } };
}
