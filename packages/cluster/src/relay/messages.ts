/** Messages on the channel of a stream, beside its frames: what the asker wants, and where the answerer has the stream from. */
import type { PublicationId } from "@sluice/media/frame";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { readText, writeText } from "../engine/wire-fields.ts";
import { RelayFrameError } from "./errors.ts";
import { readPublication, writePublication } from "./frame-form.ts";
import { RELAY_LIMITS } from "./limits.ts";

/** Version of the wire form of frames. */
export const FRAME_FORM = 1;

/** The greeting of a channel. Bytes behind it are ignored: later versions may add fields. */
export interface StreamRequest {
  /** The highest form of frames that the asker reads. */
  readonly form: number;
  /** Bits of `WANTED`; all of them in version 1. */
  readonly wanted: number;
  readonly key: string;
  /** The nodes that wait for the stream, the asker first: none of them is asked again. */
  readonly waiting: readonly string[];
}

/** `insist`: the asker has asked the nodes that it was sent to. */
export const WANTED = { audio: 1, video: 2, data: 4, insist: 128 } as const;
export const ALL_KINDS = WANTED.audio | WANTED.video | WANTED.data;

export type StreamAnswer =
  /** The answerer has the stream, or has it by another path from now on. Frames follow. */
  | {
      readonly type: "source";
      readonly form: number;
      readonly publication: PublicationId;
      /** Nodes from the answerer to the one with the publisher. */
      readonly path: readonly string[];
    }
  /** It has no source, or none any more; it will say when there is one. */
  | { readonly type: "waiting" }
  /** The publisher ended its publication. */
  | { readonly type: "unpublished" }
  /** It is too hot for one more: ask these nodes, which have the stream. The channel closes. */
  | { readonly type: "elsewhere"; readonly nodes: readonly string[] };

const TYPE = { source: 2, waiting: 3, unpublished: 4, elsewhere: 5 } as const;
/** Unknown types from here on are ignored, others end the link. */
const SKIPPABLE = 0x80;

export function encodeRequest({ form, wanted, key, waiting }: StreamRequest): Uint8Array {
  const w = new ByteWriter(128).u8(form).u8(wanted);
  writeText(w, key);
  writeNodes(w, waiting);
  return w.finish();
}

/** @throws {WireError} */
export function decodeRequest(bytes: Uint8Array): StreamRequest {
  const r = new ByteReader(bytes);
  return { form: r.u8(), wanted: r.u8(), key: readText(r), waiting: readNodes(r) };
}

export function encodeAnswer(answer: StreamAnswer): Uint8Array {
  const w = new ByteWriter(64).u8(TYPE[answer.type]);
  if (answer.type === "source") {
    writePublication(w.u8(answer.form), answer.publication);
    writeNodes(w, answer.path);
  }
  if (answer.type === "elsewhere") writeNodes(w, answer.nodes);
  return w.finish();
}

/** @returns undefined for a type to be ignored. @throws {WireError} */
export function decodeAnswer(bytes: Uint8Array): StreamAnswer | undefined {
  const r = new ByteReader(bytes);
  const type = r.u8();
  switch (type) {
    case TYPE.source:
      return { type: "source", form: r.u8(), publication: readPublication(r), path: readNodes(r) };
    case TYPE.waiting:
      return { type: "waiting" };
    case TYPE.unpublished:
      return { type: "unpublished" };
    case TYPE.elsewhere:
      return { type: "elsewhere", nodes: readNodes(r) };
    default:
      if (type < SKIPPABLE) throw new RelayFrameError({ detail: `a message of unknown type ${type}` });
      return undefined;
  }
}

function writeNodes(w: ByteWriter, nodes: readonly string[]): void {
  w.u8(nodes.length);
  for (const node of nodes) writeText(w, node);
}

function readNodes(r: ByteReader): readonly string[] {
  const count = r.u8();
  if (count > RELAY_LIMITS.pathNodes * 2) throw new RelayFrameError({ detail: `a path of ${count} nodes` });
  return Array.from({ length: count }, () => readText(r));
}
