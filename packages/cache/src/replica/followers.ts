/** A leader's view of all other members, and the progress that a majority including the leader has reached. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId } from "../ids.ts";
import type { RaftState } from "./raft-state.ts";
import { majorityOf } from "./members.ts";
import type { LevelReach } from "./proposals.ts";
import type { FollowerStatus } from "./replica-options.ts";
import { ReplicationProgress } from "./replication-progress.ts";

export class Followers implements LevelReach {
  readonly #raft: RaftState<unknown>;
  readonly #progress = new Map<MemberId, ReplicationProgress>();
  /** The election itself counts as a confirmation until a later one. */
  readonly #electedAt: Millis;

  constructor(raft: RaftState<unknown>, electedAt: Millis) {
    this.#raft = raft;
    this.#electedAt = electedAt;
    this.followMembers();
  }

  /** Updates the view to the current member list. */
  followMembers(): void {
    const { membership, self, log, limits } = this.#raft;
    for (const id of this.#progress.keys()) if (!membership.isMember(id)) this.#progress.delete(id);
    for (const { id } of membership.members) {
      if (id === self || this.#progress.has(id)) continue;
      this.#progress.set(id, new ReplicationProgress(id, (log.lastIndex + 1) as LogIndex, limits));
    }
  }

  get(id: MemberId): ReplicationProgress | undefined {
    return this.#progress.get(id);
  }

  all(): Iterable<ReplicationProgress> {
    return this.#progress.values();
  }

  get held(): LogIndex {
    return this.#reached(this.#raft.held, (follower) => follower.held) as LogIndex;
  }

  get synced(): LogIndex {
    return this.#reached(this.#raft.disk.synced, (follower) => follower.synced) as LogIndex;
  }

  /** Send time of the latest message confirmed by a majority; the leader confirms its own at once. */
  confirmedAt(now: Millis): Millis {
    return this.#reached(now, (follower) => follower.confirmedSentAt ?? Number.NEGATIVE_INFINITY) as Millis;
  }

  /** Time since the last confirmation by a majority. */
  unconfirmedFor(now: Millis): Millis {
    return (now - Math.max(this.confirmedAt(now), this.#electedAt)) as Millis;
  }

  electedFor(now: Millis): Millis {
    return (now - this.#electedAt) as Millis;
  }

  holdersOf(index: LogIndex): number {
    let count = 0;
    for (const follower of this.#progress.values()) if (follower.held >= index) count++;
    return count;
  }

  status(now: Millis): FollowerStatus[] {
    return Array.from(this.#progress.values(), ({ id, held, synced, confirmedSentAt, snapshot }) => ({
      id,
      held,
      synced,
      silentFor: confirmedSentAt === undefined ? undefined : ((now - confirmedSentAt) as Millis),
      isGettingSnapshot: snapshot !== undefined,
    }));
  }

  #reached(own: number, of: (follower: ReplicationProgress) => number): number {
    const { membership, self, isSingleVoter } = this.#raft;
    if (isSingleVoter) return own;
    return reachedByMajority(
      membership.voters.map((id) => {
        const follower = this.#progress.get(id);
        if (id === self) return own;
        return follower === undefined ? Number.NEGATIVE_INFINITY : of(follower);
      }),
    );
  }
}

/** The highest value that a majority has reached. @param values  one per voter, at least one */
function reachedByMajority(values: readonly number[]): number {
  const descending = [...values].sort((a, b) => b - a);
  return descending[majorityOf(descending.length) - 1] as number;
}
