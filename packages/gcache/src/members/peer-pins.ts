/** What is known of the other members beside the replicated list: their stores, and where their clients go. */
import type { Refusal } from "@sluice/mesh/errors";
import { needsSecret } from "@sluice/runtime/sockets/host-and-port";
import type { MemberIdentity } from "./member-identity.ts";
import type { NodeStore } from "../store/node-store.ts";

const NO_CLUSTER = Buffer.alloc(32);

export class PeerPins {
  readonly #store: NodeStore;
  readonly #secret: Uint8Array | undefined;
  readonly #clients = new Map<string, string>();
  #members: ReadonlySet<string> = new Set();

  constructor(store: NodeStore, secret: Uint8Array | undefined) {
    this.#store = store;
    this.#secret = secret;
  }

  /** Why a member that proved the secret is turned away all the same. */
  judge(peer: MemberIdentity): Refusal | undefined {
    const own = this.#store.identity;
    if (peer.id === own.member) return "own-id";
    const isOne = (clusterId: Uint8Array): boolean => NO_CLUSTER.equals(clusterId);
    if (!isOne(own.clusterId) && !isOne(peer.clusterId) && !Buffer.from(own.clusterId).equals(peer.clusterId)) {
      return "wrong-cluster";
    }
    if (peer.address !== "" && needsSecret(peer.address, this.#secret)) return "needs-secret";
    const pinned = this.#store.pins.get(peer.id);
    if (pinned !== undefined && pinned !== Buffer.from(peer.storeId).toString("hex")) return "other-store";
    return undefined;
  }

  /** Remembers the store of a member at first sight: whoever comes with another one later is refused. */
  met(peer: MemberIdentity): void {
    if (peer.clients !== "") this.#clients.set(peer.id, peer.clients);
    if (NO_CLUSTER.equals(this.#store.identity.clusterId) && !NO_CLUSTER.equals(peer.clusterId)) {
      this.#store.joinCluster(peer.clusterId).catch(() => {}); // a disk that fails is told by the next write
    }
    if (this.#members.has(peer.id) && !this.#store.pins.has(peer.id)) this.#pin(peer);
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

  #pin(peer: MemberIdentity): void {
    this.#store.setPins(new Map(this.#store.pins).set(peer.id, Buffer.from(peer.storeId).toString("hex")));
  }
}
