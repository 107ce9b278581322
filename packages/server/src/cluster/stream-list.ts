/** What a node reports of its streams, and how another node, maybe of another version, reads it. */
import type { StreamCopyRow, StreamRow } from "@sluice/client/admin-contract";
import { RequestFailedError } from "@sluice/mesh/requests";
import { fits } from "../admin/schema-check.ts";
import { STREAM_ROW } from "../admin/row-schemas.ts";
import { arrayOf, amount, count, flag, objectOf, text } from "../admin/schema-form.ts";

/** What one other node is given of a stream. */
export interface GivenCopy extends Pick<StreamCopyRow, "node"> {
  readonly delayMs: number;
  readonly drops: NonNullable<StreamCopyRow["drops"]>;
}

/** A stream as one node has it: `row` counts this node alone. */
export interface NodeStream {
  readonly row: StreamRow;
  /** From this node to the one with the publisher; empty while there is no source. */
  readonly path: readonly string[];
  readonly given: readonly GivenCopy[];
}

export interface StreamList {
  readonly streams: readonly NodeStream[];
  /** There are further ones. */
  readonly more: boolean;
}

const NODE_STREAM = objectOf({
  row: STREAM_ROW,
  path: arrayOf(text()),
  given: arrayOf(
    objectOf({ node: text(), delayMs: amount(), drops: objectOf({ video: count(), audio: count(), data: count() }) }),
  ),
});

const STREAM_LIST = objectOf({ streams: arrayOf(NODE_STREAM), more: flag() });

/** Ignores unknown fields. @throws {RequestFailedError} for an invalid answer */
export function readStreamList(value: unknown, limit: number): StreamList {
  if (!fits(value, STREAM_LIST) || (value as StreamList).streams.length > limit) throw unreadable();
  return value as StreamList;
}

/** Null where the node has no such stream. @throws {RequestFailedError} for an invalid answer */
export function readNodeStream(value: unknown): NodeStream | undefined {
  if (value === null) return undefined;
  if (!fits(value, NODE_STREAM)) throw unreadable();
  return value as NodeStream;
}

function unreadable(): RequestFailedError {
  return new RequestFailedError({ failure: "failed", detail: "an answer about streams that is none" });
}
