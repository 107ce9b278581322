/** Identity of a member beyond its id, as sent in the hello of a link and after changes. */
import { MEMBER_PROTOCOL_VERSION } from "@sluice/cache/replica/member-message";
import type { NodeStore } from "../store/node-store.ts";
import type { LinkFacts } from "./member-links.ts";

export const CLUSTER_ID_BYTES = 32;
export const STORE_ID_BYTES = 16;

export interface MemberIdentity {
  readonly id: string;
  /** 32 bytes; all zero for a member without a cluster. */
  readonly clusterId: Uint8Array;
  /** 16 bytes, chosen when the store was made. */
  readonly storeId: Uint8Array;
  /** Address for the other members; empty without one. */
  readonly address: string;
  /** Address for its clients; empty without one. */
  readonly clients: string;
  /** Version of the messages between members. */
  readonly version: number;
  /** Index in the log of its member list; 0 for the list of the founders, and without one. */
  readonly listIndex: number;
}

export function factsOf({ clusterId, storeId, address, clients, version, listIndex }: MemberIdentity): LinkFacts {
  return new Map([
    ["cluster", Buffer.from(clusterId).toString("hex")],
    ["store", Buffer.from(storeId).toString("hex")],
    ["address", address],
    ["clients", clients],
    ["member-version", String(version)],
    ["member-list", String(listIndex)],
  ]);
}

/** Undefined if the facts are not those of a member. Members of version 1 did not send the list index. */
export function memberOf({
  id,
  facts,
}: {
  readonly id: string;
  readonly facts: LinkFacts;
}): MemberIdentity | undefined {
  const clusterId = Buffer.from(facts.get("cluster") ?? "", "hex");
  const storeId = Buffer.from(facts.get("store") ?? "", "hex");
  const version = Number(facts.get("member-version") ?? 1);
  const listIndex = Number(facts.get("member-list") ?? 0);
  const [address, clients] = [facts.get("address") ?? "", facts.get("clients") ?? ""];
  if (clusterId.length !== CLUSTER_ID_BYTES || storeId.length !== STORE_ID_BYTES) return undefined;
  return { id, clusterId, storeId, address, clients, version, listIndex };
}

/** Whether the member belongs to no cluster yet. */
export function isUnbound({ clusterId }: { readonly clusterId: Uint8Array }): boolean {
  return clusterId.every((byte) => byte === 0);
}

/** This member's own identity, as far as it is known. */
export class OwnMember {
  /** Address for the other members; empty without one. */
  address = "";
  /** Address for its clients; empty without one. */
  clients = "";
  listIndex = 0;
  readonly #store: NodeStore;

  constructor(store: NodeStore) {
    this.#store = store;
  }

  get identity(): MemberIdentity {
    const { member: id, clusterId, storeId } = this.#store.identity;
    const { address, clients, listIndex } = this;
    return { id, clusterId, storeId, address, clients, version: MEMBER_PROTOCOL_VERSION, listIndex };
  }
}
