/** Rows of the directory as stored in the engine: nodes, and the homes of streams and objects. */
import type { Entry, Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { DIRECTORY_LIMITS } from "./limits.ts";

/** Prefix of every key of the directory. */
export const DIRECTORY_PREFIX = "cluster/";

/** Things that have a home. */
export type HomeKind = "stream" | "object";

/** Row of one incarnation of a node; bound to its node lease. */
export interface NodeRow {
  readonly id: string;
  readonly incarnation: number;
}

/** Fields of a claim; the epoch is not among them: it is the revision of the entry. */
export interface HomeFields {
  /** Node that is the home, and its incarnation. */
  readonly home: string;
  readonly incarnation: number;
  /** Streams: the publication, 16 hexadecimal digits. Objects: empty. */
  readonly publication: string;
  /** Streams: the node that has the publisher. Objects: empty. */
  readonly publisherAt: string;
}

/** Bound to the homes lease of the home. */
export interface HomeRow extends HomeFields {
  readonly kind: HomeKind;
  readonly key: string;
  /** Revision of the row. Every write is a claim, so every claim has a higher epoch. */
  readonly epoch: Epoch;
}

export type RowKey = { readonly kind: "node"; readonly id: string } | { readonly kind: HomeKind; readonly key: string };

export function keyOfNode(id: string): Key {
  return `${DIRECTORY_PREFIX}node/${id}`;
}

export function keyOfHome(kind: HomeKind, key: string): Key {
  return `${DIRECTORY_PREFIX}${kind}/${key}`;
}

/** Undefined for a key of a later version. */
export function parseRowKey(key: Key): RowKey | undefined {
  const [, kind, rest] = /^cluster\/(node|stream|object)\/(.+)$/s.exec(key) ?? [];
  if (rest === undefined) return undefined;
  return kind === "node" ? { kind, id: rest } : { kind: kind as HomeKind, key: rest };
}

/** UTF-8 JSON, so that any language can read it, and fields can be added. */
export function encodeNodeRow({ incarnation }: NodeRow): Uint8Array {
  return encode({ v: 1, incarnation });
}

export function encodeHomeRow({ home, incarnation, publication, publisherAt }: HomeFields): Uint8Array {
  const stream = publication === "" ? {} : { publication, publisherAt };
  return encode({ v: 1, home, incarnation, ...stream });
}

/** Ignores unknown fields. Undefined for bytes that no version writes. */
export function decodeNodeRow(id: string, value: Uint8Array): NodeRow | undefined {
  const { incarnation } = decode(value);
  return isCount(incarnation) ? { id, incarnation } : undefined;
}

export function decodeHomeRow(
  kind: HomeKind,
  key: string,
  entry: Pick<Entry, "value" | "revision">,
): HomeRow | undefined {
  const fields = decodeHomeFields(decode(entry.value));
  return fields && { ...fields, kind, key, epoch: entry.revision };
}

/** From a row, or from a claim announced over a link. */
export function decodeHomeFields(from: Readonly<Record<string, unknown>>): HomeFields | undefined {
  const { home, incarnation, publication = "", publisherAt = "" } = from;
  if (!isText(home) || home === "" || !isCount(incarnation)) return undefined;
  return isText(publication) && isText(publisherAt) ? { home, incarnation, publication, publisherAt } : undefined;
}

export function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Returns an object without fields for anything but a JSON object. */
export function decode(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= DIRECTORY_LIMITS.textCharacters;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
