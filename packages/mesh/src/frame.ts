/** The unit of a link on the wire: a header of eight bytes and a bounded payload. */
import { ByteQueue } from "@sluice/bytes/byte-queue";
import type { Brand } from "@sluice/base/brand";
import { LinkFrameError } from "./errors.ts";

/** Identifies a flow on a link. 0 is the link itself; the dialling side opens odd numbers, the other side even ones. */
export type ChannelId = Brand<number, "ChannelId">;

export const LINK_CHANNEL = 0 as ChannelId;

/** Numbers as on the wire; a number is never reused for another meaning. */
export const FRAME_TYPE = {
  hello: 0x01,
  welcome: 0x02,
  proof: 0x03,
  accepted: 0x04,
  refused: 0x05,
  alive: 0x10,
  acknowledge: 0x11,
  goodbye: 0x12,
  open: 0x20,
  /** A part of a message; more parts follow. */
  part: 0x21,
  /** The last part of a message, or a whole message. */
  end: 0x22,
  credit: 0x23,
  close: 0x24,
} as const;

/** A receiver skips an unknown type with this bit; an unknown type without it ends the link. */
export const SKIPPABLE_BIT = 0x80;

export const FRAME_HEADER_BYTES = 8;
/** Length and type: enough to refuse a frame, and to recognise a peer that speaks another protocol. */
const START_BYTES = 4;

/**
 * | offset | field   | form | meaning                                            |
 * | ------ | ------- | ---- | -------------------------------------------------- |
 * | 0      | length  | u24  | bytes of the payload                               |
 * | 3      | type    | u8   | one of `FRAME_TYPE`; 0x80 and above may be skipped |
 * | 4      | channel | u32  | 0 for frames about the link itself                 |
 *
 * mesh.md, MSH1
 */
export interface LinkFrame {
  readonly type: number;
  readonly channel: ChannelId;
  /** A view; the receiver owns it. */
  readonly payload: Uint8Array;
}

/** Writes a header at `offset`. */
export function putFrameHeader(
  into: Uint8Array,
  offset: number,
  { type, channel, length }: { readonly type: number; readonly channel: ChannelId; readonly length: number },
): void {
  into[offset] = length >>> 16;
  into[offset + 1] = length >>> 8;
  into[offset + 2] = length;
  into[offset + 3] = type;
  into[offset + 4] = channel >>> 24;
  into[offset + 5] = channel >>> 16;
  into[offset + 6] = channel >>> 8;
  into[offset + 7] = channel;
}

/** A whole frame in its own bytes; for the small frames about the link and its channels. */
export function encodeFrame(type: number, channel: ChannelId, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  putFrameHeader(bytes, 0, { type, channel, length: payload.length });
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** Cuts frames from bytes that arrive split at any position. */
export class FrameReader {
  readonly #queue = new ByteQueue();
  #maxPayloadBytes: number;

  constructor(maxPayloadBytes: number) {
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** Raised once the peer has proved its identity. */
  set maxPayloadBytes(count: number) {
    this.#maxPayloadBytes = count;
  }

  /** Takes ownership of `bytes`. */
  offer(bytes: Uint8Array): void {
    this.#queue.offer(bytes);
  }

  /** The next frame; `undefined` when more bytes are needed. @throws {LinkFrameError} for a length over the limit */
  take(): LinkFrame | undefined {
    const start = this.#queue.peek(START_BYTES);
    if (start === undefined) return undefined;
    const [a, b, c, type] = start as unknown as readonly [number, number, number, number];
    const length = (a << 16) | (b << 8) | c;
    if (length > this.#maxPayloadBytes) {
      const other = otherProtocolOf(start);
      const detail = `frame of ${length} bytes: limit is ${this.#maxPayloadBytes}`;
      throw new LinkFrameError({ detail: other === undefined ? detail : `the other side speaks ${other}` });
    }
    if (this.#queue.length < FRAME_HEADER_BYTES + length) return undefined;
    this.#queue.skip(START_BYTES);
    const [d, e, f, g] = this.#queue.take(FRAME_HEADER_BYTES - START_BYTES) as unknown as readonly [
      number,
      number,
      number,
      number,
    ];
    const payload = this.#queue.take(length) as Uint8Array;
    return { type, channel: (((d << 24) | (e << 16) | (f << 8) | g) >>> 0) as ChannelId, payload };
  }
}

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 0x03;
const HTTP_METHOD_START = /^[A-Za-z]{3,4}[A-Za-z /]?$/;

/** HTTP or TLS bytes; read as a frame header, both would exceed any length limit. */
function otherProtocolOf(start: Uint8Array): "HTTP" | "TLS" | undefined {
  if (start[0] === TLS_HANDSHAKE && start[1] === TLS_MAJOR_VERSION) return "TLS";
  return HTTP_METHOD_START.test(String.fromCharCode(...start)) ? "HTTP" : undefined;
}
