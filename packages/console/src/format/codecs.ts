// Names that people know for codecs, protocols and stream states.
import type { AudioRow, Protocol, StreamState, VideoRow } from "@sluice/client/admin-contract";

const CODECS: Readonly<Record<string, string>> = {
  avc1: "H.264",
  avc3: "H.264",
  hvc1: "HEVC",
  hev1: "HEVC",
  vvc1: "VVC",
  av01: "AV1",
  vp08: "VP8",
  vp09: "VP9",
  mp4a: "AAC",
  opus: "Opus",
  fLaC: "FLAC",
  ".mp3": "MP3",
  "ac-3": "AC-3",
  "ec-3": "E-AC-3",
};

const PROTOCOLS: Readonly<Record<Protocol, string>> = {
  rtmp: "RTMP",
  rtmps: "RTMPS",
  "rtmp-ws": "RTMP over WebSocket",
  "http-flv": "HTTP-FLV",
  "ws-flv": "WS-FLV",
  sluice: "sluice.v1 (WebSocket)",
  internal: "internal",
};

const STATES: Readonly<Record<StreamState, string>> = { live: "Live", grace: "Grace", waiting: "Waiting" };

export function codecName(codec: string): string {
  return CODECS[codec] ?? CODECS[codec.toLowerCase()] ?? codec;
}

export function protocolName(protocol: Protocol): string {
  return PROTOCOLS[protocol] ?? protocol;
}

export function stateName(state: StreamState): string {
  return STATES[state];
}

/** `1280 × 720`; empty while the size is unknown. */
export function frameSize(video: VideoRow): string {
  return video.width > 0 ? `${video.width} × ${video.height}` : "";
}

export function audioShape(audio: AudioRow): string {
  const rate = audio.sampleRate > 0 ? `${Number((audio.sampleRate / 1000).toFixed(2))} kHz` : "";
  const layout = { 1: "mono", 2: "stereo", 6: "5.1", 8: "7.1" }[audio.channels] ?? `${audio.channels} channels`;
  return [rate, audio.channels > 0 ? layout : ""].filter(Boolean).join(", ");
}
