/** The cluster as clients of this member see it. */
import type { MemberId } from "@sluice/cache/ids";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type { ClusterView, MemberRow } from "@sluice/cache/resp/command-backend";
import { splitAddress } from "./address.ts";
import type { PeerBook } from "./peer-book.ts";

export interface ClusterSources {
  readonly status: () => ReplicaStatus;
  readonly peers: PeerBook;
  /** `host:port` of this member's own RESP port, as others reach it; empty without one. */
  readonly ownClients: () => string;
  readonly isConnected: (id: string) => boolean;
  readonly infoLines: (section: string) => readonly (readonly [string, string | number])[];
}

export class NodeClusterView implements ClusterView {
  readonly #sources: ClusterSources;

  constructor(sources: ClusterSources) {
    this.#sources = sources;
  }

  get self(): MemberId {
    return this.#sources.status().self;
  }

  get role(): ClusterView["role"] {
    const { role } = this.#sources.status();
    return role === "halted" || role === "removed" ? "learner" : role;
  }

  get term(): number {
    return this.#sources.status().term;
  }

  get leader(): MemberId | undefined {
    return this.#sources.status().leader;
  }

  get appliedIndex(): number {
    return this.#sources.status().applied;
  }

  get members(): readonly MemberRow[] {
    const { self, role, members, followers, lastIndex } = this.#sources.status();
    return members.map(({ id, role: standing }): MemberRow => {
      const isSelf = id === self;
      const clients = isSelf ? this.#sources.ownClients() : this.#sources.peers.clientsOf(id);
      const { host, port } = splitAddress(clients ?? "");
      const follower = followers.find((one) => one.id === id);
      const matchIndex = isSelf && role === "leader" ? lastIndex : (follower?.held ?? 0);
      return {
        id,
        host,
        port,
        isVoter: standing === "voter",
        isReachable: isSelf || this.#sources.isConnected(id),
        matchIndex,
      };
    });
  }

  infoLines(section: string): readonly (readonly [string, string | number])[] {
    return this.#sources.infoLines(section);
  }
}
