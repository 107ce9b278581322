/** Decides when a member grants a vote or a pre-vote. */
import type { Millis } from "@sluice/base/brand";
import type { RaftState } from "./raft-state.ts";
import type { MemberId } from "../ids.ts";
import type { VoteRequest } from "./member-message.ts";

export interface VoteFacts {
  readonly from: MemberId;
  /** Time since a leader was last heard, or since the start. */
  readonly leaderSilentFor: Millis;
  readonly electionMin: Millis;
}

/**
 * A leader relies on not being replaced within `electionMin` of being heard: that is its lease. Others may vote sooner
 * only if the leader itself hands over.
 */
export function isBoundToLeader(request: VoteRequest, { leaderSilentFor, electionMin }: VoteFacts): boolean {
  return !request.isTakeOver && leaderSilentFor < electionMin;
}

export function wouldGrant(raft: RaftState<unknown>, request: VoteRequest, facts: VoteFacts): boolean {
  if (isBoundToLeader(request, facts)) return false;
  // A member without a list has never followed a leader, or has lost its disk and what it confirmed.
  if (raft.membership.members.length === 0) return false;
  const isFree = raft.votedFor === undefined || raft.votedFor === facts.from;
  const isTermRight = request.stage === "ask" ? request.term > raft.term : request.term === raft.term && isFree;
  return isTermRight && hasAllOf(request, raft);
}

/**
 * A member removed during its absence asks the voters that it knows, which may not include the leader. So any member may
 * answer that it was removed, if its committed list lacks the asker and the asker lacks part of its log: the asker could
 * not win, and would hear from a leader first if it were added again.
 */
export function isPastMember(raft: RaftState<unknown>, from: MemberId, request: VoteRequest): boolean {
  const { membership, commit } = raft;
  return !membership.isMember(from) && membership.index <= commit && !hasAllOf(request, raft);
}

/** A candidate that lacks one of our records may lack a committed one. Raft §5.4.1 */
function hasAllOf({ lastTerm, lastIndex }: VoteRequest, { log }: RaftState<unknown>): boolean {
  const last = log.last;
  return lastTerm > last.term || (lastTerm === last.term && lastIndex >= last.index);
}
