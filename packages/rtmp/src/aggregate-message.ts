/** Aggregate messages: several media messages in one body, each laid out like an FLV tag. RTMP 1.0 §7.1.6. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { serialAdd, serialDistance } from "@sluice/base/serial-number";
import { RtmpLimitError } from "./errors.ts";
import type { RtmpLimits } from "./limits.ts";

export interface AggregatePart {
  readonly typeId: number;
  /** Milliseconds, absolute, 0 to 2³² − 1. */
  readonly timestamp: number;
  /** A view of the aggregate's body. */
  readonly payload: Uint8Array;
}

const BACK_POINTER_BYTES = 4;

/**
 * | offset | field             | form | meaning                                               |
 * | ------ | ----------------- | ---- | ----------------------------------------------------- |
 * | 0      | message type id   | u8   |                                                       |
 * | 1      | length            | u24  | bytes of the part's body                              |
 * | 4      | timestamp         | u24  | low bits                                              |
 * | 7      | timestamp, high   | u8   | bits 24 to 31                                         |
 * | 8      | message stream id | u24  | not read: the aggregate's own counts                  |
 * | 11     | body              |      |                                                       |
 * | …      | back pointer      | u32  | not read; may be missing behind the last part          |
 *
 * The parts move together so that the first stands at the aggregate's own time.
 * @throws {WireError} a part runs past the end
 * @throws {RtmpLimitError} aggregateMessages
 */
export function decodeAggregate(
  body: Uint8Array,
  timestamp: number,
  limits: Pick<RtmpLimits, "aggregateMessages">,
): AggregatePart[] {
  const r = new ByteReader(body);
  const parts: AggregatePart[] = [];
  let shift: number | undefined;
  while (r.remaining > 0) {
    const maximum = limits.aggregateMessages;
    if (parts.length >= maximum) throw new RtmpLimitError({ limit: "aggregateMessages", value: maximum + 1, maximum });
    const typeId = r.u8();
    const length = r.u24();
    const low = r.u24();
    const time = (low | (r.u8() << 24)) >>> 0;
    r.skip(3);
    shift ??= serialDistance(time, timestamp);
    parts.push({ typeId, timestamp: serialAdd(time, shift), payload: r.bytes(length) });
    r.skip(Math.min(BACK_POINTER_BYTES, r.remaining));
  }
  return parts;
}

/** The form that decodes to `parts`, with back pointers and the times as they are. */
export function encodeAggregate(parts: readonly AggregatePart[]): Uint8Array {
  const w = new ByteWriter();
  for (const { typeId, timestamp, payload } of parts) {
    w.u8(typeId)
      .u24(payload.length)
      .u24(timestamp & 0xffffff)
      .u8(timestamp >>> 24)
      .u24(0);
    w.bytes(payload).u32(payload.length + 11);
  }
  return w.finish();
}
