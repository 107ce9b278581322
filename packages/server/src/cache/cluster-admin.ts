/** What operators ask of a node over RESP: `SLUICE STATUS`, `ADD`, `REMOVE`, `SWITCH-OVER`. */
import type { MemberId } from "@sluice/cache/ids";
import type { MemberRow } from "@sluice/cache/resp/command-backend";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import { formatAddress, parseAddress } from "./address.ts";
import type { ClusterChanges } from "./cluster-changes.ts";
import { CacheChangeError } from "./node-errors.ts";

/** The answer to `SLUICE STATUS`, as JSON. */
export interface NodeReport {
  readonly node: string;
  readonly role: string;
  readonly term: number;
  readonly leader: string | null;
  readonly commit: number;
  readonly generation: number;
  readonly elections: number;
  readonly truncatedRecords: number;
  readonly snapshotIndex: number;
  readonly isRecovering: boolean;
  readonly members: readonly {
    readonly id: string;
    readonly role: "voter" | "learner";
    readonly address: string;
    readonly resp: string | null;
    readonly isReachable: boolean;
    /** Last record that it is known to hold; null where that is not known: on followers. */
    readonly held: number | null;
  }[];
}

export interface ClusterAdminPorts {
  readonly status: () => ReplicaStatus;
  readonly rows: () => readonly MemberRow[];
  readonly generation: () => number;
  readonly changes: ClusterChanges;
}

export class ClusterAdmin {
  readonly #ports: ClusterAdminPorts;

  constructor(ports: ClusterAdminPorts) {
    this.#ports = ports;
  }

  /** @param words  after `SLUICE`. @returns JSON. @throws {CacheChangeError} with what the operator is told */
  async perform(words: readonly string[]): Promise<string> {
    const [name = "", first, second] = words;
    switch (name.toUpperCase()) {
      case "STATUS":
        return JSON.stringify(this.#report());
      case "ADD":
        await this.#add(first, second);
        return "{}";
      case "REMOVE":
        await this.#remove(first);
        return "{}";
      case "SWITCH-OVER":
        await this.#ports.changes.switchOver((first ?? this.#heir()) as MemberId);
        return "{}";
      default:
        throw new CacheChangeError({ change: `do "${name}"`, reason: "it is none of STATUS, ADD, REMOVE, SWITCH-OVER" });
    }
  }

  async #add(id = "", address = ""): Promise<void> {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(id) || parseAddress(address) === undefined) {
      throw new CacheChangeError({ change: "add a member", reason: "give its id and its host:port" });
    }
    await this.#ports.changes.changeMembers({ type: "add", id: id as MemberId, address });
  }

  /** A leader that is to go hands over first, and the operator asks the next one. */
  async #remove(id = ""): Promise<void> {
    await this.#ports.changes.changeMembers({ type: "remove", id: id as MemberId });
  }

  #heir(): string {
    const { followers, members } = this.#ports.status();
    const voters = new Set(members.filter((member) => member.role === "voter").map((member) => member.id));
    const heirs = followers.filter((one) => voters.has(one.id) && one.silentFor !== undefined);
    heirs.sort((a, b) => (a.silentFor ?? 0) - (b.silentFor ?? 0));
    heirs.sort((a, b) => b.held - a.held);
    const heir = heirs[0];
    if (heir === undefined) throw new CacheChangeError({ change: "switch over", reason: "there is no other voter to be heard" });
    return heir.id;
  }

  #report(): NodeReport {
    const { self, role, term, leader, commit, elections, truncatedRecords, snapshotIndex, isRecovering, members } =
      this.#ports.status();
    const rows = new Map(this.#ports.rows().map((row) => [row.id, row]));
    return {
      node: self,
      role,
      term,
      leader: leader ?? null,
      commit,
      generation: this.#ports.generation(),
      elections,
      truncatedRecords,
      snapshotIndex,
      isRecovering,
      members: members.map(({ id, role: standing, address }) => {
        const row = rows.get(id);
        const resp = row === undefined || row.port === 0 ? null : formatAddress(row);
        const held = role === "leader" ? (row?.matchIndex ?? 0) : null;
        return { id, role: standing, address, resp, isReachable: row?.isReachable ?? false, held };
      }),
    };
  }
}
