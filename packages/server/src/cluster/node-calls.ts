/** What nodes ask each other: how they are, to end a session, to drain; and members about the members of the engine. */
import type { Clock } from "@sluice/base/clock";
import type { NodeCounts } from "@sluice/client/admin-contract";
import type { Channel } from "@sluice/mesh/channel";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import type { LinkService } from "@sluice/mesh/link-services";
import type { MeshLink } from "@sluice/mesh/mesh";
import { RequestFailedError, Requests } from "@sluice/mesh/requests";
import type { ClusterLimits } from "./limits.ts";
import { type MemberList, readMemberList } from "./member-list.ts";
import { readNodeCounts } from "./node-counts.ts";

const SERVICE = "node calls";

/** What this node does for others; the callers have proved that they are of the cluster. */
export interface NodeDeeds {
  counts(): NodeCounts;
  /** `false`: no such session. */
  kick(sessionId: string, reason: string): boolean;
  drain(from: string): void;
  /** Undefined where this node is no member. */
  members(): MemberList | undefined;
  /** @returns why not; empty once it is done. @throws {RequestFailedError} where this node is no member */
  changeMember(order: MemberOrder): Promise<string>;
}

export interface MemberOrder {
  readonly type: "remove" | "replace";
  readonly id: string;
}

type Call =
  | { readonly ask: "counts" }
  | { readonly ask: "kick"; readonly session: string; readonly reason: string }
  | { readonly ask: "drain" }
  | { readonly ask: "members" }
  | { readonly ask: "change-member"; readonly order: MemberOrder };

export interface NodeCallsOptions {
  readonly deeds: NodeDeeds;
  readonly clock: Clock;
  readonly limits: Pick<ClusterLimits, "calls" | "answer" | "memberChange">;
}

export class NodeCalls implements LinkService {
  readonly names = [SERVICE];
  readonly #options: NodeCallsOptions;
  /** Of the channels that this node opened, by peer. */
  readonly #asking = new Map<string, Requests>();
  /** Of all channels of a link, those that the peer opened too. */
  readonly #requests = new Map<MeshLink, Map<Channel, Requests>>();

  constructor(options: NodeCallsOptions) {
    this.#options = options;
  }

  /** @throws {RequestFailedError} */
  async counts(peer: string): Promise<NodeCounts> {
    return readNodeCounts(await this.#ask(peer, { ask: "counts" }));
  }

  /** @returns whether it had such a session. @throws {RequestFailedError} */
  async kick(peer: string, session: string, reason: string): Promise<boolean> {
    return (await this.#ask(peer, { ask: "kick", session, reason })) === true;
  }

  /** @throws {RequestFailedError} */
  async drain(peer: string): Promise<void> {
    await this.#ask(peer, { ask: "drain" });
  }

  /** Asked of a member. @throws {RequestFailedError} */
  async members(peer: string): Promise<MemberList> {
    return readMemberList(await this.#ask(peer, { ask: "members" }));
  }

  /** Asked of a member. @returns why not; empty once it is done. @throws {RequestFailedError} */
  async changeMember(peer: string, order: MemberOrder): Promise<string> {
    return String(await this.#ask(peer, { ask: "change-member", order }, this.#options.limits.memberChange));
  }

  up(link: MeshLink): void {
    this.#requests.set(link, new Map());
    const channel = link.driver.link?.openChannel(SERVICE, { class: "state" });
    if (channel === undefined) return;
    const serve = (): Promise<never> =>
      Promise.reject(new RequestFailedError({ failure: "refused", detail: "asked back" }));
    this.#asking.set(link.peer.id, this.#requestsOn(link, channel, serve));
  }

  happened(link: MeshLink, event: ChannelEvent): void {
    const { channel } = event;
    const requests = this.#requests.get(link);
    switch (event.type) {
      case "opened":
        this.#requestsOn(link, channel, async (payload) => encode(await this.#answer(link.peer.id, decode(payload))));
        return;
      case "message":
        return requests?.get(channel)?.receive(event.message);
      case "closed":
        requests?.get(channel)?.end();
        requests?.delete(channel);
        return;
      default:
    }
  }

  down(link: MeshLink): void {
    const requests = this.#requests.get(link);
    this.#requests.delete(link);
    const asking = this.#asking.get(link.peer.id);
    for (const one of requests?.values() ?? []) {
      if (one === asking) this.#asking.delete(link.peer.id);
      one.end();
    }
  }

  #requestsOn(link: MeshLink, channel: Channel, serve: (payload: Uint8Array) => Promise<Uint8Array>): Requests {
    const { clock, limits } = this.#options;
    const requests = new Requests(channel, { clock, requests: limits.calls, serve });
    this.#requests.get(link)?.set(channel, requests);
    return requests;
  }

  async #ask(peer: string, call: Call, timeout = this.#options.limits.answer): Promise<unknown> {
    const requests = this.#asking.get(peer);
    if (requests === undefined) throw new RequestFailedError({ failure: "refused", detail: "no link to the node" });
    return decode(await requests.request(encode(call), { timeout }));
  }

  async #answer(from: string, value: unknown): Promise<unknown> {
    const { deeds } = this.#options;
    const call = (typeof value === "object" ? value : undefined) as Partial<Record<string, unknown>> | undefined;
    switch (call?.["ask"]) {
      case "counts":
        return deeds.counts();
      case "kick":
        return deeds.kick(String(call["session"]), String(call["reason"]));
      case "drain":
        deeds.drain(from);
        return true;
      case "members":
        return deeds.members() ?? noMember();
      case "change-member":
        return deeds.changeMember(readOrder(call["order"]));
      default:
        throw new RequestFailedError({ failure: "refused", detail: "this version does not know what is asked" });
    }
  }
}

function noMember(): never {
  throw new RequestFailedError({ failure: "refused", detail: "it is no member" });
}

function readOrder(value: unknown): MemberOrder {
  const { type, id } = (value ?? {}) as Partial<Record<string, unknown>>;
  if ((type === "remove" || type === "replace") && typeof id === "string") return { type, id };
  throw new RequestFailedError({ failure: "refused", detail: "an order that this version does not know" });
}

/** As UTF-8 text of JSON, so that any language can read it. */
function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decode(payload: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(payload)) as unknown;
}
