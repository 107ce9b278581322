/** Updates an engine's mirror from its node's copy of the state; the mirror is stale while the node hears no leader. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { ChangeReader } from "@sluice/cache/state/change-feed";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import { bytesOfKey, ENTRIES, entryOf, keyOfBytes, revisionOf } from "./gcache-names.ts";
import { type Mirror, TOO_MANY_ENTRIES } from "@sluice/engine/remote/mirror";

/** Longer than a normal election; after this the view may be old. */
const LEADERLESS = 2_000 as Millis;
const LOOK_EVERY = 200 as Millis;

/** Least time between two full reads: each blocks the loop, and is needed only after deletions. */
const FULL_REST = 10_000 as Millis;

const EVERYTHING = bytesOfKey("");

export class GcacheFeed implements Disposable {
  readonly #node: CacheNode;
  readonly #mirror: Mirror;
  readonly #clock: Clock;
  readonly #changes: ChangeReader;
  readonly #turns: Disposable;
  #look: Timer | undefined;
  #ledAt: Millis;
  /** A barrier is in progress; a full read follows. */
  #isReturning = false;
  #restUntil = 0 as Millis;
  #isClosed = false;

  constructor(options: {
    readonly node: CacheNode;
    readonly mirror: Mirror;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#node = options.node;
    this.#mirror = options.mirror;
    this.#clock = options.clock;
    this.#ledAt = options.clock.now();
    this.#mirror.onFull = () => {
      this.#restUntil = (this.#clock.now() + FULL_REST) as Millis;
      options.log.error({ engine: "gcache", limit: this.#mirror.limit }, TOO_MANY_ENTRIES);
    };
    this.#changes = this.#node.state.openChanges({ cache: ENTRIES });
    this.#turns = this.#node.onTurn(() => this.pump());
    void this.#return();
    this.#lookLater();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#look?.cancel();
    this.#turns[Symbol.dispose]();
    this.#changes[Symbol.dispose]();
  }

  #lookLater(): void {
    this.#look = this.#clock.after(LOOK_EVERY, () => {
      const now = this.#clock.now();
      if (this.#hearsLeader()) this.#ledAt = now;
      if (now - this.#ledAt > LEADERLESS) this.#mirror.doubt();
      if (!this.#mirror.isCurrent && now >= this.#restUntil) void this.#return();
      this.#lookLater();
    });
  }

  #hearsLeader(): boolean {
    const { role, isLeaseValid, leader } = this.#node.status();
    return role === "leader" ? isLeaseValid : leader !== undefined;
  }

  /** Reads everything once the node's copy is known to show everything acknowledged. */
  async #return(): Promise<void> {
    if (this.#isReturning) return;
    this.#isReturning = true;
    const outcome = await this.#node.barrier();
    this.#isReturning = false;
    if (this.#isClosed || outcome !== "reached") return;
    this.#ledAt = this.#clock.now();
    this.#readAll();
  }

  #readAll(): void {
    const { state } = this.#node;
    this.#changes.takeLoss();
    while (this.#changes.take() !== undefined); // the full read below includes all of it
    this.#mirror.beginReload();
    for (const [bytes, view] of state.entries(ENTRIES, EVERYTHING, 0 as Millis)) {
      this.#mirror.put(entryOf(state, keyOfBytes(bytes), view));
    }
    this.#mirror.heard(revisionOf(state, this.#node.status().applied));
    this.#mirror.finishReload();
  }

  /** Passes the changes in the node's copy to the mirror. */
  pump(): void {
    if (this.#isClosed || !this.#mirror.isCurrent) return;
    if (this.#changes.takeLoss()) return this.#readAll();
    const { state } = this.#node;
    for (let change = this.#changes.take(); change !== undefined; change = this.#changes.take()) {
      if (change.kind === "flushed") return this.#readAll();
      const key = keyOfBytes(change.key);
      const view = state.find(ENTRIES, change.key, 0 as Millis);
      if (view === undefined) this.#mirror.remove(key, revisionOf(state, change.version));
      else this.#mirror.put(entryOf(state, key, view));
      this.#mirror.heard(revisionOf(state, change.version));
    }
  }
}
