/** FLV tags for a cohort of HTTP viewers, and the same in WebSocket frames. */
import { encodeFlvTagInto, flvTagByteCount, writeFlvHeader } from "@sluice/formats/flv/flv-tag";
import type { FrameKind } from "@sluice/media/frame";
import type { WireForm } from "@sluice/media/wire-form";
import { filterBody, filterId, type ViewerFilter } from "../streams/viewer-filter.ts";
import { framed } from "../sessions/web-socket-form.ts";

const TAG_TYPES = { audio: "audio", video: "video", data: "script" } as const satisfies Record<FrameKind, string>;

export function flvForm(filter: ViewerFilter): WireForm {
  return {
    id: `flv;${filterId(filter)}`,
    carry: (frame) => filterBody(filter, frame),
    byteCount: (_kind, _dts, bodyByteCount) => flvTagByteCount(bodyByteCount),
    encodeInto: (target, offset, kind, dts, body) => encodeFlvTagInto(target, offset, TAG_TYPES[kind], dts, body),
    opening: ({ hasAudio, hasVideo }) => writeFlvHeader(hasAudio, hasVideo),
  };
}

export function wsFlvForm(filter: ViewerFilter): WireForm {
  return framed(flvForm(filter));
}
