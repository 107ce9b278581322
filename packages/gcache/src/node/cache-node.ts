/** One member of a replicated cache: joins log, state, disk, members and clients, on real time. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberChange } from "@sluice/cache/replica/members";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type { AckLevel } from "@sluice/cache/replica/replica-output";
import type { StoreFailure } from "@sluice/cache/resp/command-backend";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { Operation, OperationAnswer, RequestId } from "@sluice/cache/state/operation";
import { encodeOperation } from "@sluice/cache/state/operation-codec";
import type { MemberRefusal } from "../members/introductions.ts";
import type { CallOutcome, MemberOrder } from "../members/member-calls.ts";
import type { MemberTransport } from "../members/member-transport.ts";
import type { RespPort } from "../resp/resp-port.ts";
import type { NodeStore } from "../store/node-store.ts";
import type { ClusterChanges } from "./cluster-changes.ts";
import type { LeaderClient } from "./leader-client.ts";
import type { MemberPubSub } from "./member-pub-sub.ts";
import type { MonotonicWallClock } from "./monotonic-wall-clock.ts";
import type { NodeEvents } from "./node-events.ts";
import { CacheChangeError } from "./node-errors.ts";
import type { Rejoin } from "./rejoin.ts";
import type { ReplicaDriver } from "./replica-driver.ts";
import type { Upkeep } from "./upkeep.ts";

/** How long a stopping leader waits for another to take over. */
const HAND_OVER = 2_000 as Millis;

export interface NodeListeners {
  /** Missing for a node that opens no port for members. */
  readonly member?: string;
  readonly resp?: string;
}

export interface CacheNodeParts {
  readonly id: string;
  readonly listeners: NodeListeners;
  readonly ackLevel: AckLevel;
  readonly durability: "disk" | "memory";
  readonly store: NodeStore;
  readonly state: CacheState;
  readonly transport: MemberTransport;
  readonly driver: ReplicaDriver<OperationAnswer>;
  readonly leaderClient: LeaderClient;
  readonly changes: ClusterChanges;
  readonly publishing: MemberPubSub;
  readonly resp: RespPort | undefined;
  readonly upkeep: Upkeep;
  readonly rejoin: Rejoin;
  readonly events: NodeEvents;
  readonly wall: MonotonicWallClock;
  readonly clock: Clock;
  readonly log: Log;
}

/** A running member, opened by `openCacheNode`. */
export class CacheNode implements AsyncDisposable {
  readonly id: string;
  readonly listeners: NodeListeners;
  /** This member's copy; includes everything acknowledged only after `barrier`. */
  readonly state: CacheState;
  readonly publishing: MemberPubSub;
  readonly failed: AbortSignal;
  readonly ackLevel: AckLevel;
  /** Where acknowledged writes are stored. */
  readonly durability: "disk" | "memory";
  readonly #parts: CacheNodeParts;
  #closed: Promise<void> | undefined;

  constructor(parts: CacheNodeParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.listeners = parts.listeners;
    this.state = parts.state;
    this.publishing = parts.publishing;
    this.failed = parts.events.failed;
    this.ackLevel = parts.ackLevel;
    this.durability = parts.durability;
  }

  status(): ReplicaStatus {
    return this.#parts.driver.status();
  }

  /** The clock for expiry; never goes back. */
  wall(): Millis {
    return this.#parts.wall.read();
  }

  /** Executed once, however often it is tried with the same request id. Never rejects. */
  write(operation: Operation, requestId?: RequestId): Promise<CallOutcome> {
    return this.#parts.leaderClient.write(encodeOperation(operation, requestId));
  }

  /** Resolves when `state` includes everything acknowledged before the call. */
  barrier(): Promise<StoreFailure | "reached"> {
    return this.#parts.leaderClient.barrier();
  }

  /** Resolves when `state` includes the record at `index`. */
  applied(index: number): Promise<void> {
    return this.#parts.leaderClient.applied(index);
  }

  /** @throws {CacheChangeError} */
  changeMembers(change: MemberChange): Promise<void> {
    return this.#parts.changes.changeMembers(change);
  }

  /** Works on any member; resolves once committed. @throws {CacheChangeError} */
  remove(id: string): Promise<void> {
    return this.#order({ type: "remove", id });
  }

  /**
   * For a member whose store was lost: removes it, and adds it again with its present store, as soon as that runs.
   * Works on any member; resolves once committed. @throws {CacheChangeError}
   */
  replace(id: string): Promise<void> {
    return this.#order({ type: "replace", id });
  }

  /** @throws {CacheChangeError} */
  switchOver(to: string): Promise<void> {
    return this.#parts.changes.switchOver(to as MemberId);
  }

  /** Calls `listener` after every turn in which the state may have changed. */
  onTurn(listener: () => void): Disposable {
    return this.#parts.events.onTurn(listener);
  }

  /** Members with a link that refuse this one, or that it refuses. */
  get refusals(): readonly MemberRefusal[] {
    return this.#parts.transport.refusals;
  }

  /** Calls `listener` whenever `refusals` has changed. */
  onRefusals(listener: () => void): Disposable {
    return this.#parts.events.onRefusals(listener);
  }

  /** A leader first hands over. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #order(order: MemberOrder): Promise<void> {
    const outcome = await this.#parts.leaderClient.order(order);
    if (outcome.type === "ordered") return;
    const reason = outcome.type === "refused" ? outcome.reason : "there is no leader";
    throw new CacheChangeError({ change: `${order.type} member "${order.id}"`, reason });
  }

  async #close(): Promise<void> {
    const { driver, resp, transport, store, leaderClient, changes, upkeep, rejoin, log } = this.#parts;
    upkeep[Symbol.dispose]();
    rejoin[Symbol.dispose]();
    await this.#handOver().catch((error: Error) => log.warn({ reason: error.message }, "Stopping without a hand-over"));
    driver.close();
    leaderClient.close();
    changes.close();
    await Promise.all([resp?.close(), transport.close()]);
    await store.close();
  }

  async #handOver(): Promise<void> {
    const { clock, changes } = this.#parts;
    const { heir } = changes;
    if (heir === undefined) return;
    const late = clock.sleep(HAND_OVER, new AbortController().signal);
    await Promise.race([changes.switchOver(heir), late]);
  }
}
