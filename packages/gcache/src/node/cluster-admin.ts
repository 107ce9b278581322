/** Commands of operators over RESP: `SLUICE STATUS`, `ADD`, `REMOVE`, `SWITCH-OVER`. */
import type { MemberId } from "@sluice/cache/ids";
import type { MemberChange } from "@sluice/cache/replica/members";
import type { ClusterView } from "@sluice/cache/resp/command-backend";
import type { CacheState } from "@sluice/cache/state/cache-state";
import { type Command, defineCommands } from "@sluice/cache/resp/command";
import { refuse } from "@sluice/cache/resp/errors";
import { formatAddress, parseAddress } from "@sluice/runtime/sockets/host-and-port";
import { changeError, type ClusterChanges, isPassing } from "./cluster-changes.ts";
import { CacheChangeError } from "./node-errors.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

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
  /** False: stopping a member for good now may lose the last change of `members`. */
  readonly isMemberListCommitted: boolean;
  readonly members: readonly {
    readonly id: string;
    readonly role: "voter" | "learner";
    readonly address: string;
    readonly resp: string | null;
    readonly isReachable: boolean;
    /** Last record known to be stored there; null if unknown, as on followers. */
    readonly held: number | null;
  }[];
}

export interface ClusterAdminPorts {
  readonly driver: Pick<ReplicaDriver<unknown>, "status">;
  readonly cluster: Pick<ClusterView, "members">;
  readonly state: Pick<CacheState, "generation">;
  readonly changes: ClusterChanges;
}

export class ClusterAdmin {
  readonly #ports: ClusterAdminPorts;

  constructor(ports: ClusterAdminPorts) {
    this.#ports = ports;
  }

  /**
   * The command has begun when this returns; `SLUICE STATUS` shows when it is done.
   * @param words  after `SLUICE`
   * @returns the reply. @throws {CommandRefusal} with the reason; `TRYAGAIN` if it may succeed soon
   */
  perform(words: readonly string[]): string {
    const [name = "", first = "", second = ""] = words;
    try {
      switch (name.toUpperCase()) {
        case "STATUS":
          return JSON.stringify(this.#report());
        case "ADD":
          return this.#change({ type: "add", id: memberId(first), address: memberAddress(second) });
        case "REMOVE":
          return this.#change({ type: "remove", id: memberId(first) });
        case "SWITCH-OVER":
          this.#ports.changes.startSwitchOver((first || this.#heir()) as MemberId);
          return "OK";
        default:
          return refuse("ERR unknown subcommand. Try STATUS, ADD, REMOVE, SWITCH-OVER");
      }
    } catch (error) {
      if (!(error instanceof CacheChangeError)) throw error;
      return refuse(`ERR ${error.message}`);
    }
  }

  #change(change: MemberChange): string {
    const result = this.#ports.changes.tryChange(change);
    if ("token" in result) return "OK";
    const error = changeError(change, result);
    if (isPassing(result)) refuse(`TRYAGAIN ${error.message}`);
    throw error;
  }

  #heir(): MemberId {
    const { heir } = this.#ports.changes;
    if (heir !== undefined) return heir;
    throw new CacheChangeError({ change: "switch over", reason: "no other voter is heard" });
  }

  #report(): NodeReport {
    const status = this.#ports.driver.status();
    const { self, role, term, leader, commit, elections, truncatedRecords, snapshotIndex, members } = status;
    const rows = new Map(this.#ports.cluster.members.map((row) => [row.id, row]));
    return {
      node: self,
      role,
      term,
      leader: leader ?? null,
      commit,
      generation: this.#ports.state.generation,
      elections,
      truncatedRecords,
      snapshotIndex,
      isRecovering: status.isRecovering,
      isMemberListCommitted: status.isMemberListCommitted,
      members: members.map(({ id, role: standing, address }) => {
        const row = rows.get(id);
        const resp = row === undefined || row.port === 0 ? null : formatAddress(row);
        const held = role === "leader" ? (row?.matchIndex ?? 0) : null;
        return { id, role: standing, address, resp, isReachable: row?.isReachable ?? false, held };
      }),
    };
  }
}

function memberId(text: string): MemberId {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text) ? (text as MemberId) : refuse("ERR give the id of a member");
}

function memberAddress(text: string): string {
  return parseAddress(text) === undefined ? refuse("ERR give the host:port of the member") : text;
}

/** `SLUICE` for the command table of the RESP sessions. */
export function adminCommands(admin: ClusterAdmin): readonly Command[] {
  return defineCommands("server", [
    {
      name: "sluice",
      kind: "local",
      work: 200,
      arity: -2,
      flags: ["admin", "stale"],
      run: ({ request, reply }) => {
        const words = Array.from({ length: request.count - 1 }, (_, i) => request.text(i + 1));
        reply.bulkText(admin.perform(words));
      },
      summary: "Shows and changes the cluster of this member",
    },
  ]);
}
