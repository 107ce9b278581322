/** Shared objects of a node alone, kept in memory. */
import type { Clock } from "@sluice/base/clock";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import { Scope } from "@sluice/base/scope";
import type { Incarnation } from "@sluice/mesh/hello";
import { loadConfig } from "@sluice/server/config/load-config";
import { ObjectsPart } from "@sluice/server/node/objects-part";
import type { NodeObjects } from "@sluice/server/objects/node-objects";

/** Metrics and events go nowhere. */
export const UNWATCHED = { meter: SILENT_METER, tell: (): void => {} };

export function ownObjects(clock: Clock): NodeObjects {
  const config = loadConfig({ sets: ["node.id=n"], env: {}, file: "none" });
  const part = new ObjectsPart({ config, incarnation: 0 as Incarnation, clock, log: SILENT_LOG, ...UNWATCHED });
  const scope = new Scope();
  part.openOwnOnUse(async () => ({ engine: part.openMemory(scope) }), scope);
  return part.objects;
}
