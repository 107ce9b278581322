/** A node's record: written by that node alone, numbered, and validated on receipt because a peer sends it. */
import { LinkFrameError } from "../errors.ts";
import type { Incarnation } from "../hello.ts";

export const NODE_STATES = ["starting", "ready", "draining", "left"] as const;
/** `left`: said goodbye; this incarnation sends nothing more. */
export type AnnouncedState = (typeof NODE_STATES)[number];

export interface NodeRecord {
  readonly id: string;
  /** Later incarnations have higher numbers. */
  readonly incarnation: Incarnation;
  /** Increases with every change of the record within one incarnation. */
  readonly version: number;
  readonly state: AnnouncedState;
  readonly roles: readonly string[];
  /** By protocol, `host:port`; `cluster` is the address that other nodes dial, absent for a node that only dials. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Build of the program. */
  readonly build: string;
  /** Digest of the settings that should be equal on every node; empty when the node does not say. */
  readonly settings: string;
  /** How near the node is to its limits, 0 to 1; carried, not interpreted here. */
  readonly heat: number;
  /** Services that this node offers at the moment and not every node has, such as `engine`. */
  readonly services: readonly string[];
  /** Start of the process, in wall-clock milliseconds since 1970 by its own clock. */
  readonly since: number;
  /** Ids of the nodes that it is linked to. */
  readonly links: readonly string[];
}

/** Limits of one record; a record above them is refused. */
export interface RecordLimits {
  /** Characters of one text. */
  readonly textCharacters: number;
  /** Roles, services, and addresses: entries of each. */
  readonly entries: number;
  /** Links of a record, and records of one message. */
  readonly nodes: number;
}

export const RECORD_LIMITS: RecordLimits = { textCharacters: 512, entries: 32, nodes: 4_096 };

/** Whether `next` is newer than `known`. */
export function isNews(next: NodeRecord, known: NodeRecord | undefined): boolean {
  if (known === undefined || next.incarnation > known.incarnation) return true;
  return next.incarnation === known.incarnation && next.version > known.version;
}

/** The version of a node that a peer knows: enough to find what either side lacks. */
export type KnownVersion = readonly [id: string, incarnation: number, version: number];

/** One message of the membership service. */
export interface MembershipMessage {
  /** New or changed records. */
  readonly records?: readonly NodeRecord[];
  /** All versions that the sender knows; the answer holds the records that it lacks. */
  readonly known?: readonly KnownVersion[];
}

/** UTF-8 JSON, so that any language can read it. */
export function encodeMessage(message: MembershipMessage): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

/** Ignores unknown fields. @throws {LinkFrameError} */
export function decodeMessage(bytes: Uint8Array): Required<MembershipMessage> {
  const value = parse(bytes);
  if (typeof value !== "object" || value === null) throw bad("no object");
  const { records = [], known = [] } = value as Readonly<Record<string, unknown>>;
  return { records: entries(records, "records").map(readRecord), known: entries(known, "known").map(readKnown) };
}

function entries(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value) && value.length <= RECORD_LIMITS.nodes) return value;
  throw bad(`${name} that are no list of at most ${RECORD_LIMITS.nodes}`);
}

function readKnown(value: unknown): KnownVersion {
  if (!Array.isArray(value)) throw bad("a known version that is no list");
  return [text(value[0], "id"), count(value[1], "incarnation"), count(value[2], "version")];
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw bad("no JSON");
  }
}

function readRecord(value: unknown): NodeRecord {
  if (typeof value !== "object" || value === null) throw bad("a record that is no object");
  const from = value as Readonly<Record<string, unknown>>;
  const state = NODE_STATES.find((one) => one === from["state"]);
  if (state === undefined) throw bad(`a node in state ${JSON.stringify(from["state"])}`);
  const id = text(from["id"], "id");
  if (id === "") throw bad("a node without an id");
  return {
    id,
    state,
    incarnation: count(from["incarnation"], "incarnation") as Incarnation,
    version: count(from["version"], "version"),
    roles: list(from["roles"], "roles", RECORD_LIMITS.entries),
    addresses: addresses(from["addresses"]),
    build: text(from["build"], "build"),
    settings: text(from["settings"] ?? "", "settings"),
    heat: share(from["heat"] ?? 0, "heat"),
    services: list(from["services"] ?? [], "services", RECORD_LIMITS.entries),
    since: count(from["since"], "since"),
    links: list(from["links"], "links", RECORD_LIMITS.nodes),
  };
}

function text(value: unknown, name: string): string {
  if (typeof value === "string" && value.length <= RECORD_LIMITS.textCharacters) return value;
  throw bad(`${name} that is no text of at most ${RECORD_LIMITS.textCharacters} characters`);
}

function share(value: unknown, name: string): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw bad(`${name} that is not within 0 and 1`);
}

function count(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw bad(`${name} that is no number`);
}

function list(value: unknown, name: string, most: number): readonly string[] {
  if (Array.isArray(value) && value.length <= most) return value.map((one: unknown) => text(one, name));
  throw bad(`${name} that are no list of at most ${most}`);
}

function addresses(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) throw bad("addresses that are no object");
  const list = Object.entries(value);
  if (list.length > RECORD_LIMITS.entries) throw bad(`more than ${RECORD_LIMITS.entries} addresses`);
  return Object.fromEntries(list.map(([name, address]) => [text(name, "protocol"), text(address, "address")]));
}

function bad(what: string): LinkFrameError {
  return new LinkFrameError({ detail: `membership message with ${what}` });
}
