/** Validates all options of a cache node before anything is opened. */
import type { MemberList } from "@sluice/cache/replica/members";
import { formatAddress, NEEDS_SECRET, needsSecret, parseAddress } from "@sluice/runtime/sockets/host-and-port";
import { CacheSetupError } from "./node-errors.ts";
import type { CacheNodeOptions } from "./node-options.ts";

/** @throws {CacheSetupError} @returns warnings for the log */
export function checkSetup({ id, founders, address, links, secret, dir, store }: CacheNodeOptions): readonly string[] {
  const problems: string[] = [];
  if (!isId(id)) problems.push(`"${id}" is not a member id: 1 to 64 letters, digits, dots, dashes and underscores`);
  const members = typeof founders === "string" ? new Map<string, string>() : founders;
  for (const [member, where] of members) {
    if (!isId(member))
      problems.push(`"${member}" is not a member id: 1 to 64 letters, digits, dots, dashes and underscores`);
    if (parseAddress(where) === undefined) problems.push(`"${where}" of member "${member}" is not host:port`);
  }
  if (typeof founders !== "string" && !members.has(id)) problems.push(`the list of members lacks "${id}" itself`);
  if (new Set(members.values()).size < members.size) problems.push("two members have the same address");
  if (address === "none" && links === undefined && (founders === "join" || members.size > 1))
    problems.push("without an address it can have no other members");
  const own = address === "none" ? [] : [formatAddress(address)];
  if ([...own, ...members.values()].some((where) => needsSecret(where, secret))) problems.push(NEEDS_SECRET);
  const isOpen = secret === undefined || secret.length === 0;
  if (problems.length > 0) throw new CacheSetupError({ problem: problems.join("; ") });
  const isKept = dir !== undefined || store !== undefined;
  return warnings({ isOpen: isOpen && address !== "none" && links === undefined, memberCount: members.size, isKept });
}

/** Checks the members known to its store. @throws {CacheSetupError} */
export function checkStoredMembers(members: MemberList, secret: Uint8Array | undefined): void {
  const far = members.find(({ address }) => needsSecret(address, secret));
  if (far !== undefined)
    throw new CacheSetupError({ problem: `its store knows member "${far.id}" at ${far.address}: ${NEEDS_SECRET}` });
}

function warnings(of: { readonly isOpen: boolean; readonly memberCount: number; readonly isKept: boolean }): string[] {
  const found: string[] = [];
  if (of.isOpen) found.push("No secret: any program on this machine can join as a member (--secret-file)");
  if (of.memberCount > 1 && of.memberCount % 2 === 0) {
    found.push("An even number of voters tolerates no more losses than one voter less: use 3 or 5");
  }
  if (!of.isKept) found.push("No folder: all data is lost when this process ends");
  return found;
}

function isId(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text);
}
