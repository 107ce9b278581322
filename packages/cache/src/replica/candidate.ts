/** Decides when a member without a leader campaigns, and tracks its campaign. */
import type { Millis } from "@sluice/base/brand";
import type { MemberId, Term } from "../ids.ts";
import { Campaign } from "./campaign.ts";
import type { RaftState } from "./raft-state.ts";
import type { VoteReply } from "./member-message.ts";
import type { ReplicaTiming } from "./timing.ts";

/** A tick later than this after its deadline means that this process stood still, not that the leader is gone. */
const STALL = 50 as Millis;

export class Candidate {
  readonly #raft: RaftState<unknown>;
  readonly #timing: ReplicaTiming;
  readonly #random: () => number;
  #campaign: Campaign | undefined;
  #electionAt: Millis;
  #electionCount = 0;
  #votesLost = 0;
  #hasStalled = false;

  constructor(raft: RaftState<unknown>, timing: ReplicaTiming, random: () => number, now: Millis) {
    this.#raft = raft;
    this.#timing = timing;
    this.#random = random;
    this.#electionAt = now;
    if (!raft.isSingleVoter) this.postpone(now);
  }

  get isRunning(): boolean {
    return this.#campaign?.stage === "vote";
  }

  get electionCount(): number {
    return this.#electionCount;
  }

  get deadline(): Millis {
    return (this.#raft.membership.isVoter(this.#raft.self) ? this.#electionAt : Number.POSITIVE_INFINITY) as Millis;
  }

  /** A leader was heard, or a vote given: restarts the wait. */
  postpone(now: Millis): void {
    this.#campaign = undefined;
    this.#votesLost = 0;
    this.#electionAt = this.#between(now, this.#timing.electionMin, this.#timing.electionMax);
  }

  /** Ends the present campaign; keeps the time of the next one. */
  cancel(): void {
    this.#campaign = undefined;
  }

  tick(now: Millis, isRecovering: boolean): void {
    if (now < this.deadline) return;
    const isStalled = now - this.#electionAt > STALL && !this.#raft.isSingleVoter && !this.#hasStalled;
    this.#hasStalled = isStalled;
    // read what others sent meanwhile first, but do not wait for ever on a slow machine
    if (isStalled) this.#electionAt = (now + this.#timing.heartbeat) as Millis;
    else this.begin({ stage: this.#raft.isSingleVoter ? "vote" : "ask", isTakeOver: false, now, isRecovering });
  }

  begin(options: {
    readonly stage: "ask" | "vote";
    readonly isTakeOver: boolean;
    readonly now: Millis;
    readonly isRecovering: boolean;
  }): void {
    const { stage, isTakeOver, now, isRecovering } = options;
    const { self, term, membership } = this.#raft;
    // the wait grows with each lost vote: a disk may be slower than the wait
    if (stage === "vote") this.#votesLost++;
    const wait = Math.min(this.#timing.electionMax, this.#timing.campaign * (1 + this.#votesLost)) as Millis;
    this.#electionAt = this.#between(now, (wait / 2) as Millis, wait);
    this.#campaign = new Campaign(stage, isTakeOver);
    if (stage === "vote") {
      this.#electionCount++;
      this.#raft.setHardState((term + 1) as Term, self);
    } else this.#campaign.grant(self, { isRecovering });
    for (const voter of membership.voters) if (voter !== self) this.#ask(voter, stage, isTakeOver);
  }

  replied(from: MemberId, reply: VoteReply): void {
    const isOurs = this.#campaign?.stage === reply.stage && reply.isGranted && reply.term === this.#askedTerm;
    if (isOurs) this.#campaign?.grant(from, reply);
  }

  /** Its own vote counts once it is on disk. */
  outcome(isRecovering: boolean): "open" | "would-win" | "won" {
    const { self, membership, isHardStateStored } = this.#raft;
    if (this.#campaign === undefined) return "open";
    if (this.isRunning && isHardStateStored) this.#campaign.grant(self, { isRecovering });
    if (!this.#campaign.isWon(membership.voters)) return "open";
    if (!this.isRunning) return "would-win";
    return isHardStateStored ? "won" : "open";
  }

  get #askedTerm(): Term {
    return (this.isRunning ? this.#raft.term : this.#raft.term + 1) as Term;
  }

  #ask(voter: MemberId, stage: "ask" | "vote", isTakeOver: boolean): void {
    const { outbox, log } = this.#raft;
    const { index: lastIndex, term: lastTerm } = log.last;
    outbox.send(voter, { type: "vote-request", term: this.#askedTerm, stage, lastIndex, lastTerm, isTakeOver });
  }

  #between(now: Millis, min: Millis, max: Millis): Millis {
    return (now + min + this.#random() * (max - min)) as Millis;
  }
}
