/** Wire form of a frame between nodes, version 1: the whole frame, so that a mirror cannot be told from its stream. */
import type { Millis } from "@sluice/base/brand";
import { serialAdd, serialDistance } from "@sluice/base/serial-number";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import type { Announcement, Frame, FrameKind, FrameRole, Timestamp, PublicationId } from "@sluice/media/frame";
import { RelayFrameError } from "./errors.ts";
import { RELAY_LIMITS } from "./limits.ts";
import { readVarint, readZigzag, writeVarint, writeZigzag } from "./varint.ts";

/** First byte of a message that is a frame. */
export const FRAME_MESSAGE = 1;

/** The order is part of the form. */
const KINDS: readonly FrameKind[] = ["video", "audio", "data"];
const ROLES: readonly FrameRole[] = ["config", "key", "delta", "metadata", "side"];
const FLAWS = [undefined, "empty", "broken"] as const;
/** Codecs by number; any other name follows as text. */
const CODECS: readonly string[] = [
  "",
  "avc1",
  "hvc1",
  "vvc1",
  "av01",
  "vp08",
  "vp09",
  "mp4a",
  "Opus",
  ".mp3",
  "fLaC",
  "ac-3",
  "ec-3",
];
const OTHER_CODEC = 255;

/** Of the second byte: kind in bits 0 and 1, role in bits 2 to 4. */
const MULTITRACK = 0x20;
const MOD_EX = 0x40;
/** A byte with rare facts follows: the flaw in bits 0 and 1, and those below. */
const HAS_MORE = 0x80;
const ANNOUNCES = 0x04;
/** The data does not reach to the end of the body: its length is stated. */
const HAS_LENGTH = 0x08;

/** Header of most frames, with room for the longest numbers. */
const HEADER_BYTES = 64;

/** One encoding for each frame, however many links take it: the last one is kept. */
export class FrameEncoder {
  #frame: Frame | undefined;
  #bytes: Uint8Array | undefined;

