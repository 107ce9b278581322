/** Rows of the directory as they stand in the engine: nodes, and the homes of streams and objects. */
import type { Entry, Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { DIRECTORY_LIMITS } from "./limits.ts";

/** Every key of the directory starts so. */
export const DIRECTORY_PREFIX = "cluster/";

/** What has a home. */
export type HomeKind = "stream" | "object";

/** Of one life of a node; bound to its node lease. */
export interface NodeRow {
  readonly id: string;
  readonly incarnation: number;
}

/** What a claimant says; whoever reads it learns the epoch from the entry's revision. */
export interface HomeFields {
  /** Node that is the home, and which life of it. */
  readonly home: string;
  readonly incarnation: number;
  /** Of a stream: which publication it is, 16 hexadecimal digits. Empty for an object. */
  readonly publication: string;
  /** Of a stream: the node that has its publisher. Empty for an object. */
  readonly publisherAt: string;
}

/** Bound to the lease of the home's homes. */
export interface HomeRow extends HomeFields {
  readonly kind: HomeKind;
  readonly key: string;
  /** Revision of the row: every write of it is a claim, and so of a higher epoch. */
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

/** As UTF-8 text of JSON, so that any language can read it, and fields can be added. */
export function encodeNodeRow({ incarnation }: NodeRow): Uint8Array {
  return encode({ v: 1, incarnation });
}

export function encodeHomeRow({ home, incarnation, publication, publisherAt }: HomeFields): Uint8Array {
  const stream = publication === "" ? {} : { publication, publisherAt };
  return encode({ v: 1, home, incarnation, ...stream });
}

/** Unknown fields are passed over. Undefined for what no version writes so. */
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

/** Of a row, or of a claim told over a link. */
export function decodeHomeFields(from: Readonly<Record<string, unknown>>): HomeFields | undefined {
  const { home, incarnation, publication = "", publisherAt = "" } = from;
  if (!isText(home) || home === "" || !isCount(incarnation)) return undefined;
  return isText(publication) && isText(publisherAt) ? { home, incarnation, publication, publisherAt } : undefined;
}

export function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** An object without fields for what is no object. */
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
