/** The present role of a member, and the messages and timeouts that change it. */
import type { Millis } from "@sluice/base/brand";
import { unreachable } from "@sluice/base/unreachable";
import type { LogIndex, MemberId, Term } from "../ids.ts";
import { Candidate } from "./candidate.ts";
import { Follower } from "./follower.ts";
import { Leader } from "./leader.ts";
import type { RaftState } from "./raft-state.ts";
import type { Append, Incarnation, MemberMessage, SnapshotPart, VoteReply, VoteRequest } from "./member-message.ts";
import type { Role } from "./replica-output.ts";
import type { ReplicaTiming } from "./timing.ts";
import { isBoundToLeader, isPastMember, wouldGrant } from "./voting.ts";

export interface RaftRoleOptions<Answer> {
  readonly raft: RaftState<Answer>;
  readonly timing: ReplicaTiming;
  readonly random: () => number;
  readonly incarnation: Incarnation;
  readonly isRecovering: boolean;
  readonly now: Millis;
}

export class RaftRole<Answer> {
  readonly candidate: Candidate;
  readonly #raft: RaftState<Answer>;
  readonly #timing: ReplicaTiming;
  readonly #incarnation: Incarnation;
  #asLeader: Leader<Answer> | undefined;
  #asFollower: Follower<Answer> | undefined;
  /** After a start it may have forgotten a leader, so the start counts as having heard one. */
  #heardAt: Millis;
  /** Send time of the last message by which a majority confirmed this member as leader; used after it lost that role. */
  #ledUntil = Number.NEGATIVE_INFINITY as Millis;
  #isRecovering: boolean;
  #isRemoved = false;

  constructor(options: RaftRoleOptions<Answer>) {
    this.#raft = options.raft;
    this.#timing = options.timing;
    this.#incarnation = options.incarnation;
    this.#isRecovering = options.isRecovering;
    this.#heardAt = options.now;
    this.candidate = new Candidate(options.raft, options.timing, options.random, options.now);
  }

  get asLeader(): Leader<Answer> | undefined {
    return this.#asLeader;
  }

  get isRecovering(): boolean {
    return this.#isRecovering;
  }

  get leader(): MemberId | undefined {
    return this.#asLeader === undefined ? this.#asFollower?.leader : this.#raft.self;
  }

