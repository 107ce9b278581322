/** When a member gives its vote, or says that it would. */
import type { Millis } from "@sluice/base/brand";
import type { RaftState } from "./raft-state.ts";
import type { MemberId } from "../ids.ts";
import type { VoteRequest } from "./member-message.ts";

export interface VoteFacts {
  readonly from: MemberId;
  /** Since a leader was last heard here, or since the start if none was. */
  readonly leaderSilentFor: Millis;
  readonly electionMin: Millis;
}

/**
 * A leader counts on not being replaced within `electionMin` of being heard: that is its lease. Only where it gives
 * its place away itself may others vote sooner.
 */
export function isBoundToLeader(request: VoteRequest, { leaderSilentFor, electionMin }: VoteFacts): boolean {
  return !request.isTakeOver && leaderSilentFor < electionMin;
}

export function wouldGrant(raft: RaftState<unknown>, request: VoteRequest, facts: VoteFacts): boolean {
  if (isBoundToLeader(request, facts)) return false;
  // Whoever knows of no members has never followed anybody, or has lost its disk and forgotten what it confirmed.
  if (raft.membership.members.length === 0) return false;
  const isFree = raft.votedFor === undefined || raft.votedFor === facts.from;
  const isTermRight = request.stage === "ask" ? request.term > raft.term : request.term === raft.term && isFree;
  return isTermRight && hasAllOf(request, raft);
}

/**
 * Whoever was removed while it was away asks the voters that it knows, and the leader may not be among them. So anyone
 * may say it whose committed list does without the asker, and whose log the asker lacks: it could not win, and hears
 * from a leader first should it be added again.
 */
export function isPastMember(raft: RaftState<unknown>, from: MemberId, request: VoteRequest): boolean {
  const { membership, commit } = raft;
  return !membership.isMember(from) && membership.index <= commit && !hasAllOf(request, raft);
}

/** Whoever lacks a record of ours may lack a committed one. Raft §5.4.1 */
function hasAllOf({ lastTerm, lastIndex }: VoteRequest, { log }: RaftState<unknown>): boolean {
  const last = log.last;
  return lastTerm > last.term || (lastTerm === last.term && lastIndex >= last.index);
}
