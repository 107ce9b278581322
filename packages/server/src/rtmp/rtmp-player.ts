/** One `play` of an RTMP session: its answer, what the player can be sent, its mutes and pauses. */
import type { LiveStream } from "@sluice/media/live-stream";
import type { WireForm } from "@sluice/media/wire-form";
import type { PeerCapabilities } from "@sluice/rtmp/capabilities";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import type { PlayEvent } from "@sluice/rtmp/server-event";
import { type PlayRefusal } from "../sessions/refusals.ts";
import { socketSink } from "../sessions/socket-sink.ts";
import { admitViewer, type Viewer } from "../sessions/viewer.ts";
import { type ViewerFilter, withholds } from "../streams/viewer-filter.ts";
import { rtmpForm } from "./rtmp-form.ts";
import type { RtmpPeer } from "./rtmp-peer.ts";
import type { RtmpRequest } from "./rtmp-request.ts";

/** A player that announced at least this much buffer shows nothing sooner for a narrow window. */
const PATIENT_BUFFER_MS = 1_000;

const REFUSAL_CODES = {
  name: "NetStream.Play.StreamNotFound",
  "not-found": "NetStream.Play.StreamNotFound",
  guard: "NetStream.Play.Failed",
  limit: "NetStream.Play.Failed",
  redirected: "NetStream.Play.Failed",
  origin: "NetStream.Play.Failed",
  stopping: "NetStream.Play.Failed",
} as const satisfies Readonly<Record<PlayRefusal, string>>;

/** What the peer said of itself before it played. */
export interface PlayerSays {
  readonly capabilities: PeerCapabilities;
  /** As announced by SetBufferLength; 0 when not. */
  readonly bufferMs: number;
}

/**
 * @param others  what the same connection plays already
 * @returns `undefined` when it was refused; the peer has been answered
 */
export async function startPlayer(
  peer: RtmpPeer,
  request: RtmpRequest,
  { messageStreamId, reset }: PlayEvent,
  { says, others }: { readonly says: PlayerSays; readonly others: () => readonly Viewer[] },
): Promise<RtmpPlayer | undefined> {
  const { engine, page, signal } = peer;
  const answer = await admitViewer(peer.settings.ports, {
    ...request,
    signal,
    isOver: () => peer.isOver(messageStreamId),
    mayPlay: page?.mayPlay ?? true,
    mayWait: true,
    others,
  });
  if (answer.answer === "gone") return undefined;
  if (answer.answer === "refused") {
    engine.rejectPlay(messageStreamId, { code: REFUSAL_CODES[answer.reason], description: answer.detail });
    return undefined;
  }
  const player = new RtmpPlayer({ peer, viewer: answer.viewer, messageStreamId, says });
  try {
    engine.acceptPlay(messageStreamId, { reset });
    peer.sendOutput();
    return player.start() === "started" ? player : undefined;
  } catch (error) {
    player.viewer.end("fault");
    throw error;
  }
}

export class RtmpPlayer {
  readonly viewer: Viewer;
  readonly #peer: RtmpPeer;
  readonly #messageStreamId: MessageStreamId;
  #filter: ViewerFilter;
  #isPatient: boolean;
  #isPaused = false;

  constructor(options: {
    readonly peer: RtmpPeer;
    readonly viewer: Viewer;
    readonly messageStreamId: MessageStreamId;
    readonly says: PlayerSays;
  }) {
    const { peer, viewer, messageStreamId, says } = options;
    this.viewer = viewer;
    this.#peer = peer;
    this.#messageStreamId = messageStreamId;
    this.#filter = filterFor(says.capabilities, peer.settings.legacyFourCc);
    this.#isPatient = says.bufferMs >= PATIENT_BUFFER_MS;
  }