  get role(): Role {
    if (this.#asLeader !== undefined) return "leader";
    if (this.#isRemoved) return "removed";
    if (this.candidate.isRunning) return "candidate";
    return this.#raft.membership.isVoter(this.#raft.self) ? "follower" : "learner";
  }

  /** Time since a leader's message; `undefined` before the first, and on the leader. */
  leaderSilentFor(now: Millis): Millis | undefined {
    return this.#asFollower === undefined ? undefined : ((now - this.#heardAt) as Millis);
  }

  /** Time since a leader was last known. */
  unledFor(now: Millis): Millis {
    const unconfirmedFor = this.#asLeader?.followers.unconfirmedFor(now);
    return unconfirmedFor ?? ((now - Math.max(this.#heardAt, this.#ledUntil)) as Millis);
  }

  get deadline(): Millis {
    if (this.#asLeader !== undefined) return this.#asLeader.deadline;
    return (this.#isRemoved ? Number.POSITIVE_INFINITY : this.candidate.deadline) as Millis;
  }

  receive(from: MemberId, message: MemberMessage, now: Millis): void {
    switch (message.type) {
      case "vote-request":
        return this.#onVoteRequest(from, message, now);
      case "vote-reply":
        return this.#onVoteReply(from, message, now);
      case "append":
      case "snapshot-part":
        return this.#onLeader(from, message, now);
      case "append-reply":
        if (this.#isCurrent(message.term, now)) this.#asLeader?.replied(from, message, now);
        return;
      case "snapshot-reply":
        if (this.#isCurrent(message.term, now)) this.#asLeader?.snapshotReplied(from, message, now);
        return;
      case "take-over":
        if (this.#isCurrent(message.term, now) && from === this.leader) this.#takeOver(now);
        return;
      case "removed":
        if (this.#isCurrent(message.term, now)) this.#isRemoved = this.#asLeader === undefined;
        return;
      default:
        return unreachable(message);
    }
  }

  tick(now: Millis): void {
    const asLeader = this.#asLeader;
    if (asLeader === undefined) {
      if (!this.#isRemoved) this.candidate.tick(now, this.#isRecovering);
      return;
    }
    const { to } = asLeader.handOver;
    const handOver = asLeader.handOver.tick(now);
    if (handOver !== "going-on" && to !== undefined) this.#raft.outbox.put({ type: "switch-over-failed", to });
    if (handOver === "failed" || asLeader.isCutOff(now)) this.stepDown(now);
  }

  turn(now: Millis): void {
    const outcome = this.#asLeader === undefined ? this.candidate.outcome(this.#isRecovering) : "open";
    if (outcome === "would-win")
      this.candidate.begin({ stage: "vote", isTakeOver: false, now, isRecovering: this.#isRecovering });
    if (outcome === "won") this.#lead(now);
    if (this.#asLeader === undefined) this.#raft.applyRest();
    this.#asLeader?.turn(now);
    this.#asFollower?.turn(now);
  }

  /** Stays in its term, and answers nothing more in it. */
  stepDown(now: Millis): void {
    if (this.#asLeader !== undefined) this.#ledUntil = (now - this.unledFor(now)) as Millis;
    this.#asLeader?.end();
    this.#asLeader = undefined;
    this.#asFollower = undefined;
    this.candidate.postpone(now);
  }

  #lead(now: Millis): void {
    this.candidate.cancel();
    this.#asFollower = undefined;
    this.#isRecovering = false;
    this.#asLeader = new Leader(this.#raft, this.#timing, now);
  }

  #onVoteRequest(from: MemberId, request: VoteRequest, now: Millis): void {
    const isLeading = this.#asLeader?.isLeaseValid(now) === true && !this.#raft.membership.isMember(from);
    if (isLeading || isPastMember(this.#raft, from, request))
      return this.#raft.outbox.send(from, { type: "removed", term: this.#raft.term });
    const leaderSilentFor = (this.#asLeader?.followers.unconfirmedFor(now) ?? now - this.#heardAt) as Millis;
    const facts = { from, leaderSilentFor, electionMin: this.#timing.electionMin };
    const isVote = request.stage === "vote";
    if (isVote && request.term > this.#raft.term && !isBoundToLeader(request, facts)) this.#enter(request.term, now);
    const isGranted = wouldGrant(this.#raft, request, facts);
    if (isVote && isGranted) {
      this.#raft.setHardState(request.term, from);
      this.candidate.postpone(now);
    }
    const term = isGranted ? request.term : this.#raft.term;
    const { stage } = request;
    this.#raft.outbox.send(from, { type: "vote-reply", term, stage, isGranted, isRecovering: this.#isRecovering });
  }

  #onVoteReply(from: MemberId, reply: VoteReply, now: Millis): void {
    const isConsent = reply.stage === "ask" && reply.isGranted;
    if (isConsent || this.#isCurrent(reply.term, now)) this.candidate.replied(from, reply);
  }

  #onLeader(from: MemberId, message: Append | SnapshotPart, now: Millis): void {
    if (!this.#isCurrent(message.term, now)) return this.#contradict(from, message);
    if (this.#asLeader !== undefined) return;
    this.#heardAt = now;
    this.#isRemoved = false;
    this.candidate.postpone(now);
    if (this.#asFollower?.leader !== from) this.#asFollower = this.#follow(from);
    if (message.type === "append") this.#asFollower.append(message, now);
    else this.#asFollower.snapshotPart(message);
    if (this.#asFollower.isCaughtUp) this.#isRecovering = false;
  }

  #follow(leader: MemberId): Follower<Answer> {
    return new Follower({ leader, raft: this.#raft, incarnation: this.#incarnation, timing: this.#timing });
  }

  #takeOver(now: Millis): void {
    if (this.#raft.membership.isVoter(this.#raft.self) && !this.#isRecovering)
      this.candidate.begin({ stage: "vote", isTakeOver: true, now, isRecovering: false });
    this.#asFollower = undefined;
  }

  /** Adopts a higher term. @returns false for messages of a lower one */
  #isCurrent(term: Term, now: Millis): boolean {
    if (term > this.#raft.term) this.#enter(term, now);
    return term === this.#raft.term;
  }

  #enter(term: Term, now: Millis): void {
    if (this.#asLeader !== undefined) this.stepDown(now);
    this.#asFollower = undefined;
    this.candidate.cancel();
    this.#raft.setHardState(term, undefined);
  }

  /** The reply tells a leader of an older term that it is no longer leader. */
  #contradict(from: MemberId, message: Append | SnapshotPart): void {
    const none = 0 as LogIndex;
    const { round, sentAt } = message;
    const facts = { round, sentAt, isMatch: false, held: none, synced: none, tryAfter: none };
    this.#raft.outbox.send(from, {
      type: "append-reply",
      term: this.#raft.term,
      ...facts,
      incarnation: this.#incarnation,
    });
  }
}
