/** Answers `play`: guard, waiting rules, then a place among the stream's subscribers. */
import type { LiveStream } from "@sluice/media/live-stream";
import { applicationOf, type StreamKey } from "@sluice/media/stream-key";
import type { PeerCapabilities } from "@sluice/rtmp/capabilities";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import { rtmpForm } from "./rtmp-form.ts";
import type { Grant } from "../auth/access.ts";
import { type ViewerFilter, withholds } from "../streams/viewer-filter.ts";
import { admit, keyOf, refusedOf, type RtmpAdmission } from "./rtmp-admission.ts";
import type { RtmpNetStreamsOptions } from "./rtmp-session-options.ts";
import { RtmpPlayer } from "./rtmp-player.ts";
import { notePlayRefusal, type PlayRefusal, STOPPING } from "../sessions/refusals.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { socketSink } from "../sessions/socket-sink.ts";

type PlayEvent = Extract<RtmpServerEvent, { readonly type: "play" }>;

export interface PlayerSays {
  readonly capabilities: PeerCapabilities | undefined;
  /** As announced by SetBufferLength; 0 when not. */
  readonly bufferMs: number;
  /** What the same connection plays already. */
  readonly others: Iterable<RtmpPlayer>;
}

/** @returns `undefined` when it was refused, and told so */
export async function startPlayer(
  options: RtmpNetStreamsOptions,
  event: PlayEvent,
  admission: RtmpAdmission,
  says: PlayerSays,
): Promise<RtmpPlayer | undefined> {
  const { ports, engine } = options;
  const { messageStreamId } = event;
  const key = keyOf(admission);
  const refuse = (reason: PlayRefusal, detail: string): undefined => {
    engine.rejectPlay(messageStreamId, { code: REFUSAL_CODES[reason], description: detail });
    notePlayRefusal(ports, reason, refusedOf(admission, detail));
  };
  if (options.isOver(messageStreamId)) return undefined;
  if (key === undefined) return refuse("name", "The stream name is not legal");
  if (ports.draining.aborted) return refuse("stopping", STOPPING);
  if (options.page?.mayPlay === false) return refuse("origin", "Web pages of this origin may not play");
  const verdict = await admit(admission);
  const isOver = options.signal.aborted || options.isOver(messageStreamId);
  if (!verdict.allow)
    return isOver ? undefined : refuse(verdict.code === "redirected" ? "redirected" : "guard", verdict.reason);
  const { grant } = verdict;
  if (isOver) grant.end("given-up");
  if (isOver) return undefined;
  const refuseAllowed = (reason: PlayRefusal, detail: string): undefined => {
    grant.end(reason);
    return refuse(reason, detail);
  };
  const wait = ports.policyOf(applicationOf(key)).playWait.rtmp;
  if (wait === 0 && !ports.streams.isPublished(key)) return refuseAllowed("not-found", "Nobody publishes this stream");
  const others = [...says.others];
  const excess = excessOf(key, others, ports);
  if (excess !== undefined) return refuseAllowed("limit", excess);
  const stream = ports.streams.acquire(key);
  if (stream === undefined) return refuseAllowed("limit", "As many streams are waited for as may be");
  const filter = filterFor(says.capabilities, options.legacyFourCc);
  const sharing = others.some((other) => other.key === key) ? "alone" : "cohort";
  const told = { options, key, stream, messageStreamId, filter, bufferMs: says.bufferMs };
  const player = openPlayer({ ...told, wait, sharing, grant });
  if (begin(options, event, player) === "started") {
    noteWithheld(options, filter, stream);
    return player;
  }
  notePlayRefusal(ports, "limit", refusedOf(admission, FULL));
  return undefined;
}

/** Tells the player of a stream without room. Whatever fails gives the player's place back. */
function begin(
  options: RtmpNetStreamsOptions,
  { messageStreamId, reset }: PlayEvent,
  player: RtmpPlayer,
): "started" | "full" {
  const { engine } = options;
  try {
    engine.acceptPlay(messageStreamId, { reset });
    options.sendOutput();
    if (player.start()) return "started";
  } catch (error) {
    player.stop("fault");
    throw error;
  }
  player.stop("limit");
  engine.sendStatus(messageStreamId, { level: "error", code: REFUSAL_CODES.limit, description: FULL });
  return "full";
}

const FULL = "The stream has as many viewers as it may";

