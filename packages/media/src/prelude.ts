/** What a joiner is sent before its first frame: the metadata and decoder set-up in force where it starts. */
import type { Frame, Timestamp } from "./frame.ts";
import type { ExpectedTracks } from "./track-table.ts";
import type { WireForm } from "./wire-form.ts";

/** Metadata is stamped 0: with any other time FFmpeg takes it for a subtitle stream. */
const START = 0 as Timestamp;

/** Fixed when its GOP opens: set-up that changes later is sent in its place among the frames. */
export interface Prelude {
  /** Metadata first, then set-up by track. `dts`: where the track stood, so that its time does not go back. */
  readonly parts: readonly { readonly frame: Frame; readonly dts: Timestamp }[];
}

/**
 * @param expected  set-up of other tracks is left out: a player waits for each track that it has set-up of
 * @param opening  bytes before everything else, for a joiner that was sent nothing yet
 */
export function encodePrelude(
  form: WireForm,
  prelude: Prelude,
  options: {
    readonly expected: ExpectedTracks;
    readonly opening: Uint8Array | undefined;
    readonly allocate: (byteCount: number) => Uint8Array;
  },
): Uint8Array {
  const { expected, opening, allocate } = options;
  const parts = prelude.parts.flatMap(({ frame, dts }) => {
    const body = expected.expects(frame) ? form.carry(withoutFlags(frame, expected)) : undefined;
    return body === undefined ? [] : [{ kind: frame.kind, dts: frame.kind === "data" ? START : dts, body }];
  });
  let byteCount = opening?.length ?? 0;
  for (const { kind, dts, body } of parts) byteCount += form.byteCount(kind, dts, body.length);
  const bytes = allocate(byteCount);
  if (opening !== undefined) bytes.set(opening, 0);
  let offset = opening?.length ?? 0;
  for (const { kind, dts, body } of parts) offset = form.encodeInto(bytes, offset, kind, dts, body);
  return bytes;
}

/** Clears the flags of tracks that are not expected: some players trust them more than the FLV header. */
function withoutFlags(frame: Frame, { hasAudio, hasVideo }: ExpectedTracks): Frame {
  const { audioFlagAt, videoFlagAt } = frame.announces ?? { audioFlagAt: 0, videoFlagAt: 0 };
  const falseFlags = [hasAudio ? 0 : audioFlagAt, hasVideo ? 0 : videoFlagAt].filter((at) => at > 0);
  if (falseFlags.length === 0) return frame;
  const body = new Uint8Array(frame.body);
  for (const at of falseFlags) body[at] = 0;
  return { ...frame, body };
}

/** One frame in bytes of its own; `undefined` where the form withholds it. */
export function encodeFrame(
  form: WireForm,
  frame: Frame,
  allocate: (byteCount: number) => Uint8Array,
): Uint8Array | undefined {
  const body = form.carry(frame);
  if (body === undefined) return undefined;
  const bytes = allocate(form.byteCount(frame.kind, frame.dts, body.length));
  form.encodeInto(bytes, 0, frame.kind, frame.dts, body);
  return bytes;
}
