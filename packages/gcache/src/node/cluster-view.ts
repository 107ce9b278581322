/** The cluster as this member shows it to clients. */
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type { ClusterView, LeaderStanding, MemberRow } from "@sluice/cache/resp/command-backend";
import { voterCount } from "@sluice/cache/resp/sentinel-view";
import { splitAddress } from "@sluice/runtime/sockets/host-and-port";
import type { OwnMember } from "../members/member-identity.ts";
import type { MemberTransport } from "../members/member-transport.ts";
import type { PeerPins } from "../members/peer-pins.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

export interface ClusterSources {
  readonly driver: Pick<ReplicaDriver<unknown>, "status" | "lastLeader">;
  readonly peers: Pick<PeerPins, "clientsOf">;
  readonly transport: Pick<MemberTransport, "isConnected" | "isCalling">;
  readonly own: Pick<OwnMember, "clients">;
  /** A member not heard for longer counts as down. */
  readonly silentAfter: Millis;
  readonly infoLines: (section: string) => readonly (readonly [string, string | number])[];
}

export class NodeClusterView implements ClusterView {
  readonly #sources: ClusterSources;

  constructor(sources: ClusterSources) {
    this.#sources = sources;
  }

  get self(): MemberId {
    return this.#sources.driver.status().self;
  }

  get role(): ClusterView["role"] {
    const { role } = this.#sources.driver.status();
    return role === "halted" || role === "removed" ? "learner" : role;
  }

  get term(): number {
    return this.#sources.driver.status().term;
  }

  get leader(): MemberId | undefined {
    return this.#sources.driver.status().leader;
  }

  get lastLeader(): MemberId | undefined {
    const status = this.#sources.driver.status();
    return status.role === "removed" ? undefined : this.#lastLeader(status);
  }

  /** Without a reachable majority it is unknown whether the leader still has one. */
  get leaderStanding(): LeaderStanding {
    const status = this.#sources.driver.status();
    const rows = this.#rows(status);
    const { reachable, quorum } = voterCount(rows);
    const isHeard = reachable >= quorum && status.unledFor <= this.#sources.silentAfter;
    const lastLeader = this.#lastLeader(status);
    const isLeaderHeard = isHeard && rows.some(({ id, isReachable }) => isReachable && id === lastLeader);
    if (status.leader === undefined) return isLeaderHeard ? "changing" : "lost";
    if (!isLeaderHeard) return "unheard";
    return status.isHandingOver ? "changing" : "up";
  }

  get appliedIndex(): number {
    return this.#sources.driver.status().applied;
  }

  get members(): readonly MemberRow[] {
    return this.#rows(this.#sources.driver.status());
  }

  infoLines(section: string): readonly (readonly [string, string | number])[] {
    return this.#sources.infoLines(section);
  }

  /** The replica knows a new leader before it reports it. */
  #lastLeader({ leader }: ReplicaStatus): MemberId | undefined {
    return leader ?? this.#sources.driver.lastLeader;
  }

  #rows(status: ReplicaStatus): readonly MemberRow[] {
    const { self, role, members, followers, lastIndex } = status;
    return members.map(({ id, role: standing }): MemberRow => {
      const isSelf = id === self;
      const clients = isSelf ? this.#sources.own.clients : this.#sources.peers.clientsOf(id);
      const { host, port } = splitAddress(clients ?? "");
      const matchIndex = isSelf && role === "leader" ? lastIndex : (followers.find((one) => one.id === id)?.held ?? 0);
      const isReachable = isSelf || this.#isReachable(id, status);
      return { id, host, port, isVoter: standing === "voter", isReachable, matchIndex };
    });
  }

  /** A leader hears its followers, a follower its leader; other members are judged by their connections. */
  #isReachable(id: MemberId, status: ReplicaStatus): boolean {
    const { role, followers, leadingFor, unledFor } = status;
    const { transport, silentAfter } = this.#sources;
    if (role !== "leader" && id === this.#lastLeader(status)) return unledFor <= silentAfter && transport.isCalling(id);
    const follower = followers.find((one) => one.id === id);
    const silentFor = follower?.isGettingSnapshot === false ? (follower.silentFor ?? leadingFor ?? 0) : 0;
    return silentFor <= silentAfter && transport.isConnected(id);
  }
}
