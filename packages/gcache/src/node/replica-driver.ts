/** Runs a replica: supplies time, disk and network, and passes its answers to the waiting callers. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { unreachable } from "@sluice/base/unreachable";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberMessage } from "@sluice/cache/replica/member-message";
import type { MemberList } from "@sluice/cache/replica/members";
import type { Replica } from "@sluice/cache/replica/replica";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type {
  MessageFlow,
  ProposalAnswer,
  ReadAnswer,
  ReplicaOutput,
  Role,
  WriteId,
} from "@sluice/cache/replica/replica-output";
import type { NodeStore, StoreBatch } from "../store/node-store.ts";

/** Role of a member, and its leader. */
export interface Standing {
  readonly role: Role;
  readonly leader: MemberId | undefined;
}

/** Events of the replica, in order. */
export interface ReplicaEvents<Answer> {
  send(to: MemberId, message: MemberMessage, flow: MessageFlow): void;
  answered(answers: readonly ProposalAnswer<Answer>[]): void;
  readsAnswered(reads: readonly ReadAnswer[]): void;
  roleChanged(now: Standing & { readonly term: number }, before: Standing): void;
  membersChanged(members: MemberList): void;
  switchOverFailed(to: MemberId): void;
  /** After all input of one turn of the event loop. */
  turnEnded(): void;
  /** The disk failed: the replica has halted and acknowledges nothing more. */
  diskFailed(error: Error): void;
}

export interface ReplicaDriverOptions<Answer> {
  readonly replica: Replica<Answer>;
  readonly store: NodeStore;
  readonly clock: Clock;
  /** Runs `action` after all input of this turn of the event loop. */
  readonly defer: (action: () => void) => void;
}

/** Output of one turn of the event loop goes out together: one message per member, one write to disk. */
export class ReplicaDriver<Answer> {
  readonly replica: Replica<Answer>;
  readonly #store: NodeStore;
  readonly #clock: Clock;
  readonly #defer: ReplicaDriverOptions<Answer>["defer"];
  #events: ReplicaEvents<Answer> | undefined;
  #role: Role = "follower";
  #leader: MemberId | undefined;
  #lastLeader: MemberId | undefined;
  #members: MemberList = [];
  #isTurnDue = false;
  #turnNow: Millis | undefined;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  /** Syncs in progress; tokens written meanwhile wait for them, since `stored` covers everything before. */
  #syncing = 0;
  #hasFailed = false;
  #isClosed = false;
  /** The disk may hold less than what was confirmed. */
  #isDoubtful: boolean;

  constructor({ replica, store, clock, defer }: ReplicaDriverOptions<Answer>) {
    this.replica = replica;
    this.#store = store;
    this.#clock = clock;
    this.#defer = defer;
    this.#isDoubtful = store.stored.tail === "may-have-lost";
  }

  /** No output is carried out before this. */
  start(events: ReplicaEvents<Answer>): void {
    this.#events = events;
    this.wake();
  }

  /** As the replica last reported. */
  get role(): Role {
    return this.#role;
  }

  get leader(): MemberId | undefined {
    return this.#leader;
  }

  /** The leader; while there is none, the last one. */
  get lastLeader(): MemberId | undefined {
    return this.#lastLeader;
  }

  get members(): MemberList {
    return this.#members;
  }

  status(): ReplicaStatus {
    return this.replica.status(this.now());
  }

  now(): Millis {
    this.#turnNow = this.#clock.now();
    return this.#turnNow;
  }

  /** The last time read in this turn of the event loop: for stamps, where a fresh reading costs too much. */
  turnNow(): Millis {
    return this.#turnNow ?? this.now();
  }

