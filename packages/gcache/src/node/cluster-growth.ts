/** On the leader: adds and promotes members as nodes come, and follows those whose address has changed. */
import type { Log } from "@sluice/base/log";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberChange } from "@sluice/cache/replica/members";
import { nextMemberChange, nextPromotion, type VoterCandidate } from "@sluice/cache/replica/voter-plan";
import type { OwnMember } from "../members/member-identity.ts";
import type { MemberTransport } from "../members/member-transport.ts";
import type { ClusterChanges } from "./cluster-changes.ts";
import { CacheChangeError } from "./node-errors.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

/** A node as the cluster sees it. */
export interface EligibleNode {
  readonly id: string;
  /** Edges vote only where there are too few others for three. */
  readonly roles: readonly string[];
}

export interface GrowthOptions {
  /** `auto`, or the ids of those that may vote. Who votes already stays. */
  readonly voters: "auto" | readonly string[];
  /** Nodes that are ready, and that this one is linked with. */
  readonly eligible: () => readonly EligibleNode[];
}

export interface ClusterGrowthOptions {
  /** Left out: members come by an operator's word alone, and learners that have caught up are promoted. */
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

  /** One change after the other, as long as there is one to make: between two promotions no time is lost. */
  async goOn(): Promise<void> {
    if (this.#isChanging) return;
    this.#isChanging = true;
    try {
      for (let change = this.#next(); change !== undefined; change = this.#next()) await this.#make(change);
    } catch (error) {
      if (!(error instanceof CacheChangeError)) throw error;
      this.#options.log.debug({ reason: error.message }, "A change of members has to wait");
    } finally {
      this.#isChanging = false;
    }
  }

  /** It would be added again after its removal. */
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

  /** Those among the eligible that run a member which this one talks with. */
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
