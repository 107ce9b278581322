/** The state engine on a cache node of this process: needs no other server, and grows with its cluster. */
import { randomBytes } from "node:crypto";
import type { Millis } from "@sluice/base/brand";
import type { Log } from "@sluice/base/log";
import type { Clock } from "@sluice/base/clock";
import { aborted } from "@sluice/base/scope";
import type { Crypto } from "@sluice/base/crypto";
import type { LeaseId, OperationAnswer, SetOperation } from "@sluice/cache/state/operation";
import { checkKey, checkPrefix, checkTtl, checkValue } from "@sluice/engine/checks";
import type {
  CasResult,
  Engine,
  EngineCapabilities,
  EngineLogs,
  EngineReplica,
  Entry,
  Key,
  Lease,
  RepeatableOptions,
  WatchEvent,
  WriteOptions,
} from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineLeaseLostError, EngineUnavailableError } from "@sluice/engine/errors";
import { ENGINE_LIMITS } from "@sluice/engine/limits";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import { EngineLifecycle } from "@sluice/engine/remote/engine-lifecycle";
import { GcacheCalls } from "./gcache-calls.ts";
import { GcacheFeed } from "./gcache-feed.ts";
import { GcacheLogs } from "./gcache-logs.ts";
import { bytesOfKey, ENTRIES, entryOf, leaseFor, revisionOf, versionFor } from "./gcache-names.ts";
import { HeldLeases } from "@sluice/engine/remote/held-leases";
import { messageStream } from "@sluice/engine/remote/message-stream";
import { Mirror } from "@sluice/engine/remote/mirror";

export interface GcacheEngineOptions {
  readonly node: CacheNode;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Node's own when left out. */
  readonly crypto?: Pick<Crypto, "randomBytes">;
}

/** Our view of a lease ends early: the leader's clock may run a tenth faster, and we must notice before its keys vanish. */
const LEASE_MARGIN = { factor: 1.12, plus: 50 };

const LOOK_EVERY = 20 as Millis;

/** A client of the node; closing it leaves the node open. */
export class GcacheEngine implements Engine {
  readonly logs: EngineLogs;
  readonly replica: EngineReplica;
  readonly #options: GcacheEngineOptions;
  readonly #lifecycle = new EngineLifecycle();
  readonly #closing = new AbortController();
  readonly #calls: GcacheCalls;
  readonly #mirror = new Mirror();
  readonly #feed: GcacheFeed;
  readonly #leases: HeldLeases;

  /**
   * Waits until the cluster has a leader, and its data has the generation that is part of every revision: the first
   * leader of a new cluster chooses it after its election.
   *
   * @throws {EngineUnavailableError} when the node's disk fails meanwhile
   * @throws the signal's reason when it aborts first
   */
  static async open(options: GcacheEngineOptions, signal: AbortSignal): Promise<GcacheEngine> {
    const { node, clock } = options;
    const over = aborted(signal);
    while ((await Promise.race([node.barrier(), over])) !== "reached" || node.state.generation === 0) {
      signal.throwIfAborted();
      const reason = "the disk of its cache failed";
      if (node.failed.aborted)
        throw new EngineUnavailableError({ engine: "gcache", action: "open", reason, isUnknown: false });
      await clock.sleep(LOOK_EVERY, signal);
    }
    return new GcacheEngine(options);
  }

