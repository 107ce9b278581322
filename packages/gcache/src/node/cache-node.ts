/** One member of a replicated cache: log, state, disk, members and clients tied together on real time. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberChange } from "@sluice/cache/replica/members";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type { AckLevel } from "@sluice/cache/replica/replica-output";
import type { StoreFailure } from "@sluice/cache/resp/command-backend";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { Operation, OperationAnswer, RequestId } from "@sluice/cache/state/operation";
import { encodeOperation } from "@sluice/cache/state/operation-codec";
import type { LeaderClient } from "./leader-client.ts";
import type { ClusterChanges } from "./cluster-changes.ts";
import type { CallOutcome } from "../members/member-calls.ts";
import type { MemberTransport } from "../members/member-transport.ts";
import type { NodeMetrics } from "./node-metrics.ts";
import type { NodeStore } from "../store/node-store.ts";
import type { MemberPubSub } from "./member-pub-sub.ts";
import type { ReplicaDriver } from "./replica-driver.ts";
import type { RespListener } from "../resp/resp-listener.ts";
import type { SentinelWatch } from "./sentinel-watch.ts";
import type { MonotonicWallClock } from "./monotonic-wall-clock.ts";
import { nextPromotion, UPKEEP_EVERY, upkeepOf } from "./upkeep.ts";

/** How long a leader that stops waits for another to take over. */
const HAND_OVER = 2_000 as Millis;
/** Rounds of upkeep in one go; the next go is a tenth of a second later. */
const UPKEEP_ROUNDS = 8;

export interface NodeListeners {
  /** Missing for a node that stays alone. */
  readonly member?: string;
  readonly resp?: string;
}

export interface CacheNodeParts {
  readonly id: string;
  readonly listeners: NodeListeners;
  readonly state: CacheState;
  readonly shell: ReplicaDriver<OperationAnswer>;
  readonly desk: LeaderClient;
  readonly publishing: MemberPubSub;
  readonly changes: ClusterChanges;
  readonly transport: MemberTransport;
  readonly store: NodeStore;
  readonly resp: RespListener | undefined;
  readonly sentinel: SentinelWatch | undefined;
  readonly wall: MonotonicWallClock;
  readonly metrics: NodeMetrics;
  readonly ackLevel: AckLevel;
  readonly durability: "disk" | "memory";
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the disk failed: the node acknowledges nothing more and should be closed. */
  readonly failed: AbortSignal;
  /** Called after every turn in which something may have been applied. */
  readonly turnListeners: Set<() => void>;
}

/** A running member. Made by `openCacheNode`. */
export class CacheNode implements AsyncDisposable {
  readonly id: string;
  readonly listeners: NodeListeners;
  /** This member's copy; reading it sees all that was acknowledged only after `barrier`. */
  readonly state: CacheState;
  readonly publishing: MemberPubSub;
  readonly failed: AbortSignal;
  readonly ackLevel: AckLevel;
  /** Where acknowledged writes are kept. */
  readonly durability: "disk" | "memory";
  readonly #parts: CacheNodeParts;
  #upkeepTimer: Timer | undefined;
  #isEndingDue = false;
  #closed: Promise<void> | undefined;

  constructor(parts: CacheNodeParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.listeners = parts.listeners;
    this.state = parts.state;
    this.publishing = parts.publishing;
    this.failed = parts.failed;
    this.ackLevel = parts.ackLevel;
    this.durability = parts.durability;
    this.#upkeepLater();
  }

  status(): ReplicaStatus {
    const { shell } = this.#parts;
    return shell.replica.status(shell.now());
  }

  /** By which expiry is judged; never goes back. */
  wall(): Millis {
    return this.#parts.wall.read();
  }

  /** Done once however often it is tried with the same request id. Never rejects. */
  write(operation: Operation, requestId?: RequestId): Promise<CallOutcome> {
    return this.#parts.desk.write(encodeOperation(operation, requestId));
  }

  /** Resolves when `state` shows all that was acknowledged before the call. */
  barrier(): Promise<StoreFailure | "reached"> {
    return this.#parts.desk.barrier();
  }

  /** Resolves when `state` shows the record at `index`. */
  applied(index: number): Promise<void> {
    return this.#parts.desk.applied(index);
  }

  /** @throws {CacheChangeError} */
  changeMembers(change: MemberChange): Promise<void> {
    return this.#parts.changes.changeMembers(change);
  }

  /** @throws {CacheChangeError} */
  switchOver(to: string): Promise<void> {
    return this.#parts.changes.switchOver(to as MemberId);
  }

  /** Calls `listener` after every turn in which the state may have changed. */
  onTurn(listener: () => void): Disposable {
    const { turnListeners } = this.#parts;
    turnListeners.add(listener);
    return { [Symbol.dispose]: () => void turnListeners.delete(listener) };
  }

  /** A leader hands over first. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { shell, resp, sentinel, transport, store, desk, changes, log } = this.#parts;
    this.#upkeepTimer?.cancel();
    await this.#handOver().catch((error: Error) => log.warn({ reason: error.message }, "Stopping without a hand-over"));
    sentinel?.close();
    shell.close();
    desk.close();
    changes.close();
    await Promise.all([resp?.close(), transport.close()]);
    await store.close();
  }

  /** To the follower that holds most, if there is one to be heard. */
  async #handOver(): Promise<void> {
    const { role, followers, members } = this.status();
    if (role !== "leader") return;
    const voters = new Set(members.filter((member) => member.role === "voter").map((member) => member.id));
    const heirs = followers.filter(
      (one) => voters.has(one.id) && one.silentFor !== undefined && one.silentFor < HAND_OVER,
    );
    const heir = heirs.reduce((best, one) => (best === undefined || one.held > best.held ? one : best), heirs[0]);
    if (heir === undefined) return;
    const { clock, changes } = this.#parts;
    const late = clock.sleep(HAND_OVER, new AbortController().signal);
    await Promise.race([changes.switchOver(heir.id), late]);
  }

  #upkeepLater(): void {
    this.#upkeepTimer = this.#parts.clock.after(UPKEEP_EVERY, () => {
      this.#upkeep();
      this.#upkeepLater();
    });
  }

  #upkeep(): void {
    const { state, metrics } = this.#parts;
    const status = this.status();
    metrics.update(status, state);
    if (status.role !== "leader") return;
    const promotion = nextPromotion(status.members, status.followers, status.lastIndex);
    if (promotion !== undefined) this.#parts.changes.tryChange(promotion);
    void this.#endWhatIsDue();
  }

  /** What the state asks for is asked for again until it is applied, so each round waits for the one before. */
  async #endWhatIsDue(): Promise<void> {
    if (this.#isEndingDue) return;
    this.#isEndingDue = true;
    try {
      for (let round = 0; round < UPKEEP_ROUNDS; round++) {
        const operations = upkeepOf(this.state, this.wall());
        if (operations.length === 0) return;
        const outcomes = await Promise.all(operations.map((operation) => this.write(operation)));
        if (outcomes.some((outcome) => outcome.type === "failed")) return;
      }
    } finally {
      this.#isEndingDue = false;
    }
  }
}
