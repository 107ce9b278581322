/** RTMP messages for a cohort of players: full chunk headers and absolute times, so the bytes suit every one of them. */
import type { WireForm } from "@sluice/media/wire-form";
import { encodeMediaMessageInto, mediaMessageByteCount } from "@sluice/rtmp/media-message";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { filterBody, filterId, type ViewerFilter } from "../streams/viewer-filter.ts";

export function rtmpForm(options: {
  readonly messageStreamId: MessageStreamId;
  /** What the engine announced with SetChunkSize. */
  readonly chunkSize: number;
  readonly filter: ViewerFilter;
}): WireForm {
  const { messageStreamId, chunkSize, filter } = options;
  return {
    id: `rtmp;${messageStreamId};${filterId(filter)}`,
    carry: (frame) => filterBody(filter, frame),
    byteCount: (_kind, dts, bodyByteCount) => mediaMessageByteCount(bodyByteCount, dts, chunkSize),
    encodeInto: (target, offset, kind, timestamp, body) =>
      encodeMediaMessageInto(target, offset, { kind, timestamp, messageStreamId, body, chunkSize }),
    opening: () => undefined,
  };
}