  /** Call after any call to the replica, or to run the end of the turn. */
  wake(): void {
    if (this.#isTurnDue || this.#isClosed || this.#events === undefined) return;
    this.#isTurnDue = true;
    this.#defer(() => {
      this.#isTurnDue = false;
      if (this.#events !== undefined && !this.#isClosed) this.#endTurn(this.#events);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #endTurn(events: ReplicaEvents<Answer>): void {
    for (let output = this.replica.nextOutput(); output !== undefined; output = this.replica.nextOutput())
      this.#carryOut(output, events);
    if (this.#isDoubtful) this.#settle();
    events.turnEnded();
    this.#setTimer();
    this.#turnNow = undefined;
  }

  /** Tells the disk once everything that was lost has been received again and written. */
  #settle(): void {
    if (this.#hasFailed || this.#syncing > 0 || this.replica.status(this.now()).isRecovering) return;
    this.#isDoubtful = false;
    this.#onDisk(() => this.#store.settled());
  }

  #carryOut(output: ReplicaOutput<Answer>, events: ReplicaEvents<Answer>): void {
    switch (output.type) {
      case "send":
        return events.send(output.to, output.message, output.flow);
      case "store":
        return this.#write(output, output.isSync ? "synced" : "written", output.token);
      case "compact":
        return this.#onDisk(() => this.#store.compact(output.upTo));
      case "save-snapshot":
        return void this.#whenDone(
          () => this.#store.saveSnapshot(output.meta, output.pieces),
          () => this.replica.snapshotStored(output.meta.index, this.now()),
        );
      case "install-snapshot":
        this.#syncing++;
        return void this.#whenDone(
          () => this.#store.installSnapshot(output.meta, output.pieces),
          () => this.#synced(output.token),
        );
      case "answers":
        return events.answered(output.answers);
      case "reads":
        return events.readsAnswered(output.reads);
      case "role":
        return this.#roleChanged(output, events);
      case "members":
        this.#members = output.members;
        return events.membersChanged(output.members);
      case "switch-over-failed":
        return events.switchOverFailed(output.to);
      default:
        return unreachable(output);
    }
  }

  #roleChanged(
    { role, term, leader }: Extract<ReplicaOutput<Answer>, { readonly type: "role" }>,
    events: ReplicaEvents<Answer>,
  ): void {
    const before = { role: this.#role, leader: this.#leader };
    this.#role = role;
    this.#leader = leader;
    this.#lastLeader = leader ?? this.#lastLeader;
    events.roleChanged({ role, term, leader }, before);
  }

  #write(batch: StoreBatch, until: "written" | "synced", token: WriteId): void {
    this.#onDisk(() => {
      const synced = this.#store.write(batch, this.#syncing > 0 ? "synced" : until);
      if (synced === undefined) return this.replica.stored(token, this.now());
      this.#syncing++;
      void this.#whenDone(
        () => synced,
        () => this.#synced(token),
      );
    });
  }

  #synced(token: WriteId): void {
    this.#syncing--;
    this.replica.stored(token, this.now());
  }

  #onDisk(work: () => void): void {
    if (this.#hasFailed) return;
    try {
      work();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** @param done  reports to the replica */
  async #whenDone(work: () => Promise<void>, done: () => void): Promise<void> {
    if (this.#hasFailed) return;
    try {
      await work();
    } catch (error) {
      return this.#fail(error as Error);
    }
    if (this.#hasFailed || this.#isClosed) return;
    done();
    this.wake();
  }

  #fail(error: Error): void {
    if (this.#hasFailed || this.#isClosed) return;
    this.#hasFailed = true;
    this.replica.halt(this.now());
    this.wake();
    this.#events?.diskFailed(error);
  }

  /** Keeps a timer that fires early enough: the deadline moves back with every message. */
  #setTimer(): void {
    const deadline = this.replica.deadline();
    if (this.#isClosed || deadline >= this.#timerAt || this.#hasFailed) return;
    this.#timer?.cancel();
    this.#timerAt = deadline;
    this.#timer = this.#clock.after(Math.max(0, deadline - this.now()) as Millis, () => this.#ring());
  }

  /** After a pause of this process the timer fires first; handle the input that arrived meanwhile before judging time. */
  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#clock.afterPoll(() => {
      if (this.#isClosed) return;
      const now = this.now();
      if (now >= this.replica.deadline()) this.replica.tick(now);
      this.wake();
    });
  }
}
