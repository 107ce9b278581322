/** Changes of the cluster on a leader: adds and removes members one at a time, and hands leadership over on request. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { MemberId } from "@sluice/cache/ids";
import { majorityOf, type MemberChange, votersOf } from "@sluice/cache/replica/members";
import type { ChangeResult, FollowerStatus, SwitchOverResult } from "@sluice/cache/replica/replica-options";
import type { ProposalAnswer, ProposalId } from "@sluice/cache/replica/replica-output";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import { NEEDS_SECRET, needsSecret } from "@sluice/runtime/sockets/host-and-port";
import { CacheChangeError } from "./node-errors.ts";
import type { ReplicaDriver } from "./replica-driver.ts";
import type { MonotonicWallClock } from "./monotonic-wall-clock.ts";

/** Longer than a hand-over and an election take. */
const PATIENCE = 5_000 as Millis;
/** Pause between two attempts while another change is in progress. */
const PAUSE = 50 as Millis;
const NEVER = new AbortController().signal;
/** A voter that was silent for longer may be gone. */
const HEARD_WITHIN = 2_000;

interface Waiting {
  readonly change: string;
  readonly settled: PromiseWithResolvers<void>;
}

export class ClusterChanges {
  readonly #driver: ReplicaDriver<OperationAnswer>;
  readonly #wall: MonotonicWallClock;
  readonly #clock: Clock;
  readonly #canGrow: boolean;
  readonly #secret: Uint8Array | undefined;
  readonly #waiting = new Map<ProposalId, Waiting>();
  #handOver: (Waiting & { readonly to: MemberId }) | undefined;

  constructor(options: {
    readonly driver: ReplicaDriver<OperationAnswer>;
    readonly wall: MonotonicWallClock;
    readonly clock: Clock;
    /** Whether other members can reach this node. */
    readonly canGrow: boolean;
    readonly secret: Uint8Array | undefined;
  }) {
    this.#driver = options.driver;
    this.#wall = options.wall;
    this.#clock = options.clock;
    this.#canGrow = options.canGrow;
    this.#secret = options.secret;
  }

  /** Resolves once it is committed. @throws {CacheChangeError} */
  async changeMembers(change: MemberChange): Promise<void> {
    const until = this.#clock.now() + PATIENCE;
    for (;;) {
      const result = this.tryChange(change);
      if ("token" in result) return this.#committed(result.token, `${change.type} member "${change.id}"`);
      if (!isPassing(result) || this.#clock.now() > until) throw changeError(change, result);
      await this.#clock.sleep(PAUSE, NEVER);
    }
  }

  /** Does not wait for the commit. */
  tryChange(change: MemberChange): ChangeResult {
    if (change.type === "add" && !this.#canGrow)
      return { refused: "not-possible", reason: "this node opens no port for members" };
    if (change.type === "add" && needsSecret(change.address, this.#secret))
      return { refused: "not-possible", reason: NEEDS_SECRET };
    if (change.type === "remove" && !this.#wouldStand(change.id))
      return { refused: "not-possible", reason: "too few of the remaining voters are heard" };
    const result = this.#driver.replica.changeMembers(change, this.#driver.now(), this.#wall.read());
    this.#driver.wake();
    return result;
  }

  /** The best next leader: the most up-to-date voter that is heard. */
  get heir(): MemberId | undefined {
    const { role, members, followers } = this.#driver.status();
    if (role !== "leader") return undefined;
    const voters = new Set(votersOf(members));
    const heard = followers.flatMap(({ id, held, silentFor }) =>
      voters.has(id) && isHeard({ silentFor }) ? [{ id, held, silentFor: silentFor ?? 0 }] : [],
    );
    heard.sort((a, b) => b.held - a.held || a.silentFor - b.silentFor);
    return heard[0]?.id;
  }

  /** Does not wait for the end. @throws {CacheChangeError} */
  startSwitchOver(to: MemberId): void {
    const result = this.#driver.replica.switchOver(to, this.#driver.now());
    this.#driver.wake();
    if (result !== "started") throw new CacheChangeError({ change: handOverTo(to), reason: reasonOf(result) });
  }

  /** Resolves once another member leads. @throws {CacheChangeError} */
  async switchOver(to: MemberId): Promise<void> {
    this.startSwitchOver(to);
    const change = handOverTo(to);
    const settled = Promise.withResolvers<void>();
    this.#handOver = { to, change, settled };
    await settled.promise;
  }

  answered(answers: readonly ProposalAnswer<OperationAnswer>[]): void {
    if (this.#waiting.size === 0) return;
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.token);
      if (waiting === undefined) continue;
      this.#waiting.delete(answer.token);
      if (answer.outcome === "unknown-outcome")
        this.#failed(waiting, "leadership was lost meanwhile: the outcome is unknown");
      else waiting.settled.resolve();
    }
  }

  roleChanged(isLeader: boolean, leader: MemberId | undefined): void {
    if (isLeader || leader === undefined || this.#handOver === undefined) return;
    this.#handOver.settled.resolve();
    this.#handOver = undefined;
  }

  switchOverFailed(): void {
    if (this.#handOver !== undefined) this.#failed(this.#handOver, "it did not take over in time");
    this.#handOver = undefined;
  }

  close(): void {
    for (const waiting of this.#waiting.values()) this.#failed(waiting, "this member is stopping");
    this.#waiting.clear();
    this.switchOverFailed();
  }

  /** Whether a majority of the remaining voters is heard. */
  #wouldStand(id: MemberId): boolean {
    const { self, role, members, followers } = this.#driver.status();
    if (role !== "leader") return true; // not leading is reported instead
    const left = votersOf(members).filter((voter) => voter !== id);
    const heard = left.filter((voter) => voter === self || isHeard(followers.find((one) => one.id === voter)));
    return heard.length >= majorityOf(left.length);
  }

  #committed(token: ProposalId, change: string): Promise<void> {
    const settled = Promise.withResolvers<void>();
    this.#waiting.set(token, { change, settled });
    return settled.promise;
  }

  #failed({ change, settled }: Waiting, reason: string): void {
    settled.reject(new CacheChangeError({ change, reason }));
  }
}

function isHeard(follower: Pick<FollowerStatus, "silentFor"> | undefined): boolean {
  return follower?.silentFor !== undefined && follower.silentFor < HEARD_WITHIN;
}

/** Worth retrying soon. */
export function isPassing(result: Refused): boolean {
  return result.refused === "busy" || result.refused === "not-caught-up";
}

export function changeError({ type, id }: MemberChange, result: Refused): CacheChangeError {
  return new CacheChangeError({ change: `${type} member "${id}"`, reason: reasonOf(result) });
}

type Refused = Exclude<ChangeResult, { readonly token: ProposalId }>;

const handOverTo = (to: MemberId): string => `switch over to member "${to}"`;

function reasonOf(result: Exclude<SwitchOverResult, "started"> | Refused): string {
  switch (result.refused) {
    case "not-possible":
      return result.reason;
    case "not-leader":
      return "this member does not lead";
    case "not-caught-up":
      return "it has not caught up yet";
    default:
      return `the leader is busy (${result.refused})`;
  }
}
