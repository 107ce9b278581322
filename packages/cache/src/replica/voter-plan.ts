/** Plans which node to add or promote next, so that voters grow 1, 3, 5 as nodes appear. */
import type { MemberId } from "../ids.ts";
import { type Member, type MemberChange, type MemberList, votersOf } from "./members.ts";
import type { FollowerStatus } from "./replica-options.ts";

/** More voters make every write slower and gain little. */
const MOST_VOTERS = 5;
/** The first target; edges vote only if there are too few other nodes for it. */
const FEW_VOTERS = 3;
const MOST_LEARNERS = 2;
/** A learner heard this recently is considered available. */
const HEARD_WITHIN = 500;
/** Records that may be in flight to a learner that keeps up. */
const CLOSE = 5_000;

/** A ready node that could hold a copy. */
export interface VoterCandidate {
  readonly id: MemberId;
  readonly address: string;
  /** `last`: votes only if three voters cannot be reached without it. */
  readonly rank: "first" | "last";
}

export interface VoterPlanFacts {
  readonly self: MemberId;
  readonly members: MemberList;
  readonly followers: readonly FollowerStatus[];
  readonly lastIndex: number;
  /** Members among them; need not include this node. */
  readonly candidates: readonly VoterCandidate[];
  /** `auto`, or the ids of nodes that may vote. */
  readonly wish: "auto" | readonly string[];
}

/** On the leader. Never removes voters, dead or not: only an operator does. */
export function nextMemberChange(facts: VoterPlanFacts): MemberChange | undefined {
  const { members } = facts;
  const moved = facts.candidates.find(({ id, address }) =>
    members.some((member) => member.id === id && member.address !== address),
  );
  if (moved !== undefined) return { type: "add", id: moved.id, address: moved.address };
  const wanted = wantedVoters(facts);
  return nextPromotion(facts, wanted) ?? nextLearner(facts, wanted);
}

/**
 * The learner to promote now, if any. An even number of voters tolerates no more losses than the odd number below, so
 * promotion waits for two learners, and promotes one after the other.
 */
export function nextPromotion(
  { members, followers, lastIndex }: Pick<VoterPlanFacts, "members" | "followers" | "lastIndex">,
  wanted = MOST_VOTERS,
): MemberChange | undefined {
  const voterCount = votersOf(members).length;
  const missing = wanted - voterCount;
  const ready = members.filter((member) => {
    const follower = followers.find((one) => one.id === member.id);
    return member.role === "learner" && follower !== undefined && hasCaughtUp(follower, lastIndex);
  });
  const together = voterCount % 2 === 1 && missing >= 2 ? 2 : 1;
  const next = ready[0];
  return next === undefined || missing <= 0 || ready.length < together ? undefined : { type: "promote", id: next.id };
}

/** The target number of voters, at least the present one. */
function wantedVoters({ self, members, candidates, wish }: VoterPlanFacts): number {
  const voters = votersOf(members);
  if (wish !== "auto") return new Set([...voters, ...wish]).size;
  const others = candidates.filter(({ id }) => id !== self);
  const firstCount = 1 + others.filter(({ rank }) => rank === "first").length;
  const reachable = firstCount >= MOST_VOTERS ? MOST_VOTERS : others.length + 1 >= FEW_VOTERS ? FEW_VOTERS : 1;
  const odd = voters.length + ((voters.length + 1) % 2);
  return Math.min(MOST_VOTERS, Math.max(odd, reachable));
}

function nextLearner({ members, candidates, wish }: VoterPlanFacts, wanted: number): MemberChange | undefined {
  const voterCount = votersOf(members).length;
  const learners = members.filter(({ role }) => role === "learner");
  const newcomers = candidates.filter(({ id }) => members.every((member) => member.id !== id));
  const next = chosen(newcomers, { wish, isFew: voterCount < FEW_VOTERS });
  if (next === undefined || voterCount >= wanted) return undefined;
  if (learners.length < Math.min(MOST_LEARNERS, wanted - voterCount))
    return { type: "add", id: next.id, address: next.address };
  const gone = learners.find((learner) => !isAmong(learner, candidates));
  return gone && { type: "remove", id: gone.id };
}

function chosen(
  newcomers: readonly VoterCandidate[],
  { wish, isFew }: { readonly wish: VoterPlanFacts["wish"]; readonly isFew: boolean },
): VoterCandidate | undefined {
  if (wish !== "auto") return newcomers.find(({ id }) => wish.includes(id));
  return newcomers.find(({ rank }) => rank === "first") ?? (isFew ? newcomers[0] : undefined);
}

const isAmong = ({ id }: Member, candidates: readonly VoterCandidate[]): boolean =>
  candidates.some((candidate) => candidate.id === id);

function hasCaughtUp({ held, silentFor, isGettingSnapshot }: FollowerStatus, lastIndex: number): boolean {
  return !isGettingSnapshot && silentFor !== undefined && silentFor < HEARD_WITHIN && lastIndex - held < CLOSE;
}
