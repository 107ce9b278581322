/** What a viewer can be sent: muted kinds left out, bodies it could not parse rewritten or withheld (E12). */
import { Buffer } from "node:buffer";
import { type RewriteOptions, selectTrack, stripModEx, toLegacy } from "@sluice/formats/flv/rewrite";
import type { Frame } from "@sluice/media/frame";

export interface ViewerFilter {
  readonly audio: "on" | "muted";
  readonly video: "on" | "muted";
  readonly multitrack: "parses" | "default-track-only";
  readonly modEx: "parses" | "strip";
  /**
   * FourCCs the viewer said it takes beside the codecs of old, `*` for all; `legacy-only` where it sent no list and the
   * policy is to withhold.
   */
  readonly fourCcs: ReadonlySet<string> | "*" | "legacy-only";
}

/** From Node's pool, as rewritten bodies live only until they are copied into a batch. */
const POOLED: RewriteOptions = { allocator: { allocate: (byteCount) => Buffer.allocUnsafe(byteCount) } };

/** Takes everything as it is. */
export const OPEN_FILTER: ViewerFilter = {
  audio: "on",
  video: "on",
  multitrack: "parses",
  modEx: "parses",
  fourCcs: "*",
};

/** Filters with the same id let the same bodies through. */
export function filterId(filter: ViewerFilter): string {
  const { audio, video, multitrack, modEx, fourCcs } = filter;
  const codecs = typeof fourCcs === "string" ? fourCcs : [...fourCcs].sort().join(",");
  return `${audio === "on" ? "a" : ""}${video === "on" ? "v" : ""}${multitrack === "parses" ? "m" : ""}${modEx === "parses" ? "x" : ""};${codecs}`;
}

/** The body to send, the given one where nothing has to change; `undefined` to withhold the frame. */
export function filterBody(filter: ViewerFilter, frame: Frame): Uint8Array | undefined {
  const { kind } = frame;
  if (kind === "data") return frame.body;
  if (filter[kind] === "muted") return undefined;
  let body: Uint8Array | undefined = frame.body;
  if (frame.isMultitrack && filter.multitrack === "default-track-only") body = selectTrack(body, kind, 0, POOLED);
  if (body !== undefined && frame.hasModEx && filter.modEx === "strip") body = stripModEx(body, kind, POOLED);
  return body === undefined ? undefined : filterCodec(filter, frame, body);
}

/** FourCCs whose enhanced bodies can be rewritten to what every viewer of old takes. */
const OF_OLD: ReadonlySet<string> = new Set(["avc1", "mp4a", ".mp3"]);

/** Whether a viewer goes without frames of this codec in enhanced bodies. */
export function withholds({ fourCcs }: ViewerFilter, codec: string): boolean {
  if (fourCcs === "*" || OF_OLD.has(codec) || codec.length !== 4) return false;
  return fourCcs === "legacy-only" || !fourCcs.has(codec);
}

/** A legacy body is every viewer's: it stays as it is. */
function filterCodec(filter: ViewerFilter, frame: Frame, body: Uint8Array): Uint8Array | undefined {
  const { fourCcs } = filter;
  if (fourCcs === "*" || frame.codec === "") return body;
  if (fourCcs !== "legacy-only" && fourCcs.has(frame.codec)) return body;
  return toLegacy(body, frame.kind as "audio" | "video", POOLED);
}
