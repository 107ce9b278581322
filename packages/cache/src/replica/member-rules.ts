/** Reasons why a leader refuses a change of members. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import type { Leader } from "./leader.ts";
import type { RaftState } from "./raft-state.ts";
import type { MemberChange } from "./members.ts";
import type { ChangeResult } from "./replica-options.ts";

type ChangeRefusal = Exclude<ChangeResult, { readonly token: unknown }>;

/** One change at a time: two consecutive lists always share a majority. Raft §4.1 */
export function changeRefusal(
  change: MemberChange,
  raft: RaftState<unknown>,
  asLeader: Leader<unknown>,
): ChangeRefusal | undefined {
  const { membership, commit } = raft;
  if (asLeader.handOver.to !== undefined) return { refused: "switching-over", leader: asLeader.handOver.to };
  const reason = impossibility(change, raft);
  if (reason !== undefined) return { refused: "not-possible", reason };
  if (membership.index > commit || !asLeader.isSettled) return { refused: "busy" };
  return change.type === "promote" ? lag(change, raft, asLeader) : undefined;
}

function impossibility(change: MemberChange, { membership, self, limits }: RaftState<unknown>): string | undefined {
  const member = membership.members.find(({ id }) => id === change.id);
  switch (change.type) {
    case "add": {
      const idBytes = encodeUtf8(change.id).length;
      if (idBytes === 0 || idBytes > limits.memberIdBytes) return "id is empty or too long";
      if (encodeUtf8(change.address).length > limits.addressBytes) return "address is too long";
      return member === undefined && membership.members.length >= limits.members ? "too many members" : undefined;
    }
    case "promote":
      return member?.role === "learner" ? undefined : "no such learner";
    case "remove":
      if (change.id === self) return "the leader cannot remove itself: switch over first";
      return member === undefined ? "no such member" : undefined;
  }
}

/** A voter that lacks much of the log would delay every commit. */
function lag(change: MemberChange, raft: RaftState<unknown>, asLeader: Leader<unknown>): ChangeRefusal | undefined {
  const follower = asLeader.followers.get(change.id);
  const held = follower?.held ?? raft.log.baseIndex;
  const isGettingSnapshot = follower?.snapshot !== undefined;
  if (!isGettingSnapshot && held + raft.limits.appendRecords >= raft.commit && held > 0) return undefined;
  return { refused: "not-caught-up", held, wanted: raft.commit };
}
