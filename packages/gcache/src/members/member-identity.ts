/** Who a member is beyond its id, as it tells in the hello of a link. */
import type { NodeIdentity } from "@sluice/mesh/hello";
import type { NodeStore } from "../store/node-store.ts";

export const CLUSTER_ID_BYTES = 32;
export const STORE_ID_BYTES = 16;

export interface MemberIdentity {
  readonly id: string;
  /** 32 bytes; all zero for a member of no cluster yet. */
  readonly clusterId: Uint8Array;
  /** 16 bytes, chosen when the store was made. */
  readonly storeId: Uint8Array;
  /** Where the other members dial it; empty for nowhere. */
  readonly address: string;
  /** Where its clients reach it; empty for nowhere. */
  readonly clients: string;
}

export function factsOf({ clusterId, storeId, address, clients }: MemberIdentity): ReadonlyMap<string, string> {
  return new Map([
    ["cluster", Buffer.from(clusterId).toString("hex")],
    ["store", Buffer.from(storeId).toString("hex")],
    ["address", address],
    ["clients", clients],
  ]);
}

/** Undefined where the facts are not those of a member. */
export function memberOf({ id, facts }: NodeIdentity): MemberIdentity | undefined {
  const clusterId = Buffer.from(facts.get("cluster") ?? "", "hex");
  const storeId = Buffer.from(facts.get("store") ?? "", "hex");
  if (clusterId.length !== CLUSTER_ID_BYTES || storeId.length !== STORE_ID_BYTES) return undefined;
  return { id, clusterId, storeId, address: facts.get("address") ?? "", clients: facts.get("clients") ?? "" };
}

/** What this member says of itself, as far as it knows by now. */
export class OwnMember {
  /** Where the other members dial it; empty for nowhere. */
  address = "";
  /** Where its clients reach it; empty for nowhere. */
  clients = "";
  readonly #store: NodeStore;

  constructor(store: NodeStore) {
    this.#store = store;
  }

  get identity(): MemberIdentity {
    const { member: id, clusterId, storeId } = this.#store.identity;
    return { id, clusterId, storeId, address: this.address, clients: this.clients };
  }
}
