/** What an RTMP session publishes and plays: makes publishers and players of the engine's events, by message stream. */
import type { Millis } from "@sluice/base/brand";
import { CLAIM_LIMITS, cutText } from "@sluice/base/claimed-text";
import { applicationOf, findStreamKeyOfUrl, type StreamKey } from "@sluice/media/stream-key";
import type { ConnectRequest } from "@sluice/rtmp/connect-request";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import type { MediaEvent, PlayEvent, PublishEvent, RtmpServerEvent } from "@sluice/rtmp/server-event";
import type { SharedObjectMessage } from "@sluice/rtmp/shared-object-message";
import type { Publisher } from "../sessions/publisher.ts";
import { noteConnectRefusal } from "../sessions/refusals.ts";
import type { SessionEnd, SessionFacts } from "../sessions/session.ts";
import type { Viewer } from "../sessions/viewer.ts";
import type { RtmpPeer } from "./rtmp-peer.ts";
import { type RtmpPlayer, startPlayer } from "./rtmp-player.ts";
import { startPublisher } from "./rtmp-publish.ts";
import { readRequest, type RtmpRequest } from "./rtmp-request.ts";
import { RtmpSharedObjects } from "./rtmp-shared-objects.ts";

export class RtmpNetStreams {
  readonly #peer: RtmpPeer;
  readonly #publishers = new Map<MessageStreamId, Publisher>();
  readonly #players = new Map<MessageStreamId, RtmpPlayer>();
  readonly #objects: RtmpSharedObjects;
  #request: ConnectRequest | undefined;
  #idleSince: Millis;
  #bufferMs = 0;
  #latest: Pick<SessionFacts, "role" | "key"> = { role: "idle", key: "" };

  constructor(peer: RtmpPeer) {
    this.#peer = peer;
    this.#objects = new RtmpSharedObjects(peer);
    this.#idleSince = peer.settings.ports.clock.now();
  }

  get isIdle(): boolean {
    return this.#publishers.size === 0 && this.#players.size === 0 && this.#objects.count === 0;
  }

  get isPublishing(): boolean {
    return this.#publishers.size > 0;
  }

  get idleSince(): Millis {
    return this.#idleSince;
  }