  private constructor(options: GcacheEngineOptions) {
    this.#options = options;
    this.#calls = new GcacheCalls({ crypto: { randomBytes }, ...options, closing: this.#closing.signal });
    this.#feed = new GcacheFeed({ ...options, mirror: this.#mirror });
    this.#leases = new HeldLeases(options);
    this.replica = {
      grant: async (ttl) => revisionOf(this.#state, await this.#grant(ttl)),
      renew: (token, patience) => this.#renew(token, patience),
      release: (token) => this.#release(token),
      catchUp: () => this.#catchUp(),
    };
    this.logs = new GcacheLogs({ calls: this.#calls, lifecycle: this.#lifecycle, state: options.node.state });
  }

  capabilities(): EngineCapabilities {
    const { durability, ackLevel } = this.#options.node;
    const voters = this.#options.node.status().members.filter((member) => member.role === "voter").length;
    return {
      engine: "gcache",
      serverVersion: "",
      isDurable: durability === "disk",
      survivesPowerLoss: durability === "disk" && ackLevel.type === "quorum+fsync",
      survivesNodeLoss: voters >= 3,
      enforcesLeases: true,
      hasLogs: true,
      maxValueBytes: ENGINE_LIMITS.valueBytes,
      maxKeyBytes: ENGINE_LIMITS.keyBytes,
    };
  }

  async get(key: Key): Promise<Entry | undefined> {
    this.#lifecycle.checkOpen("get");
    checkKey(key);
    await this.#calls.barrier("get");
    return this.#find(key);
  }

  async cas(key: Key, expected: Epoch | "absent", value: Uint8Array, options?: WriteOptions): Promise<CasResult> {
    this.#lifecycle.checkOpen("cas");
    checkKey(key);
    checkValue(value);
    const when = expected === "absent" ? expected : versionFor(this.#state, expected);
    if (when === undefined) return this.#conflict("cas", key);
    const answer = await this.#calls.write(
      "cas",
      {
        type: "set",
        cache: ENTRIES,
        key: bytesOfKey(key),
        value: new Uint8Array(value),
        expiry: "never",
        when,
        answerWith: "version",
        ...leaseOf(options),
      },
      requestOf(options),
    );
    return this.#casResult("cas", key, { answer, lease: options?.lease });
  }

  async remove(key: Key, expected: Epoch, options?: RepeatableOptions): Promise<CasResult> {
    this.#lifecycle.checkOpen("remove");
    checkKey(key);
    const when = versionFor(this.#state, expected);
    if (when === undefined) return this.#conflict("remove", key);
    const at = { cache: ENTRIES, key: bytesOfKey(key) };
    const removal = { type: "delete", cache: ENTRIES, keys: [at.key], when: "always", answerWith: "count" } as const;
    const answer = await this.#calls.write(
      "remove",
      {
        type: "batch",
        conditions: [{ ...at, when }],
        operations: [removal],
      },
      requestOf(options),
    );
    return this.#casResult("remove", key, { answer, lease: undefined });
  }

  watch(prefix: Key, signal: AbortSignal): AsyncIterable<WatchEvent> {
    this.#lifecycle.checkOpen("watch");
    checkPrefix(prefix);
    const reader = this.#lifecycle.admit(signal);
    return this.#mirror.watch(prefix, reader.signal, reader.leave);
  }

  async lease(ttl: Millis): Promise<Lease> {
    this.#lifecycle.checkOpen("lease");
    checkTtl(ttl);
    this.#leases.checkRoom();
    const sentAt = this.#options.clock.now();
    const token = revisionOf(this.#state, await this.#grant(ttl));
    const renew = (patience: Millis): Promise<"renewed" | "gone"> => this.#renew(token, patience);
    return this.#leases.hold({ token, ttl, sentAt, renew, drop: () => this.#release(token) });
  }

  async publish(subject: Key, message: Uint8Array): Promise<void> {
    this.#lifecycle.checkOpen("publish");
    checkKey(subject);
    checkValue(message);
    this.#options.node.publishing.publish(subject, new Uint8Array(message));
  }

  subscribe(subject: Key, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.#lifecycle.checkOpen("subscribe");
    checkKey(subject);
    return messageStream(this.#lifecycle.admit(signal), (heard) => {
      const subscription = this.#options.node.publishing.subscribe(subject, heard);
      return () => subscription[Symbol.dispose]();
    });
  }

  /** Ends like a killed process: leases are left to run out. For tests. */
  abandon(): void {
    this.#leases.abandonAll();
    this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lifecycle.isClosed) return;
    await this.#leases.releaseAll();
    this.#close();
  }

  get #state() {
    return this.#options.node.state;
  }

  #close(): void {
    this.#lifecycle.close();
    this.#closing.abort();
    this.#feed[Symbol.dispose]();
  }

  async #grant(ttl: Millis): Promise<LeaseId> {
    this.#lifecycle.checkOpen("lease");
    checkTtl(ttl);
    const served = Math.ceil(ttl * LEASE_MARGIN.factor + LEASE_MARGIN.plus) as Millis;
    const answer = await this.#calls.write("lease", { type: "lease-grant", ttl: served });
    if (answer.type !== "lease") throw refused("lease", answer);
    return answer.lease;
  }

  async #renew(token: Epoch, patience: Millis): Promise<"renewed" | "gone"> {
    const lease = leaseFor(this.#state, token);
    if (lease === undefined) return "gone";
    const answer = await this.#calls.write("renew a lease", { type: "lease-renew", lease }, { patience });
    return answer.type === "lease" ? "renewed" : "gone";
  }

  async #release(token: Epoch): Promise<void> {
    const lease = leaseFor(this.#state, token);
    if (lease !== undefined) await this.#calls.write("release a lease", { type: "lease-release", lease });
  }

  async #catchUp(): Promise<void> {
    this.#lifecycle.checkOpen("catch up");
    await this.#calls.barrier("catch up");
    this.#feed.pump();
  }

  #find(key: Key): Entry | undefined {
    const view = this.#state.find(ENTRIES, bytesOfKey(key), 0 as Millis);
    return view && entryOf(this.#state, key, view);
  }

  async #conflict(action: string, key: Key): Promise<CasResult> {
    await this.#calls.barrier(action);
    return { outcome: "conflict", current: this.#find(key) };
  }

  async #casResult(
    action: string,
    key: Key,
    { answer, lease }: { readonly answer: OperationAnswer; readonly lease: WriteOptions["lease"] | undefined },
  ): Promise<CasResult> {
    if (answer.type === "written" || answer.type === "batch") {
      const revision = revisionOf(this.#state, answer.version);
      this.#mirror.made(revision);
      return { outcome: "written", revision };
    }
    if (answer.type === "kept") return this.#conflict(action, key);
    if (answer.type === "refused" && answer.reason === "lease-gone" && lease !== undefined) {
      throw new EngineLeaseLostError({ token: lease.token });
    }
    throw refused(action, answer);
  }
}

function leaseOf(options: WriteOptions | undefined): Pick<SetOperation, "lease"> {
  return options?.lease === undefined ? {} : { lease: options.lease.token.number as LeaseId };
}

function requestOf(options: WriteOptions | undefined): RepeatableOptions {
  return options?.request === undefined ? {} : { request: options.request };
}

function refused(action: string, answer: OperationAnswer): EngineUnavailableError {
  const reason =
    answer.type === "refused" ? `the cache refused it (${answer.reason})` : `an answer of type ${answer.type}`;
  return new EngineUnavailableError({ engine: "gcache", action, reason, isUnknown: reason.includes("forgotten") });
}
