/** What a leader does for the state by itself: names the data's life, ends what is due, completes the count of voters. */
import type { Millis } from "@sluice/base/brand";
import type { MemberChange, MemberList } from "@sluice/cache/replica/members";
import type { FollowerStatus } from "@sluice/cache/replica/replica-options";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { Operation } from "@sluice/cache/state/operation";

export const UPKEEP_EVERY = 100 as Millis;
/** More voters make every write dearer and gain little. */
const MOST_VOTERS = 5;
/** A learner that was heard from this recently can be counted on. */
const HEARD_WITHIN = 500;

/** Operations to propose now. */
export function upkeepOf(state: CacheState, wall: Millis): readonly Operation[] {
  if (state.generation === 0) return [{ type: "found", generation: wall }];
  return state.takeUpkeep(wall);
}

/**
 * The learner to promote now, if any. Voters go 1, 3, 5: an even count stands no more losses than the odd one below it,
 * so two learners are waited for, and promoted one after the other.
 */
export function nextPromotion(
  members: MemberList,
  followers: readonly FollowerStatus[],
  lastIndex: number,
): MemberChange | undefined {
  const voterCount = members.filter((member) => member.role === "voter").length;
  const ready = members.filter((member) => {
    const follower = followers.find((one) => one.id === member.id);
    return member.role === "learner" && follower !== undefined && isReady(follower, lastIndex);
  });
  const wanted = voterCount % 2 === 0 ? 1 : 2;
  const next = ready[0];
  return next === undefined || ready.length < wanted || voterCount >= MOST_VOTERS
    ? undefined
    : { type: "promote", id: next.id };
}

/** Records that may be under way to a learner that keeps up. */
const CLOSE = 5_000;

function isReady({ held, silentFor, isGettingSnapshot }: FollowerStatus, lastIndex: number): boolean {
  return !isGettingSnapshot && silentFor !== undefined && silentFor < HEARD_WITHIN && lastIndex - held < CLOSE;
}
