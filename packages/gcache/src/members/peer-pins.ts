/** What is known of the other members beside the replicated list: their stores, and where their clients go. */
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

  /** Why a member that proved the secret is turned away all the same. */
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

  /** Remembers the store of a member at first sight: whoever comes with another one later is refused, unless a leader took it. */
  met(peer: MemberIdentity): void {
    if (peer.clients !== "") this.#clients.set(peer.id, peer.clients);
    if (isUnbound(this.#own.identity) && !isUnbound(peer)) {
      this.#store.joinCluster(peer.clusterId).catch(() => {}); // a disk that fails is told by the next write
    }
    if (this.#members.has(peer.id) && this.#store.pins.get(peer.id) !== storeOf(peer)) {
      this.#store.setPins(new Map(this.#store.pins).set(peer.id, storeOf(peer)));
    }
  }

  #isPinnedOtherwise(peer: MemberIdentity): boolean {
    const pinned = this.#store.pins.get(peer.id);
    return pinned !== undefined && pinned !== storeOf(peer);
  }

  /** `host:port` of its RESP port, as far as it said so. */
  clientsOf(id: string): string | undefined {
    return this.#clients.get(id);
  }

  /** Forgets who is no member any more: it may be added again with another store. */
  setMembers(ids: ReadonlySet<string>): void {
    this.#members = ids;
    const kept = new Map([...this.#store.pins].filter(([id]) => ids.has(id)));
    if (kept.size !== this.#store.pins.size) this.#store.setPins(kept);
  }
}

/**
 * A leader that had removed the former store gave it the log: it knows a list of members as new as ours. The former store,
 * should it come back, knows an older one. Until its own is read this member takes nobody's word for it.
 */
function isAdmitted(peer: MemberIdentity, own: MemberIdentity): boolean {
  return own.listIndex > 0 && peer.listIndex >= own.listIndex;
}

const storeOf = ({ storeId }: MemberIdentity): string => Buffer.from(storeId).toString("hex");
