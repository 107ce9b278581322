/** The home of one object: orders all changes, and tells a writer of success once nothing can take it back. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Epoch } from "@sluice/engine/epoch";
import { type Durability, type Operation, type Outcome, refusal, type RequestId, type Wish } from "./change.ts";
import type { DurableRow } from "./durable-row.ts";
import type { HomeReplicas } from "./home-replicas.ts";
import { currentOf, judgeWrite, type WriteRules } from "./judge-write.ts";
import type { ObjectCopy } from "./object-copy.ts";
import type { Claim, Who } from "./ports.ts";
import type { Position } from "./position.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface HomeOptions {
  readonly epoch: Epoch;
  readonly copy: ObjectCopy;
  readonly claim: Pick<Claim, "mayAcknowledge">;
  readonly replicas: HomeReplicas;
  readonly row: DurableRow;
  readonly rules: WriteRules;
  readonly clock: Clock;
  /** How long the lock of a client lasts whose node cannot be reached. */
  readonly lockDoubt: Millis;
  /** The object exists from now on. */
  readonly created?: () => void;
  /** When the homes' lease was last confirmed. */
  readonly confirmedAt: () => Millis | undefined;
}

export interface WriteRequest {
  readonly id: RequestId;
  readonly wishes: readonly Wish[];
  /** It was sent before, maybe to another home. */
  readonly isRetry: boolean;
  /** Version of the writer's copy when it was first sent. */
  readonly since: number;
}

export interface ConnectRequest {
  readonly id: RequestId;
  readonly who: Who;
  /** Undefined: as it is; temporary where it does not exist. */
  readonly durability: Durability | undefined;
}

type Answer = (outcome: Outcome) => void;

interface Owed {
  readonly at: Position;
  readonly answer: Answer;
}

/** Between two looks whether the lease was confirmed, while an answer depends on it. */
const LOOK_AGAIN = 100 as Millis;

export class Home implements Disposable {
  readonly #options: HomeOptions;
  readonly #bucket: TokenBucket;
  /** Successes that are not told yet, oldest first. */
  #owed: Owed[] = [];
  #epoch: Epoch;
  #isFrozen = false;
  #look: Timer | undefined;
  #lockExpiry: Timer | undefined;

  constructor(options: HomeOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
    this.#bucket = new TokenBucket(options.clock, options.rules.limits.objectWrites);
    this.#watchLock(); // after a take-over the owner has its whole lease again
  }

  get epoch(): Epoch {
    return this.#epoch;
  }

  /** What was acknowledged to an earlier home does not count. */
  get firstEpoch(): Epoch {
    return this.#options.epoch;
  }

  get replicas(): HomeReplicas {
    return this.#options.replicas;
  }

  /** Whether a request can be taken now; those that come meanwhile are asked for again by `attached`. */
  get isOpen(): boolean {
    return !this.#isFrozen && !this.#options.row.isDeposed && this.#options.claim.mayAcknowledge;
  }

  /** The claim was confirmed anew, and nobody else was home meanwhile. */
  raise(epoch: Epoch): void {
    this.#epoch = epoch;
    this.#isFrozen = false;
    this.#options.replicas.tellAllAttached();
    this.settle();
  }

  /** Nothing is ordered or acknowledged any more. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** @returns false, and nothing was done, where it is not open */
  connect(request: ConnectRequest, answer: Answer): boolean {
    if (!this.isOpen) return false;
    const { guard, path } = this.#options.rules;
    const { state } = this.#options.copy;
    const { who, durability } = request;
    const isNew = state.durability === undefined;
    const wanted = durability ?? ({ type: "temporary" } as const);
    if (isNew && guard.mayCreate?.(path, who, wanted) === false) answer(refusal("denied", "create"));
    else if (guard.mayConnect?.(path, who) === false) answer(refusal("denied", "connect"));
    else if (guard.mayRead?.(path, who) === false) answer(refusal("denied", "read"));
    else if (!isNew && isMismatch(durability, state.durability)) answer(refusal("mismatch"));
    else {
      if (isNew) {
        this.#order([{ type: "create", durability: wanted }], request.id);
        this.#options.created?.();
      }
      this.#owe(state.at, answer);
    }
    return true;
  }

