/** Decides who founds a cluster, and derives the cluster's id. */
import { createHash } from "node:crypto";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberList } from "@sluice/cache/replica/members";
import { formatAddress, splitAddress } from "@sluice/runtime/sockets/host-and-port";
import { isUnbound, type OwnMember } from "../members/member-identity.ts";
import type { NodeStore, StoreIdentity } from "../store/node-store.ts";
import type { CacheNodeOptions } from "./node-options.ts";

export const NO_CLUSTER = new Uint8Array(32);

/**
 * A member that knows this node dials it at least every two seconds, also where nothing answered at its address before: a
 * second until it is given up, a second of rest. The third is for the handshake.
 */
const CALLED_WITHIN = 3_000 as Millis;

/**
 * The founders, for a store without later member lists; none if this member joins. Before founding a cluster of its own
 * a member waits for a call from an existing cluster: its disk may be empty because it was lost.
 */
export async function decideFounders(
  options: CacheNodeOptions,
  { store, own }: { readonly store: NodeStore; readonly own: OwnMember },
): Promise<MemberList> {
  const { id, founders, links, clock, log, signal = new AbortController().signal } = options;
  if (typeof founders !== "string") return boundFounders(founderList(founders), own.address);
  const self: MemberList = [{ id: id as MemberId, role: "voter", address: own.address }];
  if (hasFounded(store)) return self;
  if (founders === "join" || !isUnbound(store.identity)) return [];
  if (links !== undefined) await clock.sleep(CALLED_WITHIN, signal);
  if (!isUnbound(store.identity)) {
    log.warn({}, "Found an existing cluster: this node joins it instead of founding one");
    return [];
  }
  await store.joinCluster(idOfOwnCluster(store.identity));
  return self;
}

/** All founders vote. Sorted by id, so that the list is equal on all of them however it was written. */
export function founderList(founders: ReadonlyMap<string, string>): MemberList {
  const ids = [...founders.keys()].sort();
  return ids.map((id) => ({ id: id as MemberId, role: "voter", address: founders.get(id) as string }));
}

/** 32 bytes that depend on all ids and addresses: members started with different lists belong to different clusters. */
export function clusterIdOf(founders: MemberList): Uint8Array {
  const rows = founders.map(({ id, address }) => [id, address]);
  return createHash("sha256")
    .update(`sluice cluster ${JSON.stringify(rows)}`)
    .digest();
}

/** @param bound  undefined if it does not listen */
export function boundAddress(wanted: string, bound: string | undefined): string {
  const { host, port } = splitAddress(wanted);
  return port === 0 && bound !== undefined ? formatAddress({ host, port: splitAddress(bound).port }) : wanted;
}

/** A lone founder may have been given port 0: its list then has the bound address. */
function boundFounders(founders: MemberList, bound: string): MemberList {
  if (founders.length !== 1) return founders;
  return founders.map((one) => ({ ...one, address: boundAddress(one.address, bound === "" ? undefined : bound) }));
}

/** As random as the store's id, and derived again by its founder. */
function idOfOwnCluster({ member, storeId }: StoreIdentity): Uint8Array {
  return createHash("sha256")
    .update(`sluice cluster of ${member} ${Buffer.from(storeId).toString("hex")}`)
    .digest();
}

/** Whether this store's member founded its cluster alone. Earlier versions did so without opening a port. */
function hasFounded({ identity, stored }: NodeStore): boolean {
  const isIn = (id: Uint8Array): boolean => Buffer.from(identity.clusterId).equals(id);
  if (isIn(idOfOwnCluster(identity))) return true;
  const hasLog = stored.log.length > 0 || stored.snapshot !== undefined;
  return hasLog && isIn(clusterIdOf([{ id: identity.member as MemberId, role: "voter", address: "127.0.0.1:0" }]));
}
