/** The replicated store as RESP sessions use it: sends proposals and reads, and returns answers to the session. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { CommandSink, CommandStore, ReadStanding, StoreFailure } from "@sluice/cache/resp/command-backend";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import type { ProposeOptions, Refusal } from "@sluice/cache/replica/replica-options";
import type { AckLevel, ProposalAnswer, ReadAnswer, Role } from "@sluice/cache/replica/replica-output";
import type { ReplicaDriver } from "../node/replica-driver.ts";
import type { MonotonicWallClock } from "../node/monotonic-wall-clock.ts";
import { ProposalTable } from "../node/proposal-table.ts";

/** How long a check of the lease is valid; far below the lease's reserve before an election. */
const STANDING_MS = 1;

/** Refusals over at least this time are a misdirected client, not a person at a terminal. */
const MISDIRECTED_MS = 1_000;
const NOBODY: readonly CommandSink[] = [];

interface Waiting {
  readonly sink: CommandSink;
  readonly ticket: number;
}

interface ReplicaWait extends Waiting {
  readonly index: number;
  readonly count: number;
  readonly until: number;
}

export interface CommandStoreOptions {
  readonly driver: ReplicaDriver<OperationAnswer>;
  readonly state: CacheState;
  readonly wall: MonotonicWallClock;
  readonly clock: Clock;
  readonly ackLevel: AckLevel;
}

export class ReplicatedStore implements CommandStore {
  readonly state: CacheState;
  readonly #driver: ReplicaDriver<OperationAnswer>;
  readonly #wall: MonotonicWallClock;
  readonly #clock: Clock;
  readonly #ack: ProposeOptions;
  readonly #writes = new ProposalTable();
  readonly #reads = new ProposalTable();
  #replicaWaits: ReplicaWait[] = [];
  #later: (() => void)[] = [];
  /** Sinks with output to write at the end of the turn. */
  #answered = new Set<CommandSink>();
  /** Time of the first refusal of each client that writes to the wrong member. */
  readonly #refusedSince = new WeakMap<CommandSink, number>();
  readonly #misdirected = new Set<CommandSink>();
  #standing: ReadStanding = "no-leader";
  #standingUntil = 0;
  #diskFailed = false;
  #isRemoved = false;
  #turnWall: Millis | undefined;

  constructor({ driver, state, wall, clock, ackLevel }: CommandStoreOptions) {
    this.state = state;
    this.#driver = driver;
    this.#wall = wall;
    this.#clock = clock;
    this.#ack = { ackLevel };
  }

  wall(): Millis {
    return this.#wall.read();
  }

  readStanding(): ReadStanding {
    const now = this.#driver.now();
    if (now >= this.#standingUntil) {
      this.#standing = this.#lookAtStanding(now);
      this.#standingUntil = now + STANDING_MS;
    }
    return this.#standing;
  }

  confirmRead(sink: CommandSink, ticket: number): void {
    const result = this.#driver.replica.readBarrier(this.#driver.now());
    this.#driver.wake();
    if (result === "granted") this.#answerLater(sink, () => sink.confirmed(ticket));
    else if (typeof result === "number") this.#reads.add(result, sink, ticket);
    else this.#failLater(sink, ticket, this.#failureOf(result));
  }

