/** Any wire form inside WebSocket frames: one binary frame a media frame, so that a batch may be cut anywhere between them. */
import type { WireForm } from "@sluice/media/wire-form";

/** FIN and opcode 2, binary. RFC 6455 §5.2; a server does not mask. */
const FINAL_BINARY = 0x82;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Bytes before a payload. */
export function frameHeaderByteCount(payloadByteCount: number): number {
  if (payloadByteCount < LENGTH_16) return 2;
  return payloadByteCount < 0x1_0000 ? 4 : 10;
}

/** Answers the offset of the payload. */
export function writeFrameHeaderInto(target: Uint8Array, offset: number, payloadByteCount: number): number {
  target[offset] = FINAL_BINARY;
  if (payloadByteCount < LENGTH_16) {
    target[offset + 1] = payloadByteCount;
    return offset + 2;
  }
  if (payloadByteCount < 0x1_0000) {
    target[offset + 1] = LENGTH_16;
    target[offset + 2] = payloadByteCount >>> 8;
    target[offset + 3] = payloadByteCount;
    return offset + 4;
  }
  target[offset + 1] = LENGTH_64;
  for (let i = 0; i < 4; i++) target[offset + 2 + i] = 0;
  for (let i = 0; i < 4; i++) target[offset + 6 + i] = payloadByteCount >>> (24 - 8 * i);
  return offset + 10;
}

/** A frame of its own around `payload`. */
export function frameOf(payload: Uint8Array): Uint8Array {
  const header = frameHeaderByteCount(payload.length);
  const frame = new Uint8Array(header + payload.length);
  frame.set(payload, writeFrameHeaderInto(frame, 0, payload.length));
  return frame;
}

export function framed(inner: WireForm): WireForm {
  return {
    id: `ws;${inner.id}`,
    carry: inner.carry,
    byteCount(kind, dts, bodyByteCount) {
      const payload = inner.byteCount(kind, dts, bodyByteCount);
      return frameHeaderByteCount(payload) + payload;
    },
    encodeInto(target, offset, kind, dts, body) {
      const at = writeFrameHeaderInto(target, offset, inner.byteCount(kind, dts, body.length));
      return inner.encodeInto(target, at, kind, dts, body);
    },
    opening(tracks) {
      const opening = inner.opening(tracks);
      return opening === undefined ? undefined : frameOf(opening);
    },
  };
}