  get facts(): Omit<SessionFacts, "bytesIn" | "bytesOut"> {
    const publisher = first(this.#publishers.values());
    const viewers = this.#viewers();
    const key = publisher?.key ?? viewers[0]?.key ?? "";
    return {
      role: publisher !== undefined ? "publisher" : viewers.length > 0 ? "player" : "idle",
      key,
      app: this.#appOf(key),
      agent: this.#request?.flashVer ?? "",
      isLagging: viewers.some((viewer) => viewer.isLagging),
      skips: viewers.reduce((sum, viewer) => sum + viewer.skips, 0),
    };
  }

  #viewers(): readonly Viewer[] {
    return [...this.#players.values()].map(({ viewer }) => viewer);
  }

  /** As the server lists it; while idle that of connect. */
  #appOf(key: string): string {
    const known = key === "" ? findStreamKeyOfUrl(this.#request?.app ?? "") : (key as StreamKey);
    return known === undefined ? "" : applicationOf(known);
  }

  get latest(): Pick<SessionFacts, "role" | "key"> {
    return this.#latest;
  }

  isServed(isLive: (key: string) => boolean): boolean {
    return this.#publishers.size > 0 || this.#viewers().some((viewer) => isLive(viewer.key));
  }

  /** @returns a promise when what follows must wait for a verdict */
  take(event: RtmpServerEvent): Promise<void> | undefined {
    switch (event.type) {
      case "media":
        this.#takeMedia(event);
        return undefined;
      case "connect":
        return this.#connect(event.request);
      case "publish":
        this.#leave(event.messageStreamId);
        return this.#publish(event);
      case "play":
        this.#leave(event.messageStreamId);
        return this.#play(event);
      case "stream-closed":
        this.#leave(event.messageStreamId);
        return undefined;
      default:
        this.#control(event);
        return undefined;
    }
  }

  /** How long a publisher's next bytes may stay unread; 0 while this connection also plays, or publishes nothing. */
  get holdTime(): Millis {
    const publisher = this.#publishers.size === 1 ? first(this.#publishers.values()) : undefined;
    return this.#players.size === 0 && publisher?.hasMedia ? publisher.holdTime : (0 as Millis);
  }

  /** One arrival is taken in whole. */
  deliver(): void {
    for (const publisher of this.#publishers.values()) publisher.deliver();
  }

  tick(now: Millis): void {
    const { timeouts, limits } = this.#peer.settings.ports;
    for (const publisher of this.#publishers.values()) {
      const allowed = publisher.hasMedia ? timeouts.idle : timeouts.firstFrame;
      if (publisher.silence(now) > allowed) this.#peer.end("timeout", "publisher sends nothing");
    }
    let waits = 0;
    for (const [id, { viewer }] of this.#players) {
      if (viewer.isWaiting) waits++;
      if (viewer.isOverdue(now) || (viewer.isWaiting && waits > limits.waitsPerConnection)) this.#giveUp(id);
    }
  }

  /** Ends everything; sends each player a status. */
  close(reason: SessionEnd): void {
    const { engine } = this.#peer;
    for (const id of this.#players.keys())
      engine.sendStatus(id, { level: "status", code: "NetStream.Play.Stop", description: `Playing ends: ${reason}` });
    for (const id of [...this.#publishers.keys(), ...this.#players.keys()]) this.#leave(id, reason);
    this.#objects.close();
  }

  #takeMedia(event: MediaEvent): void {
    const publisher = this.#publishers.get(event.messageStreamId) ?? this.#publisherOfStrayData(event);
    if (publisher === undefined) return;
    const now = this.#peer.settings.ports.clock.now();
    if (event.kind !== "data") publisher.takeMedia(event.kind, event.timestamp, event.payload, now);
    else if (event.data === "clear-data-frame") publisher.clearMetadata();
    else publisher.takeData(event.timestamp, event.payload, now);
  }

  /** K26: some encoders send their metadata on message stream 0. */
  #publisherOfStrayData(event: MediaEvent): Publisher | undefined {
    return event.kind === "data" && event.messageStreamId === 0 ? first(this.#publishers.values()) : undefined;
  }

  async #connect(request: ConnectRequest): Promise<void> {
    const { settings, engine, signal } = this.#peer;
    const { guard, clock, log } = settings.ports;
    this.#request = request;
    const { access, key, asked } = readRequest(this.#peer, request, "");
    const app = key === undefined ? "" : applicationOf(key);
    const verdict = await guard.decide({ ...access, action: "connect", app, key: "" }, signal);
    if (signal.aborted) return;
    this.#idleSince = clock.now();
    if (verdict.allow) {
      engine.acceptConnect();
      return;
    }
    const isRedirect = verdict.code === "redirected" && settings.allowsRtmpRedirect;
    const { reason: detail } = verdict;
    const { sessionId: session, protocol, address, agent = "" } = access;
    const refused = { session, protocol, address, agent, key: key ?? asked, detail };
    noteConnectRefusal(log, isRedirect ? "redirected" : "guard", refused);
    engine.rejectConnect({
      code: "NetConnection.Connect.Rejected",
      description: detail,
      ...(isRedirect ? { redirect: verdict.redirect } : {}),
    });
    this.#peer.end(isRedirect ? "redirected" : "denied", detail);
  }

  async #publish(event: PublishEvent): Promise<void> {
    const { messageStreamId } = event;
    const publisher = await startPublisher(this.#peer, messageStreamId, this.#requestOf(event));
    if (publisher === undefined) return;
    this.#latest = { role: "publisher", key: publisher.key };
    if (this.#peer.signal.aborted) this.#closePublisher(publisher, "peer-closed");
    else this.#publishers.set(messageStreamId, publisher);
  }

  async #play(event: PlayEvent): Promise<void> {
    const { capabilities } = this.#connected;
    const says = { capabilities, bufferMs: this.#bufferMs };
    const others = (): readonly Viewer[] => this.#viewers();
    const player = await startPlayer(this.#peer, this.#requestOf(event), event, { says, others });
    if (player === undefined) return;
    const { viewer } = player;
    this.#latest = { role: "player", key: viewer.key };
    if (this.#peer.signal.aborted) viewer.end("peer-closed");
    else this.#players.set(event.messageStreamId, player);
  }

  /** The engine tells of nothing else before connect. */
  get #connected(): ConnectRequest {
    return this.#request as ConnectRequest;
  }

  #requestOf({ streamName }: PublishEvent | PlayEvent): RtmpRequest {
    return readRequest(this.#peer, this.#connected, streamName);
  }

  #control(event: RtmpServerEvent): void {
    const { engine } = this.#peer;
    switch (event.type) {
      case "pause":
        return this.#pause(event.messageStreamId, event.isPaused);
      case "seek":
        return engine.sendStatus(event.messageStreamId, {
          level: "error",
          code: "NetStream.Seek.Failed",
          description: "A live stream cannot be sought in",
        });
      case "receive-audio":
        return this.#players.get(event.messageStreamId)?.setKind("audio", event.enabled ? "on" : "muted");
      case "receive-video":
        return this.#players.get(event.messageStreamId)?.setKind("video", event.enabled ? "on" : "muted");
      case "buffer-length":
        this.#bufferMs = event.milliseconds;
        return this.#players.get(event.messageStreamId)?.setBuffer(event.milliseconds);
      case "shared-object":
        return this.#takeObjects(event.message);
      case "call":
        if (event.transactionId !== 0)
          engine.failCall(event.transactionId, {
            description: `No method "${cutText(event.name, CLAIM_LIMITS.methodCharacters)}"`,
          });
        return;
      default:
        return;
    }
  }

  #takeObjects(message: SharedObjectMessage): void {
    const wasIdle = this.isIdle;
    this.#objects.take(message, this.#connected);
    if (!wasIdle && this.isIdle) this.#idleSince = this.#peer.settings.ports.clock.now();
  }

  #pause(id: MessageStreamId, isPaused: boolean): void {
    const player = this.#players.get(id);
    if (player === undefined) return;
    if (isPaused) player.pause();
    const code = isPaused ? "NetStream.Pause.Notify" : "NetStream.Unpause.Notify";
    this.#peer.engine.sendStatus(id, { level: "status", code, description: isPaused ? "Paused" : "Playing on" });
    this.#peer.sendOutput();
    if (!isPaused) player.unpause();
  }

  #giveUp(id: MessageStreamId): void {
    this.#peer.engine.sendStatus(id, {
      level: "error",
      code: "NetStream.Play.StreamNotFound",
      description: "The stream has no publisher",
    });
    this.#peer.sendOutput();
    this.#leave(id, "not-found");
  }

  #leave(id: MessageStreamId, reason?: SessionEnd): void {
    const publisher = this.#publishers.get(id);
    const player = this.#players.get(id);
    this.#publishers.delete(id);
    this.#players.delete(id);
    if (publisher !== undefined) this.#closePublisher(publisher, reason);
    player?.viewer.end(reason ?? "peer-closed");
    if (this.isIdle) this.#idleSince = this.#peer.settings.ports.clock.now();
  }

  /** Without a reason the publisher said itself that it is done. */
  #closePublisher(publisher: Publisher, reason: SessionEnd | undefined): void {
    publisher.stop(reason === undefined || reason === "kicked" ? "unpublished" : "lost", reason ?? "unpublished");
  }
}

function first<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}
