/** One member of a replicated log: elections, replication, commit and apply, without clock, disk or network. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "../ids.ts";
import { ReplicaStateError } from "./errors.ts";
import type { Leader } from "./leader.ts";
import { RaftState } from "./raft-state.ts";
import { DEFAULT_REPLICA_LIMITS } from "./limits.ts";
import { changeRefusal } from "./member-rules.ts";
import type { MemberMessage } from "./member-message.ts";
import type { MemberChange, MemberList } from "./members.ts";
import type {
  ChangeResult,
  ProposeOptions,
  ProposeResult,
  ReadResult,
  Refusal,
  ReplicaOptions,
  ReplicaStatus,
  SwitchOverResult,
} from "./replica-options.ts";
import type { ProposalId, ReplicaOutput, Role, WriteId } from "./replica-output.ts";
import { restoreRaftState } from "./restore.ts";
import { RaftRole } from "./raft-role.ts";
import { SnapshotSchedule } from "./snapshot-schedule.ts";
import { statusOf } from "./status.ts";
import { DEFAULT_REPLICA_TIMING } from "./timing.ts";

/**
 * Driving it: call a method for each event (`receive`, `tick`, `propose`, `stored` …) of one turn of the
 * event loop; then take outputs until there are none, and carry them out in order; then make sure that `tick` is
 * called at `deadline()`. Messages that depend on a store are not returned before `stored`
 * was called, so sends need not wait for stores. Carry out stores one after another, in order. After a pause of the
 * process, pass in what arrived from the network before the late `tick`. All times are of one
 * monotonic clock that never goes back, and continues while the process stands still.
 */
export class Replica<Answer> {
  readonly #raft: RaftState<Answer>;
  readonly #roles: RaftRole<Answer>;
  readonly #snapshots: SnapshotSchedule;
  #now: Millis;
  #lastToken = 0 as ProposalId;
  #isTurnDue = true;
  #isHalted = false;
  #told: { readonly role?: Role; readonly term?: Term; readonly leader?: MemberId | undefined } = {};

