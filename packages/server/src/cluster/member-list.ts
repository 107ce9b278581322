/** Parses what a member reports about the engine's members, which may be of another version. */
import type { EngineMemberRow } from "@sluice/client/admin-contract";
import { RequestFailedError } from "@sluice/mesh/requests";

/** The members of the engine, as one of them knows them. */
export interface MemberList {
  readonly leader: string | null;
  readonly members: readonly Pick<EngineMemberRow, "id" | "role" | "address">[];
}

const ROLES = ["voter", "learner"] as const;

/** Ignores unknown fields. @throws {RequestFailedError} for an invalid answer */
export function readMemberList(value: unknown): MemberList {
  const { leader, members } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (!Array.isArray(members)) throw unreadable();
  return {
    leader: typeof leader === "string" ? leader : null,
    members: members.map((member: unknown) => {
      const { id, role, address } = (member ?? {}) as Partial<Record<string, unknown>>;
      const known = ROLES.find((one) => one === role);
      if (typeof id !== "string" || typeof address !== "string" || known === undefined) throw unreadable();
      return { id, role: known, address };
    }),
  };
}

function unreadable(): RequestFailedError {
  return new RequestFailedError({ failure: "failed", detail: "an answer without members" });
}