/** What a connection has too many of if it plays this stream as well. */
function excessOf(
  key: StreamKey,
  others: readonly RtmpPlayer[],
  { limits, streams }: SessionPorts,
): string | undefined {
  if (others.filter((other) => other.key === key).length >= limits.viewsPerConnection)
    return "The connection plays this stream as often as it may";
  if (streams.isPublished(key) || others.filter(({ isWaiting }) => isWaiting).length < limits.waitsPerConnection)
    return undefined;
  return "The connection waits for as many streams as it may";
}

function openPlayer(from: {
  readonly options: RtmpNetStreamsOptions;
  readonly key: StreamKey;
  readonly stream: LiveStream;
  readonly messageStreamId: MessageStreamId;
  readonly filter: ViewerFilter;
  readonly bufferMs: number;
  readonly wait: ReturnType<RtmpNetStreamsOptions["ports"]["policyOf"]>["playWait"]["rtmp"];
  readonly sharing: "cohort" | "alone";
  readonly grant: Grant;
}): RtmpPlayer {
  const { options, messageStreamId, filter, ...rest } = from;
  const { transport, chunkSize, engine } = options;
  const sink = socketSink({
    socket: transport.socket,
    writes: options.ports.writes,
    output: transport.output,
    heardBytes: () => engine.acknowledgedBytes,
    notify: (notice) => tell(options, messageStreamId, notice),
    end: (reason) => options.end(reason),
  });
  return new RtmpPlayer({
    ...options,
    ...rest,
    sink,
    filter,
    formFor: (filter) => transport.shape(rtmpForm({ messageStreamId, chunkSize, filter })),
  });
}

/** E12: a player that misses a codec of the stream sees no picture or hears no sound, and its operator should know why. */
function noteWithheld({ id, ports }: RtmpNetStreamsOptions, filter: ViewerFilter, { key, tracks }: LiveStream): void {
  for (const kind of ["video", "audio"] as const) {
    const codec = tracks.codecOf(kind);
    if (codec === undefined || !withholds(filter, codec)) continue;
    ports.meter
      .counter("plays_without_codec_total", "Plays of a stream whose codec the player cannot take, by kind", { kind })
      .add();
    ports.log.info({ session: id, key, codec }, "The player cannot take this codec and goes without");
  }
}

/** E12: nothing that the viewer did not say it can parse; one that said nothing is treated by policy. */
function filterFor(says: PeerCapabilities | undefined, policy: "forward" | "withhold"): ViewerFilter {
  const saidNothing =
    says?.fourCcs === undefined && says?.videoFourCcs === undefined && says?.audioFourCcs === undefined;
  return {
    audio: "on",
    video: "on",
    multitrack: says?.multitrack ? "parses" : "default-track-only",
    modEx: says?.modEx ? "parses" : "strip",
    fourCcs: saidNothing ? (policy === "forward" ? "*" : "legacy-only") : fourCcsOf(says as PeerCapabilities),
  };
}

function fourCcsOf(says: PeerCapabilities): ReadonlySet<string> | "*" {
  if (says.fourCcs === "*") return "*";
  const all = new Set(says.fourCcs ?? []);
  for (const map of [says.videoFourCcs, says.audioFourCcs])
    for (const [fourCc, use] of map ?? []) if (use.canDecode || use.canForward) all.add(fourCc);
  return all.has("*") ? "*" : new Set([...all].filter(isFourCc));
}

/** Lists come from peers, and name cohorts that others share. */
function isFourCc(name: string): boolean {
  return /^[!-+.-~ -]{4}$/.test(name);
}

/** The status is for most players; GStreamer ends only at the end of stream beside it, which the next publication takes back. */
function tell(
  options: RtmpNetStreamsOptions,
  messageStreamId: MessageStreamId,
  notice: "published" | "unpublished",
): void {
  const { engine, sendOutput } = options;
  if (notice === "published") {
    engine.sendUserControl({ type: "stream-begin", messageStreamId });
    engine.sendStatus(messageStreamId, {
      level: "status",
      code: "NetStream.Play.PublishNotify",
      description: "The stream is published",
    });
  } else {
    engine.sendStatus(messageStreamId, {
      level: "status",
      code: "NetStream.Play.UnpublishNotify",
      description: "The stream is no longer published",
    });
    engine.sendUserControl({ type: "stream-eof", messageStreamId });
  }
  sendOutput();
}

const REFUSAL_CODES = {
  name: "NetStream.Play.StreamNotFound",
  "not-found": "NetStream.Play.StreamNotFound",
  guard: "NetStream.Play.Failed",
  limit: "NetStream.Play.Failed",
  redirected: "NetStream.Play.Failed",
  origin: "NetStream.Play.Failed",
  stopping: "NetStream.Play.Failed",
} as const satisfies Readonly<Record<PlayRefusal, string>>;
