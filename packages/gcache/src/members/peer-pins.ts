/** Facts about other members beside the replicated list: their stores, and the addresses of their clients. */
import type { Refusal } from "@sluice/mesh/errors";
import { needsSecret } from "@sluice/runtime/sockets/host-and-port";
import type { NodeStore } from "../store/node-store.ts";
import { isUnbound, type MemberIdentity, type OwnMember } from "./member-identity.ts";

export class PeerPins {
  readonly #own: OwnMember;
  readonly #store: NodeStore;
  readonly #secret: Uint8Array | undefined;
  readonly #clients = new Map<string, string>();
  #members: ReadonlySet<string> = new Set();

  constructor(own: OwnMember, store: NodeStore, secret: Uint8Array | undefined) {
    this.#own = own;
    this.#store = store;
    this.#secret = secret;
  }

  /** The reason to refuse a member that proved the secret, if any. */
  judge(peer: MemberIdentity): Refusal | undefined {
    const own = this.#own.identity;
    if (peer.id === own.id) return "own-id";
    if (peer.version !== own.version) return "version";
    if (!isUnbound(own) && !isUnbound(peer) && !Buffer.from(own.clusterId).equals(peer.clusterId)) {
      return "wrong-cluster";
    }
    if (peer.address !== "" && needsSecret(peer.address, this.#secret)) return "needs-secret";
    return this.#isPinnedOtherwise(peer) && !isAdmitted(peer, own) ? "other-store" : undefined;
  }

  /** Remembers the store of a member at first contact: another store under its id is refused later, unless a leader accepted it. */
  met(peer: MemberIdentity): void {
    if (peer.clients !== "") this.#clients.set(peer.id, peer.clients);
    if (isUnbound(this.#own.identity) && !isUnbound(peer)) {
      this.#store.joinCluster(peer.clusterId).catch(() => {}); // the next write reports a failing disk
    }
    if (this.#members.has(peer.id) && this.#store.pins.get(peer.id) !== storeOf(peer)) {
      this.#store.setPins(new Map(this.#store.pins).set(peer.id, storeOf(peer)));
    }
  }

  #isPinnedOtherwise(peer: MemberIdentity): boolean {
    const pinned = this.#store.pins.get(peer.id);
    return pinned !== undefined && pinned !== storeOf(peer);
  }

  /** `host:port` of its RESP port, as announced. */
  clientsOf(id: string): string | undefined {
    return this.#clients.get(id);
  }

  /** Forgets removed members: they may be added again with another store. */
  setMembers(ids: ReadonlySet<string>): void {
    this.#members = ids;
    const kept = new Map([...this.#store.pins].filter(([id]) => ids.has(id)));
    if (kept.size !== this.#store.pins.size) this.#store.setPins(kept);
  }
}

/**
 * A leader that had removed the former store gave it the log: it knows a member list at least as new as ours. The former
 * store, if it returns, knows an older one. Before its own log is read this member accepts no such claim.
 */
function isAdmitted(peer: MemberIdentity, own: MemberIdentity): boolean {
  return own.listIndex > 0 && peer.listIndex >= own.listIndex;
}

const storeOf = ({ storeId }: MemberIdentity): string => Buffer.from(storeId).toString("hex");
