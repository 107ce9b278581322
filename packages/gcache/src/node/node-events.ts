/** Dispatches events of the replica and of other members to the parts of a node. */
import { unreachable } from "@sluice/base/unreachable";
import type { Millis } from "@sluice/base/brand";
import type { Log } from "@sluice/base/log";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberMessage } from "@sluice/cache/replica/member-message";
import { decodeMemberMessage, encodeMemberMessage } from "@sluice/cache/replica/member-message-codec";
import type { MemberList } from "@sluice/cache/replica/members";
import type { MessageFlow, ProposalAnswer, ReadAnswer } from "@sluice/cache/replica/replica-output";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import type { MemberIdentity, OwnMember } from "../members/member-identity.ts";
import type { MemberListener, MemberService, MemberTransport } from "../members/member-transport.ts";
import type { PeerPins } from "../members/peer-pins.ts";
import type { ReplicatedStore } from "../resp/command-store.ts";
import type { RespPort } from "../resp/resp-port.ts";
import type { ClusterChanges } from "./cluster-changes.ts";
import type { LeaderClient } from "./leader-client.ts";
import type { MemberOrders } from "./member-orders.ts";
import type { MemberPubSub } from "./member-pub-sub.ts";
import type { Rejoin } from "./rejoin.ts";
import type { ReplicaDriver, ReplicaEvents, Standing } from "./replica-driver.ts";

export interface NodeParts {
  readonly state: CacheState;
  readonly own: OwnMember;
  readonly peers: PeerPins;
  readonly transport: MemberTransport;
  readonly driver: ReplicaDriver<OperationAnswer>;
  readonly commands: ReplicatedStore;
  readonly leaderClient: LeaderClient;
  readonly changes: ClusterChanges;
  readonly orders: MemberOrders;
  readonly rejoin: Rejoin;
  readonly publishing: MemberPubSub;
  readonly resp: RespPort | undefined;
  readonly log: Log;
  /** Silence of a leader after which the others may elect another. */
  readonly silentAfter: Millis;
}

export class NodeEvents implements ReplicaEvents<OperationAnswer>, MemberListener {
  readonly #parts: NodeParts;
  readonly #failed = new AbortController();
  readonly #turnListeners = new Set<() => void>();
  readonly #refusalListeners = new Set<() => void>();

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /** Aborted when the disk failed: the node acknowledges nothing more and should be closed. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Calls `listener` after every turn in which something may have been applied. */
  onTurn(listener: () => void): Disposable {
    return added(this.#turnListeners, listener);
  }

  /** Calls `listener` whenever the refusals change. */
  onRefusals(listener: () => void): Disposable {
    return added(this.#refusalListeners, listener);
  }

  // Events of the members.

  /** The address of its clients may be new. */
  introduced(): void {
    this.#parts.resp?.sentinel.look();
  }

  refusalsChanged(): void {
    this.#parts.rejoin.look();
    for (const listener of this.#refusalListeners) listener();
  }

  received(from: string, service: MemberService, bytes: Uint8Array): void {
    const { driver, leaderClient, publishing } = this.#parts;
    switch (service) {
      case "control":
      case "log":
      case "snapshot":
        driver.replica.receive(from as MemberId, decodeMemberMessage(bytes), driver.now());
        return driver.wake();
      case "call":
        return leaderClient.onCall(from, bytes);
      case "reply":
        return leaderClient.onReply(bytes);
      case "publish":
        return publishing.onPublish(bytes);
      default:
        return unreachable(service);
    }
  }

  placeWanted({ id }: MemberIdentity): void {
    const { orders, log } = this.#parts;
    orders
      .replaceOnRequest(id)
      .catch((error: Error) => log.debug({ member: id, reason: error.message }, "Not replaced"));
  }

  cut(id: string): void {
    this.#parts.leaderClient.lost(id);
  }

  // Events of the replica.

  send(to: MemberId, message: MemberMessage, flow: MessageFlow): void {
    this.#parts.transport.send(to, flow, encodeMemberMessage(message));
  }

  answered(answers: readonly ProposalAnswer<OperationAnswer>[]): void {
    this.#parts.commands.answeredWrites(answers);
    this.#parts.changes.answered(answers);
  }

  readsAnswered(reads: readonly ReadAnswer[]): void {
    this.#parts.commands.answeredReads(reads);
  }

  roleChanged({ role, term, leader }: Standing & { readonly term: number }, before: Standing): void {
    const { log, commands, changes, leaderClient, driver, transport, resp, silentAfter } = this.#parts;
    log.info({ role, term, leader }, "Role in the cluster");
    commands.roleChanged(role);
    changes.roleChanged(role === "leader", leader);
    if (before.leader !== undefined && before.leader !== leader) {
      leaderClient.lost(before.leader);
      // A new leader elected while the old one is still known here won because nobody heard the old one.
      if (role === "leader" || driver.status().unledFor > silentAfter) transport.doubt(before.leader);
    }
    // Clients of a former leader must look for the new one; Redis disconnects them too when a Sentinel demotes it.
    if (before.role === "leader" && role !== "leader") resp?.listener.dismiss();
    resp?.sentinel.look();
  }

  membersChanged(members: MemberList): void {
    if (members.length === 0) return;
    const { own, driver, peers, transport } = this.#parts;
    own.listIndex = driver.status().memberListIndex;
    peers.setMembers(new Set(members.map((member) => member.id)));
    transport.tellAll();
    transport.reach(new Map(members.map(({ id, address }) => [id, address])));
  }

  switchOverFailed(): void {
    this.#parts.changes.switchOverFailed();
  }

  turnEnded(): void {
    const { commands, resp, state, driver, leaderClient } = this.#parts;
    for (const sink of commands.endTurn()) resp?.listener.flush(sink);
    if (state.sweep()) driver.wake();
    for (const sink of commands.takeMisdirected()) resp?.listener.dismissOne(sink);
    leaderClient.endTurn();
    for (const listener of this.#turnListeners) listener();
  }

  diskFailed(error: Error): void {
    this.#parts.log.error({ err: error }, "The disk failed: this member acknowledges nothing more");
    this.#parts.commands.diskFailed();
    this.#failed.abort(error);
  }
}

function added(listeners: Set<() => void>, listener: () => void): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}
