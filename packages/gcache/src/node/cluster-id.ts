/** The founders' list as members hold it, and the name that it gives to the cluster. */
import { createHash } from "node:crypto";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberList } from "@sluice/cache/replica/members";

/** All founders vote. In the order of ids, so that the list is the same on all of them however it was written. */
export function founderList(founders: ReadonlyMap<string, string>): MemberList {
  const ids = [...founders.keys()].sort();
  return ids.map((id) => ({ id: id as MemberId, role: "voter", address: founders.get(id) as string }));
}

/** 32 bytes that differ when any id or address does: who was started with another list is of another cluster. */
export function clusterIdOf(founders: MemberList): Uint8Array {
  const rows = founders.map(({ id, address }) => [id, address]);
  return createHash("sha256")
    .update(`sluice cluster ${JSON.stringify(rows)}`)
    .digest();
}