  write(sink: CommandSink, ticket: number, operation: Uint8Array): void {
    const { replica } = this.#driver;
    // One reading of the clocks per turn: it stamps writes; acknowledgements are judged later.
    this.#turnWall ??= this.#wall.read();
    const result = replica.propose(operation, this.#ack, this.#driver.turnNow(), this.#turnWall);
    this.#driver.wake();
    if (typeof result === "number") this.#writes.add(result, sink, ticket);
    else this.#refuseWrite(sink, ticket, this.#failureOf(result));
  }

  waitForReplicas(sink: CommandSink, ticket: number, count: number, timeout: Millis): void {
    const now = this.#driver.now();
    const { lastIndex } = this.#driver.replica.status(now);
    const until = timeout === 0 ? Number.POSITIVE_INFINITY : now + timeout;
    this.#replicaWaits.push({ sink, ticket, count, index: lastIndex, until });
    if (timeout > 0) this.#clock.after((timeout + 1) as Millis, () => this.#driver.wake());
    this.#driver.wake();
  }

  get waitingCount(): number {
    return this.#writes.count + this.#reads.count;
  }

  answeredWrites(answers: readonly ProposalAnswer<OperationAnswer>[]): void {
    let last: CommandSink | undefined;
    for (const answer of answers) {
      const ticket = this.#writes.ticketOf(answer.token);
      const sink = this.#writes.take(answer.token);
      if (sink === undefined) continue;
      if (answer.outcome === "done") sink.answered(ticket, answer.answer);
      else sink.failed(ticket, "unknown-outcome");
      if (sink !== last) this.#answered.add(sink);
      last = sink;
    }
  }

  answeredReads(reads: readonly ReadAnswer[]): void {
    for (const { token, outcome } of reads) {
      const ticket = this.#reads.ticketOf(token);
      const sink = this.#reads.take(token);
      if (sink === undefined) continue;
      if (outcome === "granted") sink.confirmed(ticket);
      else sink.failed(ticket, "no-leader");
      this.#answered.add(sink);
    }
  }

  roleChanged(role: Role): void {
    this.#isRemoved = role === "removed";
    this.#standingUntil = 0;
  }

  diskFailed(): void {
    this.#diskFailed = true;
    this.#standingUntil = 0;
  }

  /** @returns the sinks with output */
  endTurn(): ReadonlySet<CommandSink> {
    this.#turnWall = undefined;
    const later = this.#later;
    this.#later = [];
    for (const answer of later) answer();
    if (this.#replicaWaits.length > 0) this.#checkReplicaWaits();
    const answered = this.#answered;
    if (answered.size > 0) this.#answered = new Set();
    return answered;
  }

  /** Clients that keep writing to a member that does not lead: cutting them off makes them look for the leader. */
  takeMisdirected(): readonly CommandSink[] {
    if (this.#misdirected.size === 0) return NOBODY;
    const found = [...this.#misdirected];
    this.#misdirected.clear();
    return found;
  }

  #lookAtStanding(now: Millis): ReadStanding {
    if (this.#isRemoved) return "removed";
    const result = this.#driver.replica.readBarrier(now);
    if (result === "granted") return "now";
    if (typeof result === "number") return "confirm"; // nobody waits for this token; the reader asks again
    return failureOf(result) === "no-leader" ? "no-leader" : "not-leader";
  }

  #failureOf(refusal: Refusal): StoreFailure {
    if (this.#diskFailed) return "storage-failed";
    return this.#isRemoved ? "removed" : failureOf(refusal);
  }

  #refuseWrite(sink: CommandSink, ticket: number, failure: StoreFailure): void {
    this.#failLater(sink, ticket, failure);
    if (failure !== "not-leader") return;
    const now = this.#driver.turnNow();
    const first = this.#refusedSince.get(sink) ?? now;
    this.#refusedSince.set(sink, first);
    if (now - first >= MISDIRECTED_MS) this.#misdirected.add(sink);
  }

  #failLater(sink: CommandSink, ticket: number, failure: StoreFailure): void {
    this.#answerLater(sink, () => sink.failed(ticket, failure));
  }

  #answerLater(sink: CommandSink, answer: () => void): void {
    this.#later.push(answer);
    this.#answered.add(sink);
    this.#driver.wake();
  }

  #checkReplicaWaits(): void {
    const now = this.#driver.now();
    const { followers, role } = this.#driver.replica.status(now);
    this.#replicaWaits = this.#replicaWaits.filter(({ sink, ticket, index, count, until }) => {
      const held = followers.filter((follower) => follower.held >= index).length;
      if (held < count && now < until && role === "leader") return true;
      sink.replicated(ticket, held);
      this.#answered.add(sink);
      return false;
    });
  }
}

function failureOf(refusal: Refusal): StoreFailure {
  switch (refusal.refused) {
    case "not-leader":
      return refusal.leader === undefined ? "no-leader" : "not-leader";
    case "switching-over":
      return "not-leader";
    case "overloaded":
    case "too-large":
      return refusal.refused;
  }
}
