/** Calls between nodes: figures, ending a session, draining; and calls to members about the engine's members. */
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
import {
  type ObjectCopyFacts,
  type ObjectList,
  type ObjectQuery,
  readFacts,
  readObjectList,
  readQuery,
} from "./object-list.ts";
import { readStreamList, type StreamList } from "./stream-list.ts";

const SERVICE = "node calls";

/** What this node does for other nodes; the callers have proved that they belong to the cluster. */
export interface NodeActions {
  counts(): NodeCounts;
  /** `false`: no such session. */
  kick(sessionId: string, reason: string): boolean;
  drain(from: string): void;
  /** Undefined if this node is not a member. */
  members(): MemberList | undefined;
  /** @returns why not; empty when done. @throws {RequestFailedError} if this node is not a member */
  changeMember(order: MemberOrder): Promise<string>;
}

/** What this node says of its streams. */
export interface StreamActions {
  listHere(limit: number): StreamList;
}

/** What this node does with a stream of its own that another node has a publisher for. */
export interface YieldActions {
  /** @returns whether the other node may have it */
  yieldTo(node: string, key: string): Promise<boolean>;
}

/** What this node does for others about shared objects of the cluster. */
export interface ObjectActions {
  listHere(query: ObjectQuery): ObjectList;
  factsHere(path: string): ObjectCopyFacts | undefined;
  /** @returns why not; empty when done */
  moveHere(path: string, to: string): Promise<string>;
  /** @returns why not; empty when done */
  forgetHere(path: string): Promise<string>;
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
  | { readonly ask: "change-member"; readonly order: MemberOrder }
  | { readonly ask: "streams"; readonly limit: number }
  | { readonly ask: "yield-stream"; readonly key: string }
  | ({ readonly ask: "objects" } & ObjectQuery)
  | { readonly ask: "object" | "forget-object"; readonly path: string }
  | { readonly ask: "move-object"; readonly path: string; readonly to: string };

export interface NodeCallsOptions {
  readonly actions: NodeActions;
  readonly clock: Clock;
  readonly limits: Pick<ClusterLimits, "calls" | "answer" | "memberChange" | "objectChange" | "streamYield">;
}

export class NodeCalls implements LinkService {
  readonly names = [SERVICE];
  readonly #options: NodeCallsOptions;
  #objects: ObjectActions | undefined;
  #streams: StreamActions | undefined;
  #yields: YieldActions | undefined;
  /** On channels opened by this node, by peer. */
  readonly #asking = new Map<string, Requests>();
  /** On all channels of a link, including those opened by the peer. */
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

  /** Call it on a member. @throws {RequestFailedError} */
  async members(peer: string): Promise<MemberList> {
    return readMemberList(await this.#ask(peer, { ask: "members" }));
  }

  /** Call it on a member. @returns why not; empty when done. @throws {RequestFailedError} */
  async changeMember(peer: string, order: MemberOrder): Promise<string> {
    return String(await this.#ask(peer, { ask: "change-member", order }, this.#options.limits.memberChange));
  }

  /** Answers other nodes about shared objects from now on. */
  serveObjects(actions: ObjectActions): void {
    this.#objects = actions;
  }

  /** Answers other nodes about streams from now on. */
  serveStreams(actions: StreamActions): void {
    this.#streams = actions;
  }

  /** Gives up streams of its own to other nodes from now on. */
  serveYields(actions: YieldActions): void {
    this.#yields = actions;
  }

  /** Call it on the node with the publisher. @returns whether it has given the stream up. @throws {RequestFailedError} */
  async yieldStream(peer: string, key: string): Promise<boolean> {
    return (await this.#ask(peer, { ask: "yield-stream", key }, this.#options.limits.streamYield)) === true;
  }

  /** @throws {RequestFailedError} */
  async streams(peer: string, limit: number): Promise<StreamList> {
    return readStreamList(await this.#ask(peer, { ask: "streams", limit }), limit);
  }

  /** @throws {RequestFailedError} */
  async objects(peer: string, query: ObjectQuery): Promise<ObjectList> {
    return readObjectList(await this.#ask(peer, { ask: "objects", ...query }), query);
  }

  /** Undefined if it has no copy. @throws {RequestFailedError} */
  async object(peer: string, path: string): Promise<ObjectCopyFacts | undefined> {
    const facts = await this.#ask(peer, { ask: "object", path });
    return facts === null ? undefined : readFacts(facts);
  }

  /** Call it on the home. @returns why not; empty when done. @throws {RequestFailedError} */
  async moveObject(peer: string, path: string, to: string): Promise<string> {
    return String(await this.#ask(peer, { ask: "move-object", path, to }, this.#options.limits.objectChange));
  }

  /** Call it on the home. @returns why not; empty when done. @throws {RequestFailedError} */
  async forgetObject(peer: string, path: string): Promise<string> {
    return String(await this.#ask(peer, { ask: "forget-object", path }, this.#options.limits.objectChange));
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
    const { actions } = this.#options;
    const call = (typeof value === "object" ? value : undefined) as Partial<Record<string, unknown>> | undefined;
    switch (call?.["ask"]) {
      case "counts":
        return actions.counts();
      case "kick":
        return actions.kick(String(call["session"]), String(call["reason"]));
      case "drain":
        actions.drain(from);
        return true;
      case "members":
        return actions.members() ?? noMember();
      case "change-member":
        return actions.changeMember(readOrder(call["order"]));
      case "streams":
        return this.#streams?.listHere(Number(call["limit"])) ?? { streams: [], more: false };
      case "yield-stream":
        return this.#yields?.yieldTo(from, String(call["key"])) ?? true;
      case "objects":
      case "object":
      case "move-object":
      case "forget-object":
        return this.#answerAboutObjects(call);
      default:
        throw new RequestFailedError({ failure: "refused", detail: "unknown call in this version" });
    }
  }

  async #answerAboutObjects(call: Readonly<Partial<Record<string, unknown>>>): Promise<unknown> {
    const objects = this.#objects ?? noObjects();
    const path = String(call["path"]);
    switch (call["ask"]) {
      case "objects":
        return objects.listHere(readQuery(call));
      case "object":
        return objects.factsHere(path) ?? null;
      case "move-object":
        return objects.moveHere(path, String(call["to"]));
      default:
        return objects.forgetHere(path);
    }
  }
}

function noObjects(): never {
  throw new RequestFailedError({ failure: "refused", detail: "it has no shared objects yet" });
}

function noMember(): never {
  throw new RequestFailedError({ failure: "refused", detail: "it is not a member" });
}

function readOrder(value: unknown): MemberOrder {
  const { type, id } = (value ?? {}) as Partial<Record<string, unknown>>;
  if ((type === "remove" || type === "replace") && typeof id === "string") return { type, id };
  throw new RequestFailedError({ failure: "refused", detail: "unknown order in this version" });
}

/** UTF-8 JSON, so that any language can read it. */
function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decode(payload: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(payload)) as unknown;
}
