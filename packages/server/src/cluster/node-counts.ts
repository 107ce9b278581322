/** Parses what another node reports about itself, which may be of another version. */
import type { EngineRole, NodeCounts } from "@sluice/client/admin-contract";
import { RequestFailedError } from "@sluice/mesh/requests";

const ENGINE_ROLES: readonly EngineRole[] = ["leader", "voter", "learner", "client", "off"];

/** Ignores unknown fields. @throws {RequestFailedError} for an invalid answer */
export function readNodeCounts(value: unknown): NodeCounts {
  const from = fieldsOf(value);
  const load = fieldsOf(from["load"]);
  const open = fieldsOf(from["open"]);
  const engine = ENGINE_ROLES.find((role) => role === from["engine"]);
  if (engine === undefined) throw unreadable("engine");
  return {
    heat: Math.min(1, amount(from, "heat")),
    engine,
    load: {
      cpu: amount(load, "cpu"),
      loop: Math.min(1, amount(load, "loop")),
      memoryBytes: count(load, "memoryBytes"),
    },
    uptimeSeconds: amount(from, "uptimeSeconds"),
    sessions: count(from, "sessions"),
    streams: count(from, "streams"),
    bytesIn: count(from, "bytesIn"),
    bytesOut: count(from, "bytesOut"),
    open: { publish: open["publish"] === true, play: open["play"] === true },
    reasons: reasonsIn(from["reasons"]),
  };
}

const MOST_REASONS = 16;
const REASON_CHARACTERS = 500;

/** An earlier version gives none. */
function reasonsIn(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_REASONS).map((reason) => String(reason).slice(0, REASON_CHARACTERS));
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw unreadable("an object");
  return value as Fields;
}

function amount(from: Fields, name: string): number {
  const value = from[name];
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw unreadable(name);
  return value;
}

function count(from: Fields, name: string): number {
  return Math.round(amount(from, name));
}

function unreadable(what: string): RequestFailedError {
  return new RequestFailedError({ failure: "failed", detail: `an answer without ${what}` });
}
