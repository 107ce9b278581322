/** Orders of operators about members: remove one, or replace a lost store. */
import type { Clock } from "@sluice/base/clock";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberOrder } from "../members/member-calls.ts";
import type { MemberTransport } from "../members/member-transport.ts";
import type { ClusterChanges } from "./cluster-changes.ts";
import type { ClusterGrowth } from "./cluster-growth.ts";
import { CacheChangeError } from "./node-errors.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

export interface MemberOrdersOptions {
  readonly driver: Pick<ReplicaDriver<unknown>, "status" | "role">;
  readonly changes: ClusterChanges;
  readonly growth: ClusterGrowth;
  readonly transport: Pick<MemberTransport, "acceptedMember" | "refusals" | "identityOf">;
  readonly clock: Clock;
}

/** The links learn of a new list in the turn that brings it. */
const LOOK_EVERY = 20 as Millis;
const LOOKS = 50;
/** A member heard more recently is running: it cannot be replaced. */
const HEARD_WITHIN = 3_000;

export class MemberOrders {
  readonly #options: MemberOrdersOptions;
  readonly #replacing = new Set<string>();

  constructor(options: MemberOrdersOptions) {
    this.#options = options;
  }

  /** On the leader; resolves once committed. @throws {CacheChangeError} */
  async perform(order: MemberOrder): Promise<void> {
    if (order.type === "remove") return this.#remove(order.id);
    await this.#untilSilent(order.id);
    await this.#replace(order.id);
  }

  /** A node with an empty store asks for its former place. Only a leader acts, one request at a time. */
  async replaceOnRequest(id: string): Promise<void> {
    if (this.#options.driver.role !== "leader" || this.#replacing.has(id)) return;
    await this.#replace(id);
  }

  async #remove(id: string): Promise<void> {
    const { changes, growth } = this.#options;
    if (growth.wouldAdd(id)) {
      const reason = "it runs, and would be added again: stop it first, or leave it out of cluster.voters";
      throw new CacheChangeError({ change: `remove member "${id}"`, reason });
    }
    await changes.changeMembers({ type: "remove", id: id as MemberId });
  }

  /** The former process may have ended a moment ago: waits until it counts as silent, so that an operator need not retry. */
  async #untilSilent(id: string): Promise<void> {
    const { clock, transport } = this.#options;
    for (;;) {
      const wait = HEARD_WITHIN - (this.#silentFor(id) ?? HEARD_WITHIN);
      if (wait <= 0 || transport.acceptedMember(id) !== undefined) return;
      await clock.sleep(Math.ceil(wait) as Millis, NEVER); // timers may ring a fraction of a millisecond early
    }
  }

  #silentFor(id: string): number | undefined {
    return this.#options.driver.status().followers.find((one) => one.id === id)?.silentFor;
  }

  async #replace(id: string): Promise<void> {
    const { changes, driver, transport } = this.#options;
    const change = `replace member "${id}"`;
    const { members } = driver.status();
    const member = members.find((one) => one.id === id);
    if (member === undefined) throw new CacheChangeError({ change, reason: "no such member" });
    const silentFor = this.#silentFor(id);
    if (transport.acceptedMember(id) !== undefined || (silentFor !== undefined && silentFor < HEARD_WITHIN)) {
      throw new CacheChangeError({ change, reason: "it is running with its known store" });
    }
    if (this.#replacing.has(id)) throw new CacheChangeError({ change, reason: "that is already in progress" });
    this.#replacing.add(id);
    try {
      await changes.changeMembers({ type: "remove", id: id as MemberId });
      if (transport.identityOf(id) !== undefined) await this.#addAgain(id, member.address);
    } finally {
      this.#replacing.delete(id);
    }
  }

  async #addAgain(id: string, formerly: string): Promise<void> {
    const { changes, clock, transport } = this.#options;
    for (let look = 0; look < LOOKS && transport.acceptedMember(id) === undefined; look++) {
      await clock.sleep(LOOK_EVERY, NEVER);
    }
    const address = transport.acceptedMember(id)?.address ?? formerly;
    await changes.changeMembers({ type: "add", id: id as MemberId, address });
  }
}

const NEVER = new AbortController().signal;