  /** @returns bytes that all links share: never change them */
  encode(frame: Frame): Uint8Array {
    if (this.#frame === frame && this.#bytes !== undefined) return this.#bytes;
    this.#frame = frame;
    this.#bytes = encodeFrame(frame);
    return this.#bytes;
  }

  /** The last frame is no longer needed. */
  forget(): void {
    this.#frame = undefined;
    this.#bytes = undefined;
  }
}

export function encodeFrame(frame: Frame): Uint8Array {
  const { kind, role, trackId, codec, body, data, flaw, announces } = frame;
  const dataAt = data.byteOffset - body.byteOffset;
  const hasLength = dataAt + data.length !== body.length;
  const more = FLAWS.indexOf(flaw) | (announces === undefined ? 0 : ANNOUNCES) | (hasLength ? HAS_LENGTH : 0);
  const w = new ByteWriter(HEADER_BYTES + body.length).u8(FRAME_MESSAGE);
  w.u8(
    KINDS.indexOf(kind) |
      (ROLES.indexOf(role) << 2) |
      (frame.isMultitrack ? MULTITRACK : 0) |
      (frame.hasModEx ? MOD_EX : 0) |
      (more === 0 ? 0 : HAS_MORE),
  );
  if (more !== 0) w.u8(more);
  w.u8(trackId);
  writeCodec(w, codec);
  writePublication(w, frame.publication);
  writeVarint(w, frame.sequence);
  w.u32(frame.dts);
  writeZigzag(w, serialDistance(frame.dts, frame.timestamp));
  writeZigzag(w, frame.compositionTime);
  writeVarint(w, dataAt);
  if (hasLength) writeVarint(w, data.length);
  if (announces !== undefined) writeAnnouncement(w, announces);
  return w.bytes(body).finish();
}

/**
 * @param bytes  a whole message, its first byte included; the frame's body is a view of it
 * @throws {WireError}
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const r = new ByteReader(bytes);
  if (r.u8() !== FRAME_MESSAGE) throw new RelayFrameError({ detail: "no frame" });
  const flags = r.u8();
  const more = (flags & HAS_MORE) === 0 ? 0 : r.u8();
  const kind = named(KINDS, flags & 3, "kind");
  const role = named(ROLES, (flags >> 2) & 7, "role");
  const flaw = (more & 3) === 0 ? undefined : named(FLAWS, more & 3, "flaw");
  const [trackId, codec, publication] = [r.u8(), readCodec(r), readPublication(r)];
  const [sequence, dts] = [readVarint(r), r.u32() as Timestamp];
  const timestamp = serialAdd(dts, readZigzag(r));
  const compositionTime = readZigzag(r) as Millis;
  const dataAt = readVarint(r);
  const dataLength = (more & HAS_LENGTH) === 0 ? undefined : readVarint(r);
  const announces = (more & ANNOUNCES) === 0 ? undefined : readAnnouncement(r);
  const body = r.rest();
  return {
    ...{ kind, role, trackId, codec, publication, sequence, dts, timestamp, compositionTime },
    ...{ body, data: dataOf(body, dataAt, dataLength) },
    isMultitrack: (flags & MULTITRACK) !== 0,
    hasModEx: (flags & MOD_EX) !== 0,
    ...(flaw === undefined ? {} : { flaw }),
    ...(announces === undefined ? {} : { announces: within(announces, body.length) }),
  };
}

function dataOf(body: Uint8Array, at: number, length: number | undefined): Uint8Array {
  const end = length === undefined ? body.length : at + length;
  if (body.length > RELAY_LIMITS.bodyBytes || at > end || end > body.length)
    throw new RelayFrameError({ detail: `data from ${at} to ${end} in a body of ${body.length} bytes` });
  return body.subarray(at, end);
}

function named<T>(names: readonly T[], number: number, what: string): Exclude<T, undefined> {
  const name = names[number];
  if (name === undefined) throw new RelayFrameError({ detail: `a frame of unknown ${what} ${number}` });
  return name as Exclude<T, undefined>;
}

function writeCodec(w: ByteWriter, codec: string): void {
  const number = CODECS.indexOf(codec);
  if (number >= 0) return void w.u8(number);
  const name = encodeUtf8(codec);
  w.u8(OTHER_CODEC).u8(name.length).bytes(name);
}

function readCodec(r: ByteReader): string {
  const number = r.u8();
  return number === OTHER_CODEC ? r.utf8(r.u8()) : named(CODECS, number, "codec");
}

/** 64 bits, as its 16 hexadecimal digits say. */
export function writePublication(w: ByteWriter, publication: PublicationId): void {
  w.u32(Number.parseInt(publication.slice(0, 8), 16)).u32(Number.parseInt(publication.slice(8), 16));
}

export function readPublication(r: ByteReader): PublicationId {
  return `${digits(r.u32())}${digits(r.u32())}` as PublicationId;
}

function digits(number: number): string {
  return number.toString(16).padStart(8, "0");
}

function writeAnnouncement(w: ByteWriter, announces: Announcement): void {
  w.u8((announces.audio ? 1 : 0) | (announces.video ? 2 : 0));
  for (const name of NUMBERS) writeVarint(w, announces[name]);
}

function readAnnouncement(r: ByteReader): Announcement {
  const says = r.u8();
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, readVarint(r)]));
  return { audio: (says & 1) !== 0, video: (says & 2) !== 0, ...(numbers as Pick<Announcement, AnnouncedNumber>) };
}

/** The flags must lie in the body: joiners get it with those bytes cleared. */
function within(announces: Announcement, bodyBytes: number): Announcement {
  if (announces.audioFlagAt < Math.max(1, bodyBytes) && announces.videoFlagAt < Math.max(1, bodyBytes))
    return announces;
  throw new RelayFrameError({ detail: "metadata with flags outside its body" });
}

type AnnouncedNumber = Exclude<keyof Announcement, "audio" | "video">;
const NUMBERS: readonly AnnouncedNumber[] = ["width", "height", "sampleRate", "channels", "audioFlagAt", "videoFlagAt"];