  /** @throws {WireError} when the stored state is damaged; nothing on disk has changed */
  constructor(options: ReplicaOptions<Answer>) {
    const limits = { ...DEFAULT_REPLICA_LIMITS, ...options.limits };
    const timing = { ...DEFAULT_REPLICA_TIMING, ...options.timing };
    this.#now = options.now;
    this.#raft = new RaftState({ ...options, limits });
    checkFounders(options.founders, limits.members);
    restoreRaftState(this.#raft, options.stored);
    const isRecovering = options.stored.tail === "may-have-lost" && !this.#raft.isSingleVoter;
    this.#roles = new RaftRole({ ...options, raft: this.#raft, timing, isRecovering });
    this.#snapshots = new SnapshotSchedule(this.#raft);
    this.#raft.tellMembers(true);
  }

  /** A whole message authenticated as coming from the member. The replica keeps views of its bytes. @throws {WireError} */
  receive(from: MemberId, message: MemberMessage, now: Millis): void {
    this.#at(now);
    if (!this.#isHalted && from !== this.#raft.self) this.#roles.receive(from, message, now);
  }

  tick(now: Millis): void {
    this.#at(now);
    if (!this.#isHalted) this.#roles.tick(now);
  }

  /** Time of the next `tick`; infinite for never. */
  deadline(): Millis {
    if (this.#isHalted) return Number.POSITIVE_INFINITY as Millis;
    return this.#raft.isApplying ? this.#now : this.#roles.deadline;
  }

  /** @param operation  owned by the replica from now on; @param wall  the wall clock */
  propose(operation: Uint8Array, options: ProposeOptions, now: Millis, wall: Millis): ProposeResult {
    this.#at(now);
    const asLeader = this.#asLeader;
    if (asLeader === undefined) return this.#notLeader();
    const refusal = asLeader.refusal(operation);
    if (refusal !== undefined) return refusal;
    const token = this.#nextToken();
    asLeader.propose(operation, options, token, wall);
    return token;
  }

  /** Linearizable reads: `granted` at once while the lease holds, else after a round to a majority. */
  readBarrier(now: Millis): ReadResult {
    this.#at(now);
    const asLeader = this.#asLeader;
    if (asLeader === undefined) return this.#notLeader();
    if (asLeader.isSettled && asLeader.isLeaseValid(now)) return "granted";
    const { to, isLeaseGivenUp } = asLeader.handOver;
    if (isLeaseGivenUp && to !== undefined) return { refused: "switching-over", leader: to };
    if (asLeader.reads.count >= this.#raft.limits.waitingProposals) return { refused: "overloaded" };
    const token = this.#nextToken();
    asLeader.reads.add({ token, askedAt: now });
    asLeader.replicator.confirmSoon(now);
    return token;
  }

  changeMembers(change: MemberChange, now: Millis, wall: Millis): ChangeResult {
    this.#at(now);
    const asLeader = this.#asLeader;
    if (asLeader === undefined) return this.#notLeader();
    const refusal = changeRefusal(change, this.#raft, asLeader);
    if (refusal !== undefined) return refusal;
    const token = this.#nextToken();
    asLeader.changeMembers(change, token, wall);
    return { token };
  }

  /** Stops proposals, lets `to` catch up, then asks it to campaign. Ends in a `role` or `switch-over-failed`. */
  switchOver(to: MemberId, now: Millis): SwitchOverResult {
    this.#at(now);
    const asLeader = this.#asLeader;
    if (asLeader === undefined) return this.#notLeader();
    if (asLeader.handOver.to !== undefined) return { refused: "switching-over", leader: asLeader.handOver.to };
    const isOtherVoter = to !== this.#raft.self && this.#raft.membership.isVoter(to);
    if (!isOtherVoter) return { refused: "not-possible", reason: "no such other voter" };
    asLeader.handOver.start(to, now);
    return "started";
  }

  /** The disk has completed the output with this token, and all earlier ones. */
  stored(token: WriteId, now: Millis): void {
    const wasTurnDue = this.#isTurnDue;
    this.#at(now);
    const isTurnDue = this.#raft.stored(token);
    this.#isTurnDue = wasTurnDue || isTurnDue;
  }

  snapshotStored(index: LogIndex, now: Millis): void {
    this.#at(now);
    this.#snapshots.saved(index, this.#asLeader?.replicator.keptFrom ?? index);
  }

  /** The disk failed: ends everything, answers waiting proposals with `unknown-outcome`; the role becomes `halted`. */
  halt(now: Millis): void {
    this.#at(now);
    this.#roles.stepDown(now);
    this.#isHalted = true;
  }

  nextOutput(): ReplicaOutput<Answer> | undefined {
    const output = this.#raft.outbox.next();
    if (output !== undefined || !this.#isTurnDue) return output;
    this.#isTurnDue = false;
    this.#turn();
    return this.#raft.outbox.next();
  }

  status(now: Millis): ReplicaStatus {
    return statusOf({ raft: this.#raft, roles: this.#roles, snapshots: this.#snapshots, role: this.#role, now });
  }

  get #asLeader(): Leader<Answer> | undefined {
    return this.#isHalted ? undefined : this.#roles.asLeader;
  }

  get #role() {
    return this.#isHalted ? "halted" : this.#roles.role;
  }

  #at(now: Millis): void {
    if (now < this.#now) throw new ReplicaStateError({ what: `the clock went back from ${this.#now} to ${now}` });
    this.#now = now;
    this.#isTurnDue = true;
  }

  #turn(): void {
    if (!this.#isHalted) {
      this.#roles.turn(this.#now);
      this.#snapshots.turn();
      this.#raft.flush();
    }
    const [role, term, leader] = [this.#role, this.#raft.term, this.#roles.leader];
    const told = this.#told;
    if (told.role === role && told.term === term && told.leader === leader) return;
    this.#told = { role, term, leader };
    this.#raft.outbox.put({ type: "role", role, term, leader });
  }

  #nextToken(): ProposalId {
    this.#lastToken = (this.#lastToken + 1) as ProposalId;
    return this.#lastToken;
  }

  #notLeader(): Refusal {
    return { refused: "not-leader", leader: this.#isHalted ? undefined : this.#roles.leader };
  }
}

function checkFounders(founders: MemberList, limit: number): void {
  const ids = new Set(founders.map(({ id }) => id));
  if (ids.size < founders.length) throw new ReplicaStateError({ what: "two founders have one id" });
  if (founders.length > limit) throw new ReplicaStateError({ what: `${founders.length} founders, limit is ${limit}` });
}
