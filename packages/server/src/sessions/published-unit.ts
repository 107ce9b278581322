/** Reads an FLV-family body as what a live stream takes: which track, which codec, and what it means to a joiner. */
import { findMessageName, type PlainProperty, scanObject } from "@sluice/amf/amf0-scan";
import type { Millis } from "@sluice/base/brand";
import { isUsableDecoderConfig } from "@sluice/formats/codec/decoder-config";
import { parseAudioBody } from "@sluice/formats/flv/audio-body";
import type { Track } from "@sluice/formats/flv/enhanced-header";
import { hasModEx, selectTrack, wrapTrack } from "@sluice/formats/flv/rewrite";
import { parseVideoBody, type VideoBody } from "@sluice/formats/flv/video-body";
import type { Announcement, FrameRole, PublishedUnit } from "@sluice/media/frame";

/** Above every picture size and sample rate in use. */
const MAX_ANNOUNCED = 1_000_000;

interface BodyFacts {
  readonly codec: string;
  readonly dataOffset: number;
  /** Of video bodies. */
  readonly compositionTime?: number;
  readonly isMultitrack: boolean;
  readonly tracks: readonly Track[];
}

/** One unit, or one for each track where a message sets up several decoders at once. Never throws. */
export function unitsOfMedia(kind: "audio" | "video", timestamp: number, body: Uint8Array): readonly PublishedUnit[] {
  const facts = kind === "video" ? parseVideoBody(body) : parseAudioBody(body);
  const role = kind === "video" ? videoRole(facts as VideoBody) : audioRole(facts.packet);
  if (role === "config" && facts.tracks.length > 1) return splitConfigs(kind, timestamp, body, facts);
  return [unitOf({ kind, role, timestamp, body, facts, track: facts.tracks[0] })];
}

/** Metadata in what can be read of it, without what stood before its name; any other message as it is. Never throws. */
export function unitOfData(timestamp: number, body: Uint8Array): PublishedUnit {
  const found = findMessageName(body);
  if (found?.name !== "onMetaData") return dataUnit("side", timestamp, body);
  const own = body.subarray(found.nameAt);
  const { properties, isWhole } = scanObject(own, found.endAt - found.nameAt);
  const flaw = properties.size === 0 ? "empty" : isWhole ? undefined : "broken";
  return {
    ...dataUnit("metadata", timestamp, own),
    announces: announcedBy(properties),
    ...(flaw === undefined ? {} : { flaw }),
  };
}

function dataUnit(role: FrameRole, timestamp: number, body: Uint8Array): PublishedUnit {
  return {
    kind: "data",
    role,
    trackId: 0,
    codec: "",
    timestamp,
    compositionTime: 0 as Millis,
    body,
    data: body,
    isMultitrack: false,
    hasModEx: false,
  };
}

function unitOf(options: {
  readonly kind: "audio" | "video";
  readonly role: FrameRole;
  readonly timestamp: number;
  readonly body: Uint8Array;
  readonly facts: BodyFacts;
  readonly track: Track | undefined;
}): PublishedUnit {
  const { kind, role, timestamp, body, facts, track } = options;
  const codec = track?.codec ?? facts.codec;
  const data =
    track === undefined ? body.subarray(facts.dataOffset) : body.subarray(track.offset, track.offset + track.length);
  const isFlawed = role === "config" && !isUsableDecoderConfig(codec, data);
  return {
    kind,
    role,
    timestamp,
    compositionTime: ((track ?? facts).compositionTime ?? 0) as Millis,
    body,
    trackId: track?.trackId ?? 0,
    codec,
    data,
    isMultitrack: facts.isMultitrack,
    hasModEx: hasModEx(body, kind),
    ...(isFlawed ? { flaw: data.length === 0 ? "empty" : "broken" } : {}),
  };
}

/** Track 0 becomes a plain body, the others one-track bodies, as each is kept for joiners by itself. */
function splitConfigs(
  kind: "audio" | "video",
  timestamp: number,
  body: Uint8Array,
  facts: BodyFacts,
): readonly PublishedUnit[] {
  return facts.tracks.flatMap(({ trackId }) => {
    const plain = selectTrack(body, kind, trackId);
    const own = plain === undefined || trackId === 0 ? plain : wrapTrack(plain, kind, trackId);
    return own === undefined ? [] : unitsOfMedia(kind, timestamp, own);
  });
}

function videoRole(body: VideoBody): FrameRole {
  switch (body.packet) {
    case "sequence-start":
    case "mpeg2ts-sequence-start":
      return "config";
    case "coded-frames":
      return body.isKeyframe ? "key" : "delta";
    case "metadata":
      return "metadata";
    default:
      return "side";
  }
}

function audioRole(packet: string): FrameRole {
  if (packet === "sequence-start" || packet === "multichannel-config")
    return packet === "sequence-start" ? "config" : "metadata";
  return packet === "coded-frames" ? "delta" : "side";
}

function announcedBy(properties: ReadonlyMap<string, PlainProperty>): Announcement {
  const valueOf = (name: string): PlainProperty["value"] | undefined => properties.get(name)?.value;
  const says = (name: string): boolean => {
    const value = valueOf(name);
    return value !== undefined && value !== 0 && value !== "" && value !== false;
  };
  const count = (name: string): number => {
    const value = valueOf(name);
    return typeof value === "number" && value > 0 && value <= MAX_ANNOUNCED ? Math.round(value) : 0;
  };
  const flagAt = (name: string): number => (valueOf(name) === true ? Math.max(0, properties.get(name)?.at ?? 0) : 0);
  const stereo = valueOf("stereo");
  return {
    audio: says("audiocodecid") || says("hasAudio"),
    video: says("videocodecid") || says("hasVideo") || says("width"),
    width: count("width"),
    height: count("height"),
    sampleRate: count("audiosamplerate"),
    channels: count("audiochannels") || (typeof stereo === "boolean" ? (stereo ? 2 : 1) : 0),
    audioFlagAt: flagAt("hasAudio"),
    videoFlagAt: flagAt("hasVideo"),
  };
}
