/** Media bodies to chunks whose bytes are the same for every viewer: what fan-out encodes once and sends to all. */
import { encodeMessageInto, messageByteCount } from "./chunk-writer.ts";
import { CHUNK_STREAM, type ChunkStreamId, type MessageStreamId } from "./ids.ts";
import { MESSAGE_TYPE } from "./message.ts";

export type MediaKind = "audio" | "video" | "data";

/** The chunk stream and message type of each kind. */
export const WAY_OF: Readonly<Record<MediaKind, { readonly chunkStreamId: ChunkStreamId; readonly typeId: number }>> = {
  audio: { chunkStreamId: CHUNK_STREAM.AUDIO, typeId: MESSAGE_TYPE.AUDIO },
  video: { chunkStreamId: CHUNK_STREAM.VIDEO, typeId: MESSAGE_TYPE.VIDEO },
  data: { chunkStreamId: CHUNK_STREAM.DATA, typeId: MESSAGE_TYPE.DATA_AMF0 },
};

export interface MediaMessage {
  readonly kind: MediaKind;
  /** Milliseconds, absolute, 0 to 2³² − 1. */
  readonly timestamp: number;
  readonly messageStreamId: MessageStreamId;
  /** The whole message body, up to 16,777,215 bytes; copied. */
  readonly body: Uint8Array;
  /** The size that this side announced to the viewer. */
  readonly chunkSize: number;
}

/** Bytes that `encodeMediaMessageInto` will write. */
export const mediaMessageByteCount: (bodyLength: number, timestamp: number, chunkSize: number) => number =
  messageByteCount;

/**
 * Writes the message at `offset`; answers the offset behind it.
 *
 * Every message has the long header with its absolute time, on a chunk stream of its kind that the dialogue never
 * uses: the bytes may stand anywhere between two messages of an engine's output.
 */
export function encodeMediaMessageInto(target: Uint8Array, offset: number, message: MediaMessage): number {
  const { kind, timestamp, messageStreamId, body, chunkSize } = message;
  const { chunkStreamId, typeId } = WAY_OF[kind];
  return encodeMessageInto(target, offset, { chunkStreamId, typeId, timestamp, messageStreamId, body, chunkSize });
}