  /** @returns false, and nothing was done, where it is not open */
  write(request: WriteRequest, who: Who, answer: Answer): boolean {
    if (!this.isOpen) return false;
    const { state, history } = this.#options.copy;
    const { id, wishes } = request;
    const done = history.findRequest(id);
    if (done !== undefined) this.#owe(done, answer);
    else if (state.durability === undefined) answer(refusal("not-connected"));
    else if (request.isRetry && !history.reaches(request.since)) answer(refusal("unknown-outcome"));
    else if (!this.#bucket.take()) answer(refusal("rate", "objectWrites", currentOf(state, wishes)));
    else {
      const verdict = judgeWrite(state, wishes, { client: id.client, who }, this.#options.rules);
      if (verdict.type === "refused") answer(verdict);
      else {
        if (verdict.type === "change") this.#order(verdict.operations, id);
        this.#owe(state.at, answer);
      }
    }
    return true;
  }

  /** A client has gone: what it locked is free. */
  leave(client: string): void {
    if (this.#options.copy.state.lock?.owner === client) this.#unlock();
  }

  /** Nobody knows whether these clients live: what one of them locked is free before its lease ends. */
  doubt(clients: ReadonlySet<string>): void {
    const { lock } = this.#options.copy.state;
    if (lock !== undefined && clients.has(lock.owner)) this.#watchLock(this.#options.lockDoubt);
  }

  /** Tells what can be told now. Called whenever the standby, the row or the claim has news. */
  settle(): void {
    if (this.#owed.length === 0) return;
    let told = 0;
    while (told < this.#owed.length && this.#isSafe((this.#owed[told] as Owed).at.version)) told++;
    const safe = this.#owed.splice(0, told);
    for (const { at, answer } of safe) answer({ type: "success", at });
    if (this.#owed.length > 0) this.#lookAgain();
  }

  [Symbol.dispose](): void {
    this.#look?.cancel();
    this.#lockExpiry?.cancel();
    this.#owed = []; // whoever waits asks the next home
    this.#options.replicas[Symbol.dispose]();
    this.#options.row[Symbol.dispose]();
  }

  /** The lease is checked in the turn of the loop in which the answer goes out. */
  #isSafe(version: number): boolean {
    const { replicas, row, confirmedAt } = this.#options;
    if (!this.isOpen || !row.has(version)) return false;
    if (!replicas.standbyHas(version)) {
      replicas.awaitStandby();
      return false;
    }
    // Who lost its standby may be the one that is cut off: then its lease is not confirmed any more.
    const { aloneSince } = replicas;
    return aloneSince === undefined || (confirmedAt() ?? Number.NEGATIVE_INFINITY) > aloneSince;
  }

  #order(operations: readonly Operation[], by?: RequestId): void {
    const { copy, row } = this.#options;
    const to = { epoch: this.#epoch, version: copy.at.version + 1 };
    copy.apply({ from: copy.at, to, operations, droppedMessages: 0, ...(by !== undefined && { by }) });
    row.touch();
    if (operations.some(({ type }) => type === "lock" || type === "unlock")) this.#watchLock();
  }

  #owe(at: Position, answer: Answer): void {
    this.#owed.push({ at, answer });
    this.settle();
  }

  #lookAgain(): void {
    this.#look ??= this.#options.clock.after(LOOK_AGAIN, () => {
      this.#look = undefined;
      this.settle();
    });
  }

  #watchLock(atMost = Number.POSITIVE_INFINITY): void {
    const { copy, clock } = this.#options;
    const { lock } = copy.state;
    this.#lockExpiry?.cancel();
    if (lock === undefined) return;
    this.#lockExpiry = clock.after(Math.min(lock.lease, atMost) as Millis, () => this.#unlock());
  }

  #unlock(): void {
    if (this.isOpen) this.#order([{ type: "unlock" }]);
    else this.#lockExpiry = this.#options.clock.after(LOOK_AGAIN, () => this.#unlock());
  }
}

function isMismatch(wanted: Durability | undefined, standing: Durability | undefined): boolean {
  if (wanted === undefined || standing === undefined) return false;
  return (wanted.type === "temporary") !== (standing.type === "temporary");
}
