/** Publishes one synthetic stream: 30 pictures and 47 audio frames a second, each stamped with its time of sending. */
import { type FrameMint, SEQUENCE_HEADERS, STREAM_SHAPE } from "./frame-stamp.ts";
import { RtmpClient } from "./rtmp-client.ts";

/** Interval at which due frames are sent: below a third of the duration of an audio frame. */
const TICK_MS = 5;

export interface PublisherCounts {
  state: "opening" | "live" | "refused" | "ended";
  frames: number;
}

export function startPublisher(url: URL, mint: FrameMint): { readonly counts: PublisherCounts; stop(): void } {
  const counts: PublisherCounts = { state: "opening", frames: 0 };
  let timer: NodeJS.Timeout | undefined;
  const client = new RtmpClient(
    url,
    "publish",
    (event) => {
      if (event.type === "connect-rejected" || event.type === "stream-refused") counts.state = "refused";
      if (event.type !== "status") return;
      if (event.level === "error") counts.state = "refused";
      if (event.code !== "NetStream.Publish.Start" || timer !== undefined) return;
      counts.state = "live";
      timer = startSending(client, mint, counts);
    },
    () => {
      clearInterval(timer);
      if (counts.state !== "refused") counts.state = "ended";
    },
  );
  return {
    counts,
    stop() {
      clearInterval(timer);
      client[Symbol.dispose]();
    },
  };
}

function startSending(client: RtmpClient, mint: FrameMint, counts: PublisherCounts): NodeJS.Timeout {
  client.engine.sendMedia("video", 0, SEQUENCE_HEADERS.video);
  client.engine.sendMedia("audio", 0, SEQUENCE_HEADERS.audio);
  const begun = performance.now();
  const next = { audio: 0, video: 0 };
  const dueOf = (kind: "audio" | "video"): number =>
    (next[kind] * 1_000) / (kind === "audio" ? STREAM_SHAPE.audioFps : STREAM_SHAPE.videoFps);
  return setInterval(() => {
    for (;;) {
      const kind = dueOf("audio") < dueOf("video") ? "audio" : "video";
      const due = dueOf(kind);
      if (due > performance.now() - begun) break;
      const frame = { isAudio: kind === "audio", sequence: next[kind]++, sent: process.hrtime.bigint() };
      client.engine.sendMedia(kind, Math.floor(due), mint.write(frame));
      client.flush();
      counts.frames++;
    }
  }, TICK_MS);
}
