/** What this node says of its copies of shared objects: facts of one, and a page of them in the order of their paths. */
import { isAmfObject } from "@sluice/amf/value";
import type { ObjectDurability } from "@sluice/client/admin-objects";
import { formatEpoch } from "@sluice/engine/epoch";
import type { Change, Durability } from "@sluice/state/change";
import type { SharedObject } from "@sluice/state/shared-object";
import type { ObjectCopyFacts, ObjectList, ObjectQuery } from "../cluster/object-list.ts";

export interface FactSources {
  readonly self: string;
  /** The home, as the directory has it. */
  readonly findHome: (path: string) => string | undefined;
  /** Changes per second. */
  readonly rateOf: (object: SharedObject) => number;
}

export function factsOf(object: SharedObject, { self, findHome, rateOf }: FactSources): ObjectCopyFacts {
  const { path, isHome, standby, epoch, copy, users } = object;
  const { state } = copy;
  return {
    path,
    isHome,
    home: isHome ? self : (findHome(path) ?? null),
    standby: standby ?? null,
    epoch: formatEpoch(epoch),
    version: state.at.version,
    durability: state.durability === undefined ? null : durabilityShown(state.durability),
    properties: state.properties.size,
    bytes: state.byteSize,
    clients: users.here.size,
    elsewhere: isHome ? Object.fromEntries(users.elsewhere.counts) : {},
    rate: rateOf(object),
    lastWriter: lastWriter(object),
  };
}

/** Takes time in proportion to the number of objects, not to its logarithm: most are not on the page. */
export function objectList(
  objects: Iterable<SharedObject>,
  { after, limit }: ObjectQuery,
  sources: FactSources,
): ObjectList {
  let page: SharedObject[] = [];
  let last: string | undefined;
  let [more, homes] = [false, 0];
  for (const object of objects) {
    if (object.isHome) homes++;
    if (object.path <= after) continue;
    if (last !== undefined && object.path > last) {
      more = true;
      continue;
    }
    page.push(object);
    if (page.length < 2 * limit + 1) continue;
    page = firstOf(page, limit);
    last = page.at(-1)?.path;
    more = true;
  }
  const rows = firstOf(page, limit);
  return { rows: rows.map((object) => factsOf(object, sources)), more: more || page.length > limit, homes };
}

function firstOf(objects: readonly SharedObject[], limit: number): SharedObject[] {
  return objects.toSorted((a, b) => (a.path < b.path ? -1 : 1)).slice(0, limit);
}

function durabilityShown(durability: Durability): ObjectDurability {
  return durability.type === "every" ? { every: durability.interval } : durability.type;
}

/** Recent changes are looked at from the last one back; a client that has gone has no name any more. */
function lastWriter({ copy, users }: SharedObject): ObjectCopyFacts["lastWriter"] {
  const { history } = copy;
  const found = lastWith(history.last(Math.min(history.size, LOOKED_AT)));
  if (found?.by === undefined) return null;
  const { client } = found.by;
  const who = users.here.get(client)?.options.who ?? users.elsewhere.findWho(client);
  return { client, who: who === undefined ? "" : nameIn(who.value) };
}

/** Changes that nobody wrote, such as the end of a lock, are rare. */
const LOOKED_AT = 16;

function lastWith(changes: readonly Change[]): Change | undefined {
  return changes.findLast(({ by }) => by !== undefined);
}

function nameIn(who: unknown): string {
  if (!isAmfObject(who as never)) return "";
  const { user, address } = who as Readonly<Record<string, unknown>>;
  return [user, address].find((name) => typeof name === "string" && name !== "")?.toString() ?? "";
}
