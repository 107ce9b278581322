/** What a node reports of its copies of shared objects, and how another node, maybe of another version, reads it. */
import type { ObjectDurability } from "@sluice/client/admin-objects";
import { RequestFailedError } from "@sluice/mesh/requests";

/** One copy, as the node that has it sees it. */
export interface ObjectCopyFacts {
  readonly path: string;
  readonly isHome: boolean;
  /** The home, as far as this node knows. */
  readonly home: string | null;
  readonly standby: string | null;
  readonly epoch: string;
  readonly version: number;
  readonly durability: ObjectDurability | null;
  readonly properties: number;
  readonly bytes: number;
  readonly clients: number;
  /** Clients of other nodes, by node, as a home knows them. */
  readonly elsewhere: Readonly<Record<string, number>>;
  readonly rate: number;
  readonly lastWriter: { readonly client: string; readonly who: string } | null;
}

/** A page of copies in the order of their paths. */
export interface ObjectList {
  readonly rows: readonly ObjectCopyFacts[];
  /** There are further ones. */
  readonly more: boolean;
  /** Objects that this node is the home of. */
  readonly homes: number;
}

export interface ObjectQuery {
  /** Only paths behind this one; empty: all. */
  readonly after: string;
  readonly limit: number;
}

/** Ignores unknown fields. @throws {RequestFailedError} for an invalid answer */
export function readObjectList(value: unknown, { after, limit }: ObjectQuery): ObjectList {
  const { rows, more, homes } = fieldsOf(value);
  if (!Array.isArray(rows) || rows.length > limit) throw unreadable("rows");
  const read = rows.map(readFacts);
  if (read.some(({ path }, i) => path <= (read[i - 1]?.path ?? after))) throw unreadable("rows in order");
  return { rows: read, more: more === true, homes: count(homes) };
}

/** @throws {RequestFailedError} for an invalid answer */
export function readFacts(value: unknown): ObjectCopyFacts {
  const row = fieldsOf(value);
  return {
    path: text(row["path"]),
    isHome: row["isHome"] === true,
    home: textOrNull(row["home"]),
    standby: textOrNull(row["standby"]),
    epoch: text(row["epoch"]),
    version: count(row["version"]),
    durability: readDurability(row["durability"]),
    properties: count(row["properties"]),
    bytes: count(row["bytes"]),
    clients: count(row["clients"]),
    elsewhere: Object.fromEntries(Object.entries(fieldsOf(row["elsewhere"])).map(([node, n]) => [node, count(n)])),
    rate: count(row["rate"], "any"),
    lastWriter: readWriter(row["lastWriter"]),
  };
}

export function readQuery(call: Readonly<Partial<Record<string, unknown>>>): ObjectQuery {
  return { after: text(call["after"]), limit: count(call["limit"]) };
}

function readDurability(value: unknown): ObjectDurability | null {
  if (value === null || value === "temporary" || value === "each" || value === "release") return value;
  return { every: count(fieldsOf(value)["every"]) };
}

function readWriter(value: unknown): ObjectCopyFacts["lastWriter"] {
  if (value === null) return null;
  const { client, who } = fieldsOf(value);
  return { client: text(client), who: text(who) };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw unreadable("an object");
  return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw unreadable("a text");
  return value;
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : text(value);
}

function count(value: unknown, kind: "whole" | "any" = "whole"): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw unreadable("a number");
  return kind === "whole" ? Math.round(value) : value;
}

function unreadable(what: string): RequestFailedError {
  return new RequestFailedError({ failure: "failed", detail: `an answer about objects without ${what}` });
}
