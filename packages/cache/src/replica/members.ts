/** The members of a cluster, and which of them vote. */
import type { MemberId } from "../ids.ts";

export interface Member {
  readonly id: MemberId;
  /** A learner receives the whole log and has no vote. */
  readonly role: "voter" | "learner";
  /** Address for other members; the replica only passes it on. */
  readonly address: string;
}

export type MemberList = readonly Member[];

export type MemberChange =
  /** Adds a learner; adding an existing member changes its address. */
  | { readonly type: "add"; readonly id: MemberId; readonly address: string }
  | { readonly type: "promote"; readonly id: MemberId }
  | { readonly type: "remove"; readonly id: MemberId };

export function changedMembers(members: MemberList, change: MemberChange): MemberList {
  switch (change.type) {
    case "add": {
      const role = members.find((member) => member.id === change.id)?.role ?? "learner";
      const others = members.filter((member) => member.id !== change.id);
      return [...others, { id: change.id, role, address: change.address }];
    }
    case "promote":
      return members.map((member) => (member.id === change.id ? { ...member, role: "voter" } : member));
    case "remove":
      return members.filter((member) => member.id !== change.id);
  }
}

export function votersOf(members: MemberList): readonly MemberId[] {
  return members.filter((member) => member.role === "voter").map((member) => member.id);
}

export function majorityOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}
