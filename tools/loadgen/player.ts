/** Plays one stream over RTMP or HTTP-FLV and checks every stamped frame: bytes, order, latency. */
import { ByteQueue } from "@sluice/bytes/byte-queue";
import { takeFlvHeader, takeTag } from "@sluice/formats/flv/flv-tag";
import type { FrameMint } from "./frame-stamp.ts";
import { RtmpClient } from "./rtmp-client.ts";

export interface PlayerCounts {
  state: "opening" | "playing" | "refused" | "ended";
  frames: number;
  bytes: number;
  damaged: number;
  holes: number;
  /** From the start of connecting to the first whole key frame. */
  joinMs: number | undefined;
  /** For frames sent after the join. */
  readonly latenciesMs: number[];
}

/** Checks bodies in the order of arrival and counts. */
class FrameJudge {
  readonly counts: PlayerCounts = {
    state: "opening",
    frames: 0,
    bytes: 0,
    damaged: 0,
    holes: 0,
    joinMs: undefined,
    latenciesMs: [],
  };
  readonly #mint: FrameMint;
  readonly #begun = process.hrtime.bigint();
  readonly #expected = new Map<string, number>();

  constructor(mint: FrameMint) {
    this.#mint = mint;
  }

  take(kind: "audio" | "video", body: Uint8Array): void {
    this.counts.bytes += body.length;
    const verdict = this.#mint.check(body, kind === "audio");
    if (verdict.kind === "damaged") this.counts.damaged++;
    if (verdict.kind !== "good") return;
    const { stamp } = verdict;
    const now = process.hrtime.bigint();
    const expected = this.#expected.get(kind);
    if (expected !== undefined && stamp.sequence !== expected) this.counts.holes++;
    this.#expected.set(kind, stamp.sequence + 1);
    this.counts.frames++;
    if (this.counts.joinMs === undefined && stamp.isKeyframe) this.counts.joinMs = Number(now - this.#begun) / 1e6;
    if (this.counts.joinMs !== undefined && stamp.sent > this.#begun)
      this.counts.latenciesMs.push(Number(now - stamp.sent) / 1e6);
  }
}

export interface Player {
  readonly counts: PlayerCounts;
  stop(): void;
}

export function startPlayer(url: URL, mint: FrameMint): Player {
  return url.protocol.startsWith("rtmp") ? startRtmpPlayer(url, mint) : startFlvPlayer(url, mint);
}

function startRtmpPlayer(url: URL, mint: FrameMint): Player {
  const judge = new FrameJudge(mint);
  const { counts } = judge;
  const client = new RtmpClient(
    url,
    "play",
    (event) => {
      if (event.type === "connect-rejected" || event.type === "stream-refused") counts.state = "refused";
      if (event.type === "status" && event.level === "error") counts.state = "refused";
      if (event.type === "status" && event.code === "NetStream.Play.Start") counts.state = "playing";
      if (event.type === "media" && event.kind !== "data") judge.take(event.kind, event.payload);
    },
    () => {
      if (counts.state !== "refused") counts.state = "ended";
    },
  );
  return { counts, stop: () => client[Symbol.dispose]() };
}

function startFlvPlayer(url: URL, mint: FrameMint): Player {
  const judge = new FrameJudge(mint);
  const stop = new AbortController();
  readFlv(url, judge, stop.signal).catch(() => {
    if (judge.counts.state !== "refused") judge.counts.state = "ended";
  });
  return { counts: judge.counts, stop: () => stop.abort() };
}

async function readFlv(url: URL, judge: FrameJudge, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal });
  if (!response.ok || response.body === null) {
    judge.counts.state = "refused";
    return;
  }
  judge.counts.state = "playing";
  const queue = new ByteQueue();
  let hasHeader = false;
  for await (const bytes of response.body) {
    queue.offer(bytes);
    hasHeader ||= takeFlvHeader(queue) !== undefined;
    if (!hasHeader) continue;
    for (let tag = takeTag(queue); tag; tag = takeTag(queue)) if (tag.type !== "script") judge.take(tag.type, tag.body);
  }
  judge.counts.state = "ended";
}