  /** Tells the player of a stream without room. */
  start(): "started" | "full" {
    const { transport, engine, settings } = this.#peer;
    const { socket, output } = transport;
    const sink = socketSink({
      socket,
      writes: settings.ports.writes,
      output,
      heardBytes: () => engine.acknowledgedBytes,
      notify: (notice) => this.#tell(notice),
      end: (reason) => this.#peer.end(reason),
    });
    const refused = this.viewer.begin({ sink, form: this.#form(), isPatient: this.#isPatient, socket });
    if (refused === undefined) {
      noteWithheld(this.#peer, this.#filter, this.viewer.stream);
      return "started";
    }
    const { reason, detail: description } = refused;
    engine.sendStatus(this.#messageStreamId, { level: "error", code: REFUSAL_CODES[reason], description });
    return "full";
  }

  /** Stays a subscriber, so that the stream is still there when it goes on, and is sent nothing. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.viewer.switchForm(this.#form(), "live-edge");
  }

  /** Time must not go back, so a live stream goes on at its next key frame. */
  unpause(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.viewer.switchForm(this.#form(), "next-key");
  }

  /** Muting takes effect at once; video comes back at a key frame, with its headers. */
  setKind(kind: "audio" | "video", state: "on" | "muted"): void {
    if (this.#filter[kind] === state) return;
    this.#filter = { ...this.#filter, [kind]: state };
    if (this.#isPaused) return;
    this.viewer.switchForm(this.#form(), kind === "video" && state === "on" ? "next-key" : "live-edge");
  }

  setBuffer(milliseconds: number): void {
    this.#isPatient = milliseconds >= PATIENT_BUFFER_MS;
    this.viewer.setPatience(this.#isPatient);
  }

  #form(): WireForm {
    const { transport, settings } = this.#peer;
    const messageStreamId = this.#messageStreamId;
    const form = rtmpForm({ messageStreamId, chunkSize: settings.chunkSize, filter: this.#filter });
    return this.#isPaused ? silenced(transport.shape(form)) : transport.shape(form);
  }

  /** The status is for most players; GStreamer ends only at the end of stream beside it, which the next publication takes back. */
  #tell(notice: "published" | "unpublished"): void {
    const { engine } = this.#peer;
    const messageStreamId = this.#messageStreamId;
    const level = "status";
    if (notice === "published") {
      const code = "NetStream.Play.PublishNotify";
      engine.sendUserControl({ type: "stream-begin", messageStreamId });
      engine.sendStatus(messageStreamId, { level, code, description: "The stream is published" });
    } else {
      const code = "NetStream.Play.UnpublishNotify";
      engine.sendStatus(messageStreamId, { level, code, description: "The stream is no longer published" });
      engine.sendUserControl({ type: "stream-eof", messageStreamId });
    }
    this.#peer.sendOutput();
  }
}

/** Carries nothing; one for all that pause, whatever they see otherwise. */
function silenced(form: WireForm): WireForm {
  return { ...form, id: "paused", carry: () => undefined, opening: () => undefined };
}

/** E12: a player without the stream's codec gets no picture or no sound: the log says why. */
function noteWithheld({ id, settings }: RtmpPeer, filter: ViewerFilter, { key, tracks }: LiveStream): void {
  const { meter, log } = settings.ports;
  for (const kind of ["video", "audio"] as const) {
    const codec = tracks.codecOf(kind);
    if (codec === undefined || !withholds(filter, codec)) continue;
    meter
      .counter("plays_without_codec_total", "Plays of a stream whose codec the player cannot take, by kind", { kind })
      .add();
    log.info({ session: id, key, codec }, "The player cannot take this codec and goes without");
  }
}

/** E12: nothing that the viewer did not say it can parse; one that said nothing is treated by policy. */
function filterFor(says: PeerCapabilities, policy: "forward" | "withhold"): ViewerFilter {
  const saidNothing = (says.fourCcs ?? says.videoFourCcs ?? says.audioFourCcs) === undefined;
  return {
    audio: "on",
    video: "on",
    multitrack: says.multitrack ? "parses" : "default-track-only",
    modEx: says.modEx ? "parses" : "strip",
    fourCcs: saidNothing ? (policy === "forward" ? "*" : "legacy-only") : fourCcsOf(says),
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
