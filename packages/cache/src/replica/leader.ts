/** One leader's term: takes proposals, replicates them, commits what a majority holds, answers reads while its lease is valid. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId } from "../ids.ts";
import { Followers } from "./followers.ts";
import { HandOver } from "./hand-over.ts";
import type { RaftState } from "./raft-state.ts";
import { encodeMemberList } from "./member-list-codec.ts";
import type { AppendReply, SnapshotReply } from "./member-message.ts";
import { changedMembers, type MemberChange, type MemberList } from "./members.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import type { ProposeOptions, Refusal } from "./replica-options.ts";
import type { ProposalId } from "./replica-output.ts";
import { LogReplicator } from "./log-replicator.ts";
import type { ReplicaTiming } from "./timing.ts";

const NO_BYTES = new Uint8Array(0);
/** A tick later than this after it was due means that this process stood still. */
const STALL = 50;
/** Without a confirmation for this many `electionMax` the leader gives up, even if the process keeps standing still. */
const MOST_SILENCE = 3;

export class Leader<Answer> {
  readonly followers: Followers;
  readonly replicator: LogReplicator;
  readonly proposals = new Proposals<Answer>();
  readonly reads = new Reads();
  readonly handOver: HandOver;
  readonly #raft: RaftState<Answer>;
  readonly #timing: ReplicaTiming;
  /** The first record of this term: once it is committed, so is everything before it. */
  readonly #termStart: LogIndex;
  #isHalted = false;
  #tickedAt: Millis;
  /** Until then messages that arrived during a pause of this process are read. */
  #listensUntil: Millis;

  constructor(raft: RaftState<Answer>, timing: ReplicaTiming, now: Millis) {
    this.#raft = raft;
    this.#timing = timing;
    this.#tickedAt = now;
    this.#listensUntil = now;
    this.followers = new Followers(raft, now);
    this.replicator = new LogReplicator(raft, this.followers, timing, now);
    this.handOver = new HandOver(timing);
    this.#termStart = raft.appendOwn("no-op", NO_BYTES, 0 as Millis);
    this.#writeFounders();
  }

  /** Everything that this or any earlier leader answered is applied here. */
  get isSettled(): boolean {
    return this.#raft.commit >= this.#termStart;
  }

  /** Counted from the send time of what a majority confirmed, so it ends before another leader can be elected. */
  isLeaseValid(now: Millis): boolean {
    return !this.handOver.isLeaseGivenUp && now < this.followers.confirmedAt(now) + this.#timing.lease;
  }

  /**
   * No majority has confirmed this leader for so long that another one may exist. After a pause of this process it
   * first reads the confirmations that arrived meanwhile, for one heartbeat. It answers nothing then, as the
   * lease has run out.
   */
  isCutOff(now: Millis): boolean {
    const { heartbeat, electionMax } = this.#timing;
    if (now - this.#tickedAt > heartbeat + STALL) this.#listensUntil = (now + heartbeat) as Millis;
    this.#tickedAt = now;
    const silence = this.followers.unconfirmedFor(now);
    return silence > electionMax && (now >= this.#listensUntil || silence > MOST_SILENCE * electionMax);
  }

  get deadline(): Millis {
    return Math.min(this.replicator.deadline, this.handOver.deadline) as Millis;
  }

  refusal(operation: Uint8Array): Refusal | undefined {
    const { limits, log } = this.#raft;
    if (this.handOver.to !== undefined) return { refused: "switching-over", leader: this.handOver.to };
    if (operation.length > limits.operationBytes) return { refused: "too-large", limit: limits.operationBytes };
    const isFull = log.byteCount >= limits.logBytes || this.proposals.count >= limits.waitingProposals;
    return isFull ? { refused: "overloaded" } : undefined;
  }

  propose(operation: Uint8Array, { ackLevel }: ProposeOptions, token: ProposalId, wall: Millis): void {
    const index = this.#raft.appendOwn("operation", operation, wall);
    this.proposals.add({ token, index, level: ackLevel, type: "operation" });
    if (ackLevel.type === "quorum+fsync") this.#raft.wantSync(index);
  }

  changeMembers(change: MemberChange, token: ProposalId, wall: Millis): MemberList {
    const members = changedMembers(this.#raft.membership.members, change);
    const index = this.#raft.appendOwn("members", encodeMemberList(members), wall);
    this.#raft.wantSync(index);
    this.proposals.add({ token, index, level: { type: "quorum" }, type: "members" });
    this.followers.followMembers();
    this.#raft.tellMembers(false);
    return members;
  }

  replied(from: MemberId, reply: AppendReply, now: Millis): void {
    const follower = this.followers.get(from);
    if (follower !== undefined) this.replicator.replied(follower, reply, now);
  }

  snapshotReplied(from: MemberId, reply: SnapshotReply, now: Millis): void {
    const follower = this.followers.get(from);
    if (follower !== undefined) this.replicator.snapshotReplied(follower, reply, now);
  }

  /** Commits, answers and sends whatever became possible in this turn. */
  turn(now: Millis): void {
    if (this.#isHalted) return;
    this.#commit(now);
    this.proposals.reach(this.followers);
    if (this.isLeaseValid(now)) this.#answer();
    this.#grantReads(now);
    this.replicator.ship(now);
    this.#handOver(now);
  }

  /** Settles all waiting proposals and reads; answers nothing afterwards. */
  end(): void {
    this.#isHalted = true;
    const answers = this.proposals.abandon();
    if (answers.length > 0) this.#raft.outbox.put({ type: "answers", answers });
    const reads = this.reads.abandon();
    if (reads.length > 0) this.#raft.outbox.put({ type: "reads", reads });
  }

  /** The first leader writes the founders into the log, so that later start options cannot change them. */
  #writeFounders(): void {
    const { membership } = this.#raft;
    if (membership.index > 0) return;
    this.#raft.wantSync(this.#raft.appendOwn("members", encodeMemberList(membership.members), 0 as Millis));
  }

  /** Only records of the current term are committed by counting; earlier ones follow. Raft §5.4.2 */
  #commit(now: Millis): void {
    const held = this.followers.held;
    if (held <= this.#raft.commit || this.#raft.log.termAt(held) !== this.#raft.term) return;
    this.#raft.commitTo(held, this.proposals);
    this.replicator.committed(now);
  }

  #answer(): void {
    const answers = this.proposals.takeReady();
    if (answers.length > 0) this.#raft.outbox.put({ type: "answers", answers });
  }

  #grantReads(now: Millis): void {
    if (this.reads.count === 0 || !this.isSettled || this.handOver.isLeaseGivenUp) return;
    const reads = this.reads.grant(this.followers.confirmedAt(now));
    if (reads.length > 0) this.#raft.outbox.put({ type: "reads", reads });
  }

  #handOver(now: Millis): void {
    const { to } = this.handOver;
    if (to === undefined) return;
    const isCaughtUp = this.followers.get(to)?.held === this.#raft.log.lastIndex;
    if (isCaughtUp && this.handOver.begin(now))
      this.#raft.outbox.send(to, { type: "take-over", term: this.#raft.term });
  }
}
