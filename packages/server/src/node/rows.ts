/** Converts streams and sessions to rows of the admin contract. */
import type { AudioRow, SessionRow, StreamRow, VideoRow } from "@sluice/client/admin-contract";
import type { Millis } from "@sluice/base/brand";
import type { LiveStream } from "@sluice/media/live-stream";
import type { StreamEntry } from "@sluice/media/stream-directory";
import { applicationOf } from "@sluice/media/stream-key";
import type { Session } from "../sessions/session.ts";
import type { ConfigDescriptions } from "./config-descriptions.ts";

export interface StreamRates {
  readonly bitrate: number;
  readonly fps: number;
}

/** A stream as this node alone knows it. */
export function streamRow(
  entry: StreamEntry,
  from: { readonly rates: StreamRates; readonly descriptions: ConfigDescriptions; readonly self: string },
): StreamRow {
  const { stream } = entry;
  const { rates, descriptions, self } = from;
  const publisherAt = entry.publisherAt ?? (entry.state === "waiting" ? null : self);
  const { tracks, gop, ingest, delivery, subscriberCount } = stream;
  return {
    key: stream.key,
    app: applicationOf(stream.key),
    state: entry.state,
    home: publisherAt ?? self,
    publisherAt,
    publication: stream.publicationCount === 0 ? null : stream.publication,
    epoch: null,
    since: isoTime(entry.since),
    publisher: entry.publisher === undefined ? null : (entry.publisher as StreamRow["publisher"]),
    video: videoRow(stream, descriptions),
    audio: audioRow(stream, descriptions),
    extraTracks: (["video", "audio"] as const).flatMap((kind) =>
      tracks
        .trackIds(kind)
        .filter((id) => id !== 0)
        .map((id) => `${kind}:${id}`),
    ),
    bitrate: entry.state === "live" ? rates.bitrate : 0,
    fps: entry.state === "live" ? rates.fps : 0,
    viewers: { here: subscriberCount, all: subscriberCount },
    copies: [],
    gop: { frames: gop.frames.length, bytes: gop.bytes, seconds: Math.round(gop.duration) / 1000 },
    bytesIn: ingest.bytesIn,
    bytesOut: delivery.bytesOut,
    skips: delivery.skips,
  };
}

export function sessionRow(session: Session): SessionRow {
  const { id, protocol, address, since, facts } = session;
  const { role, key, app, agent, bytesIn, bytesOut, isLagging, skips } = facts;
  return {
    id,
    protocol,
    role,
    key,
    app,
    address,
    agent,
    since: isoTime(since),
    bytesIn,
    bytesOut,
    lagging: isLagging,
    skips,
  };
}

export function isoTime(wall: Millis): string {
  return new Date(wall).toISOString();
}

/** If the decoder configuration has no sizes and rates, as with VP9 and MP3, the metadata may have them. */
function videoRow({ tracks }: LiveStream, descriptions: ConfigDescriptions): VideoRow | null {
  const codec = tracks.codecOf("video");
  if (codec === undefined) return null;
  const described = descriptions.of(tracks.findConfig("video", 0));
  const { width, height } =
    described?.kind === "video" && described.width > 0 ? described : (tracks.announced ?? NO_SIZE);
  return { codec, codecString: described?.codecString ?? "", width, height };
}

function audioRow({ tracks }: LiveStream, descriptions: ConfigDescriptions): AudioRow | null {
  const codec = tracks.codecOf("audio");
  if (codec === undefined) return null;
  const described = descriptions.of(tracks.findConfig("audio", 0));
  const from = described?.kind === "audio" && described.sampleRate > 0 ? described : (tracks.announced ?? NO_SOUND);
  return { codec, codecString: described?.codecString ?? "", sampleRate: from.sampleRate, channels: from.channels };
}

const NO_SIZE = { width: 0, height: 0 };
const NO_SOUND = { sampleRate: 0, channels: 0 };
