// Rows of the admin contract for the fake server: plausible, moving a little.
import type { OwnNodeRow, SessionRow, StreamCopyRow, StreamRow } from "@sluice/client/admin-contract";

const HOUR = 3_600_000;

export function ago(millis: number): string {
  return new Date(Date.now() - millis).toISOString();
}

export function nodeRow(tick: number, change: Partial<OwnNodeRow> = {}): OwnNodeRow {
  return {
    id: "node-a",
    self: true,
    incarnation: 0,
    version: "0.1.0",
    roles: ["origin", "edge"],
    linked: true,
    since: ago(4_000_000),
    seed: null,
    differs: [],
    heat: 0.1,
    engine: "off",
    addresses: { rtmp: "0.0.0.0:19350", http: "0.0.0.0:8080" },
    load: {
      cpu: 0.12 + 0.03 * Math.sin(tick / 5),
      loop: 0.09 + 0.02 * Math.cos(tick / 4),
      memoryBytes: 143e6 + 1e5 * (tick % 20),
    },
    state: "ready",
    uptimeSeconds: 4_000 + tick,
    sessions: 0,
    streams: 0,
    bytesIn: Math.round(1e9 + tick * 1.25e6 + 2e5 * Math.sin(tick / 3)),
    bytesOut: Math.round(2e9 + tick * 9.4e6 + 8e5 * Math.sin(tick / 6)),
    open: { publish: true, play: true },
    reasons: [],
    ...change,
  };
}

export function streamRow(key: string, change: Partial<StreamRow> = {}): StreamRow {
  return {
    key,
    app: key.slice(0, key.lastIndexOf("/")),
    state: "live",
    home: "node-a",
    publisherAt: "node-a",
    publication: "00000000000000a1",
    epoch: null,
    since: ago(2 * HOUR + 310_000),
    publisher: {
      sessionId: "s-1",
      protocol: "rtmp",
      address: "192.0.2.17:51022",
      agent: "obs-output module (libobs version 31.0.3)",
    },
    video: { codec: "avc1", codecString: "avc1.42c01e", width: 640, height: 360 },
    audio: { codec: "mp4a", codecString: "mp4a.40.2", sampleRate: 48_000, channels: 2 },
    extraTracks: [],
    bitrate: 4_020_000,
    fps: 30,
    viewers: { here: 12, all: 12 },
    copies: [],
    gop: { frames: 96, bytes: 812_000, seconds: 1.9 },
    bytesIn: 3_912_000_000,
    bytesOut: 41_233_000_000,
    skips: 3,
    ...change,
  };
}

/** @param path  the node first, the publisher's last */
export function copyRow(path: readonly string[], change: Partial<StreamCopyRow> = {}): StreamCopyRow {
  const role = path.length === 1 ? "publisher" : "edge";
  return { node: path[0] ?? "", role, path, viewers: 2, bitrate: 4_020_000, delayMs: null, drops: null, ...change };
}

/** The rates of a row a moment later. */
export function moved(row: StreamRow, tick: number): StreamRow {
  if (row.state !== "live") return row;
  const wave = 1 + 0.06 * Math.sin(tick / 4 + row.key.length) + 0.05 * Math.sin(tick / 1.7);
  return { ...row, bitrate: Math.round(row.bitrate * wave), fps: row.fps - (tick % 9 === 0 ? 1.4 : 0) };
}

/** A session that many milliseconds later: half a megabyte per second in its direction. */
export function flowed(row: SessionRow, millis: number): SessionRow {
  if (row.role === "publisher") return { ...row, bytesIn: row.bytesIn + millis * 502 };
  return row.role === "player" ? { ...row, bytesOut: row.bytesOut + millis * 502 } : row;
}

export function sessionRow(id: string, change: Partial<SessionRow> = {}): SessionRow {
  return {
    id,
    protocol: "http-flv",
    role: "player",
    key: "live/cam",
    app: "live",
    address: "198.51.100.4:40112",
    agent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0",
    since: ago(14 * 60_000),
    bytesIn: 1_200,
    bytesOut: 422_000_000,
    lagging: false,
    skips: 0,
    ...change,
  };
}

export function busyStreams(): StreamRow[] {
  return [
    streamRow("live/cam"),
    streamRow("live/stage-left", {
      bitrate: 11_800_000,
      fps: 60,
      viewers: { here: 1_204, all: 1_204 },
      video: { codec: "hvc1", codecString: "hvc1.1.6.L123.B0", width: 1920, height: 1080 },
      since: ago(3 * 24 * HOUR),
    }),
    streamRow("studio/b/return-feed", {
      state: "grace",
      publisher: null,
      bitrate: 0,
      fps: 0,
      viewers: { here: 2, all: 2 },
      video: { codec: "av01", codecString: "av01.0.08M.08", width: 1280, height: 720 },
      audio: { codec: "opus", codecString: "opus", sampleRate: 48_000, channels: 2 },
      since: ago(25 * 60_000),
    }),
    streamRow("lobby", {
      state: "waiting",
      publisher: null,
      video: null,
      audio: null,
      bitrate: 0,
      fps: 0,
      viewers: { here: 1, all: 1 },
      gop: { frames: 0, bytes: 0, seconds: 0 },
      since: ago(42_000),
    }),
  ];
}

export function busySessions(): SessionRow[] {
  return [
    sessionRow("s-1", {
      role: "publisher",
      protocol: "rtmp",
      address: "192.0.2.17:51022",
      agent: "obs-output module (libobs version 31.0.3)",
      bytesIn: 3_912_000_000,
    }),
    sessionRow("s-2"),
    sessionRow("s-3", {
      protocol: "ws-flv",
      address: "[2001:db8::17]:52144",
      lagging: true,
      skips: 4,
      since: ago(95_000),
    }),
    sessionRow("s-4", { protocol: "rtmp", key: "live/stage-left", agent: "FMLE/3.0 (compatible; Lavf59.27.100)" }),
    sessionRow("s-5", {
      role: "idle",
      protocol: "rtmp",
      key: "",
      app: "",
      agent: "",
      bytesOut: 3_073,
      since: ago(4_000),
    }),
  ];
}
