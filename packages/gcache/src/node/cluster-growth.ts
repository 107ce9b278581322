/** On the leader: adds and promotes members as nodes appear, and updates changed addresses. */
import type { Log } from "@sluice/base/log";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberChange } from "@sluice/cache/replica/members";
import { nextMemberChange, nextPromotion, type VoterCandidate } from "@sluice/cache/replica/voter-plan";
import type { OwnMember } from "../members/member-identity.ts";
import type { MemberTransport } from "../members/member-transport.ts";
import type { ClusterChanges } from "./cluster-changes.ts";
import { CacheChangeError } from "./node-errors.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

/** A node of the cluster. */
export interface EligibleNode {
  readonly id: string;
  /** Edges vote only if there are too few other nodes for three voters. */
  readonly roles: readonly string[];
}

export interface GrowthOptions {
  /** `auto`, or the ids of nodes that may vote. Existing voters stay. */
  readonly voters: "auto" | readonly string[];
  /** Nodes that are ready and linked with this one. */
  readonly eligible: () => readonly EligibleNode[];
}

export interface ClusterGrowthOptions {
  /** Left out: only an operator adds members; learners that have caught up are promoted. */
  readonly growth: GrowthOptions | undefined;
  readonly driver: Pick<ReplicaDriver<unknown>, "status">;
  readonly changes: ClusterChanges;
  readonly transport: Pick<MemberTransport, "acceptedMember">;
  readonly own: OwnMember;
  readonly log: Log;
}

export class ClusterGrowth {
  readonly #options: ClusterGrowthOptions;
  #isChanging = false;

  constructor(options: ClusterGrowthOptions) {
    this.#options = options;
  }

  /** Makes one change after another until there is none left. */
  async goOn(): Promise<void> {
    if (this.#isChanging) return;
    this.#isChanging = true;
    try {
      for (let change = this.#next(); change !== undefined; change = this.#next()) await this.#make(change);
    } catch (error) {
      if (!(error instanceof CacheChangeError)) throw error;
      this.#options.log.debug({ reason: error.message }, "A change of members is postponed");
    } finally {
      this.#isChanging = false;
    }
  }

  /** Whether it would be added again after its removal. */
  wouldAdd(id: string): boolean {
    const { growth } = this.#options;
    if (growth === undefined || (growth.voters !== "auto" && !growth.voters.includes(id))) return false;
    return this.#candidates(growth).some((candidate) => candidate.id === id);
  }

  async #make(change: MemberChange): Promise<void> {
    this.#options.log.info({ member: change.id, change: change.type }, "Changing the members of the cluster");
    await this.#options.changes.changeMembers(change);
  }

  #next(): MemberChange | undefined {
    const { growth, driver } = this.#options;
    const status = driver.status();
    if (status.role !== "leader") return undefined;
    if (growth === undefined) return nextPromotion(status);
    return nextMemberChange({ ...status, candidates: this.#candidates(growth), wish: growth.voters });
  }

  /** Eligible nodes with a member that this one accepts. */
  #candidates({ eligible }: GrowthOptions): readonly VoterCandidate[] {
    const { own, transport } = this.#options;
    const self = own.identity;
    const nodes = eligible().filter(({ id }) => id !== self.id);
    const others = nodes.flatMap(({ id, roles }): readonly VoterCandidate[] => {
      const member = transport.acceptedMember(id);
      const isEdge = !roles.includes("origin") && !roles.includes("voter");
      return member === undefined ? [] : [candidate(member, isEdge ? "last" : "first")];
    });
    return [candidate(self, "first"), ...others];
  }
}

const candidate = (
  { id, address }: { readonly id: string; readonly address: string },
  rank: VoterCandidate["rank"],
): VoterCandidate => ({ id: id as MemberId, address, rank });
