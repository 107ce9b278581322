/** A cluster of one in memory: what is written waits in a list, and `turn` applies it. For tests of sessions. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type {
  ClientDirectory,
  ClientRow,
  ClusterView,
  CommandBackend,
  CommandSink,
  CommandStore,
  MemberRow,
  StoreFailure,
} from "@sluice/cache/resp/command-backend";
import { CommandSession } from "@sluice/cache/resp/command-session";
import { CommandTable } from "@sluice/cache/resp/command-table";
import { DEFAULT_RESP_LIMITS, type RespLimits } from "@sluice/cache/resp/limits";
import { WorkTurn } from "@sluice/cache/resp/work-turn";
import { CacheState } from "@sluice/cache/state/cache-state";

interface Write {
  readonly sink: CommandSink;
  readonly ticket: number;
  readonly operation: Uint8Array;
}

export interface OneMemberOptions {
  readonly limits?: Partial<RespLimits>;
  readonly password?: string;
  readonly turn?: WorkTurn;
}

export class OneMember implements CommandBackend, CommandStore, ClientDirectory {
  readonly state = new CacheState({ hashSeed: 7 });
  readonly counts = { commands: 0, hits: 0, misses: 0 };
  readonly store: CommandStore = this;
  readonly clients: ClientDirectory = this;
  readonly sessions = new Map<number, CommandSession>();
  readonly limits: RespLimits;
  readonly password: string | undefined;
  cluster: ClusterView = CLUSTER;
  standing: ReturnType<CommandStore["readStanding"]> = "now";
  /** Every write fails so, when set. */
  failure: StoreFailure | undefined;
  time = 1_000_000 as Millis;
  confirms: (readonly [CommandSink, number])[] = [];
  waits: (readonly [CommandSink, number, number])[] = [];
  #writes: Write[] = [];
  readonly #commands: CommandTable;
  readonly #turn: WorkTurn;
  #index = 0;

  constructor(options: OneMemberOptions = {}) {
    this.#turn =
      options.turn ?? new WorkTurn({ turnWork: Number.POSITIVE_INFINITY, clientWork: Number.POSITIVE_INFINITY });
    this.limits = { ...DEFAULT_RESP_LIMITS, ...options.limits };
    this.password = options.password;
    this.#commands = new CommandTable();
  }

  open(): CommandSession {
    const id = this.sessions.size + 1;
    const { limits, password } = this;
    const address = `127.0.0.1:${5_000 + id}`;
    const session = new CommandSession({
      id,
      address,
      localAddress: "127.0.0.1:6401",
      backend: this,
      commands: this.#commands,
      turn: this.#turn,
      password,
      limits,
      now: this.time,
    });
    this.sessions.set(id, session);
    return session;
  }

  wall(): Millis {
    return this.time;
  }

  readStanding(): ReturnType<CommandStore["readStanding"]> {
    return this.standing;
  }

  confirmRead(sink: CommandSink, ticket: number): void {
    this.confirms.push([sink, ticket]);
  }

  write(sink: CommandSink, ticket: number, operation: Uint8Array): void {
    this.#writes.push({ sink, ticket, operation });
  }

  waitForReplicas(sink: CommandSink, ticket: number, count: number): void {
    this.waits.push([sink, ticket, count]);
  }

  get writeCount(): number {
    return this.#writes.length;
  }

  /** Applies what was written, in order, until nothing is left. */
  turn(): void {
    for (let writes = this.#writes; writes.length > 0; writes = this.#writes) {
      this.#writes = [];
      for (const { sink, ticket, operation } of writes) {
        if (this.failure !== undefined) sink.failed(ticket, this.failure);
        else sink.answered(ticket, this.apply(operation));
      }
    }
  }

  apply(operation: Uint8Array) {
    return this.state.apply(operation, { index: ++this.#index as LogIndex, term: 1 as Term, time: this.time });
  }

  get count(): number {
    return this.sessions.size;
  }

  rows(): Iterable<ClientRow> {
    return [...this.sessions.values()].map((session) => session.row);
  }

  kill(id: number): void {
    this.sessions.get(id)?.end("killed");
    this.sessions.delete(id);
  }
}

const MEMBERS: readonly MemberRow[] = [
  { id: "n1" as MemberId, host: "10.0.0.1", port: 6401, isVoter: true, isReachable: true, matchIndex: 9 },
  { id: "n2" as MemberId, host: "10.0.0.2", port: 6402, isVoter: true, isReachable: true, matchIndex: 8 },
  { id: "n3" as MemberId, host: "10.0.0.3", port: 6403, isVoter: true, isReachable: false, matchIndex: 3 },
];

export const CLUSTER: ClusterView = {
  self: "n1" as MemberId,
  role: "leader",
  term: 4,
  leader: "n1" as MemberId,
  lastLeader: "n1" as MemberId,
  leaderStanding: "up",
  members: MEMBERS,
  appliedIndex: 9,
  infoLines: () => [],
};

/** As a follower of `leader` sees it. */
export function following(leader: string): ClusterView {
  const id = leader as MemberId;
  return { ...CLUSTER, role: "follower", leader: id, lastLeader: id };
}
