/** Keys that hold for every application and can be set again for one under `applications.<name>.`. */
import type { Millis } from "@sluice/base/brand";
import { DEFAULT_GOP_LIMITS } from "@sluice/media/limits";
import { key, type KeyTable, runningKey } from "../key.ts";
import type { Kind } from "../kind.ts";
import { list } from "../kinds-lists.ts";
import { choice, FLAG, integer, wordOr } from "../kinds-plain.ts";
import { duration, printSize, size } from "../kinds-units.ts";

const WINDOW = wordOr("auto", duration({ min: 0, max: 2_000 }));
const REALTIME = 20 as Millis;

/** `realtime` is the promise of at most 20 ms, by its name. */
const WINDOW_OR_REALTIME: Kind<"auto" | Millis> = {
  accepts: `\`realtime\` (20ms) or ${WINDOW.accepts}`,
  read: (raw, base) => (raw === "realtime" ? { value: REALTIME } : WINDOW.read(raw, base)),
  print: (value) => WINDOW.print(value),
};

const WAYS_IN = list(choice("open", "jwt", "signed", "hook"), 1);

export const APPLICATION_KEYS = {
  "delivery.window": runningKey(
    WINDOW_OR_REALTIME,
    "auto",
    "How long frames are gathered before one write to each viewer: a wider window costs less work and more delay. `auto` begins at 0 and widens towards 350 ms as the node fills.",
  ),
  "play.wait": runningKey(
    wordOr("forever", duration({ min: 0, max: 86_400_000 })),
    "forever",
    "How long an RTMP viewer waits for a stream that nobody publishes yet. `forever` is what RTMP players expect; 0 refuses at once (`NetStream.Play.StreamNotFound`).",
  ),
  "play.httpWait": runningKey(
    wordOr("forever", duration({ min: 0, max: 86_400_000 })),
    "0",
    "The same for viewers over HTTP and WebSocket, which expect 404 at once.",
  ),
  "publish.policy": runningKey(
    choice("refuse", "replace"),
    "refuse",
    "What a second publisher of a live stream meets: `refuse` answers `NetStream.Publish.BadName` unless the first gives no sign of life, `replace` ends the first and continues the stream from the second.",
  ),
  "grace.windowMs": runningKey(
    duration({ min: 0, max: 600_000 }),
    "10s",
    "How long a stream outlives its publisher's connection: viewers stay, and a publisher that returns continues the timeline. 0 ends the stream with the connection.",
  ),
  "gop.enabled": runningKey(
    FLAG,
    "true",
    "Keeps the frames since the last key frame, so that a viewer sees a picture at once. Off saves memory and starts viewers at the next key frame.",
  ),
  "gop.maxFrames": runningKey(
    integer({ min: 1, max: 100_000 }),
    String(DEFAULT_GOP_LIMITS.maxFrames),
    "Frames kept per stream, audio included; a longer run starts viewers at the next key frame.",
  ),
  "gop.maxBytes": runningKey(
    size({ min: 1_024, max: 1_073_741_824 }),
    printSize(DEFAULT_GOP_LIMITS.maxBytes),
    "Bytes kept per stream.",
  ),
  "gop.maxSeconds": runningKey(
    integer({ min: 1, max: 3_600 }),
    String(DEFAULT_GOP_LIMITS.maxDuration / 1000),
    "Seconds of media kept per stream.",
  ),
  "auth.publish": runningKey(
    WAYS_IN,
    "open",
    "What a publisher must show: `open` nothing; `jwt`, `signed` a valid token or signed URL (one of those listed); `hook` asks `auth.hooks.publish`, after the token where one is listed too.",
  ),
  "auth.play": runningKey(WAYS_IN, "open", "The same for viewers."),
  objects: runningKey(
    choice("auto", "on", "off"),
    "auto",
    "Whether clients may open and change shared objects. `auto`: where anybody may publish and play (`auth.publish` and `auth.play` are `open`), since tokens and signed URLs say nothing of objects. `off` refuses those that are opened from now on (`SharedObject.ObjectCreationFailed`).",
  ),
} as const satisfies KeyTable;

/** Keys that are set for an application alone: without its name they would mean something else, or nothing. */
export const ONE_APPLICATION_KEYS = {
  cluster: key(
    choice("shared", "local"),
    "shared",
    "Whether the nodes of a cluster have the application's streams and shared objects together. With `local` each node has its own.",
  ),
} as const satisfies KeyTable;
