/** What an RTMP session publishes and plays: turns the engine's events into seats on live streams. */
import type { Millis } from "@sluice/base/brand";
import { CLAIM_LIMITS, cutText } from "@sluice/base/claimed-text";
import { applicationOf, findStreamKeyOfUrl, type StreamKey } from "@sluice/media/stream-key";
import type { ConnectRequest } from "@sluice/rtmp/connect-request";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import { admit, refusedOf, type RtmpAdmission } from "./rtmp-admission.ts";
import { noteConnectRefusal } from "../sessions/refusals.ts";
import { startPlayer } from "./rtmp-play.ts";
import type { RtmpPlayer } from "./rtmp-player.ts";
import { startPublisher } from "./rtmp-publish.ts";
import type { Publisher } from "../sessions/publisher.ts";
import type { RtmpNetStreamsOptions } from "./rtmp-session-options.ts";
import type { SessionEnd, SessionFacts } from "../sessions/session.ts";

type MediaEvent = Extract<RtmpServerEvent, { readonly type: "media" }>;

export class RtmpNetStreams {
  readonly #options: RtmpNetStreamsOptions;
  readonly #publishers = new Map<MessageStreamId, Publisher>();
  readonly #players = new Map<MessageStreamId, RtmpPlayer>();
  #request: ConnectRequest | undefined;
  #idleSince: Millis;
  #bufferMs = 0;
  #latest: Pick<SessionFacts, "role" | "key"> = { role: "idle", key: "" };

  constructor(options: RtmpNetStreamsOptions) {
    this.#options = options;
    this.#idleSince = options.ports.clock.now();
  }

  get isIdle(): boolean {
    return this.#publishers.size === 0 && this.#players.size === 0;
  }

  get isPublishing(): boolean {
    return this.#publishers.size > 0;
  }

  get idleSince(): Millis {
    return this.#idleSince;
  }

  get facts(): Omit<SessionFacts, "bytesIn" | "bytesOut"> {
    const publisher = first(this.#publishers.values());
    const players = [...this.#players.values()];
    const key = publisher?.key ?? players[0]?.key ?? "";
    return {
      role: publisher !== undefined ? "publisher" : players.length > 0 ? "player" : "idle",
      key,
      app: this.#appOf(key),
      agent: this.#request?.flashVer ?? "",
      isLagging: players.some((player) => player.isLagging),
      skips: players.reduce((sum, player) => sum + player.skips, 0),
    };
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
    return this.#publishers.size > 0 || [...this.#players.values()].some((player) => isLive(player.key));
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

  /** How long a publisher's next bytes may stay unread; 0 when somebody waits for them, or nothing is published. */
  get holdTime(): Millis {
    const seat = this.#publishers.size === 1 ? first(this.#publishers.values()) : undefined;
    return this.#players.size === 0 && seat?.hasMedia ? seat.holdTime : (0 as Millis);
  }

  /** One arrival is taken in whole. */
  deliver(): void {
    for (const seat of this.#publishers.values()) seat.deliver();
  }

  tick(now: Millis): void {
    const { ports } = this.#options;
    const { timeouts } = ports;
    for (const seat of this.#publishers.values()) {
      const allowed = seat.hasMedia ? timeouts.idle : timeouts.firstFrame;
      if (seat.silence(now) > allowed) this.#options.end("timeout", "publisher sends nothing");
    }
    let waits = 0;
    for (const [id, player] of this.#players) {
      if (player.isWaiting) waits++;
      if (player.isOverdue(now) || (player.isWaiting && waits > ports.limits.waitsPerConnection)) this.#giveUp(id);
    }
  }

  /** Everything ends; players hear so. */
  close(reason: SessionEnd): void {
    const { engine } = this.#options;
    for (const id of this.#players.keys())
      engine.sendStatus(id, { level: "status", code: "NetStream.Play.Stop", description: `Playing ends: ${reason}` });
    for (const id of [...this.#publishers.keys(), ...this.#players.keys()]) this.#leave(id, reason);
  }

  #takeMedia(event: MediaEvent): void {
    const seat = this.#publishers.get(event.messageStreamId) ?? this.#seatForStrayData(event);
    if (seat === undefined) return;
    const now = this.#options.ports.clock.now();
    if (event.kind !== "data") seat.takeMedia(event.kind, event.timestamp, event.payload, now);
    else if (event.data === "clear-data-frame") seat.clearMetadata();
    else seat.takeData(event.timestamp, event.payload, now);
  }

  /** K26: some encoders send their metadata on message stream 0. */
  #seatForStrayData(event: MediaEvent): Publisher | undefined {
    return event.kind === "data" && event.messageStreamId === 0 ? first(this.#publishers.values()) : undefined;
  }

  async #connect(request: ConnectRequest): Promise<void> {
    const { engine, end } = this.#options;
    this.#request = request;
    const verdict = await admit(this.#admission("connect"));
    if (this.#options.signal.aborted) return;
    this.#idleSince = this.#options.ports.clock.now();
    if (verdict.allow) {
      engine.acceptConnect();
      return;
    }
    const isRedirect = verdict.code === "redirected" && this.#options.allowsRtmpRedirect;
    const refused = refusedOf(this.#admission("connect"), verdict.reason);
    noteConnectRefusal(this.#options.ports.log, isRedirect ? "redirected" : "guard", refused);
    engine.rejectConnect({
      code: "NetConnection.Connect.Rejected",
      description: verdict.reason,
      ...(isRedirect ? { redirect: verdict.redirect } : {}),
    });
    end(isRedirect ? "redirected" : "denied", verdict.reason);
  }

  async #publish(event: Extract<RtmpServerEvent, { readonly type: "publish" }>): Promise<void> {
    const { messageStreamId } = event;
    const admission = this.#admission("publish", event);
    const seat = await startPublisher(this.#options, messageStreamId, admission);
    if (seat === undefined) return;
    this.#latest = { role: "publisher", key: seat.key };
    if (this.#options.signal.aborted) this.#closePublisher(seat, "peer-closed");
    else this.#publishers.set(messageStreamId, seat);
  }

  async #play(event: Extract<RtmpServerEvent, { readonly type: "play" }>): Promise<void> {
    const admission = this.#admission("play", event);
    const capabilities = this.#request?.capabilities;
    const player = await startPlayer(this.#options, event, admission, {
      capabilities,
      bufferMs: this.#bufferMs,
      others: this.#players.values(),
    });
    if (player === undefined) return;
    this.#latest = { role: "player", key: player.key };
    if (this.#options.signal.aborted) player.stop("peer-closed");
    else this.#players.set(event.messageStreamId, player);
  }

  #control(event: RtmpServerEvent): void {
    const { engine } = this.#options;
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

  #pause(id: MessageStreamId, isPaused: boolean): void {
    const player = this.#players.get(id);
    if (player === undefined) return;
    if (isPaused) player.pause();
    const code = isPaused ? "NetStream.Pause.Notify" : "NetStream.Unpause.Notify";
    this.#options.engine.sendStatus(id, { level: "status", code, description: isPaused ? "Paused" : "Playing on" });
    this.#options.sendOutput();
    if (!isPaused) player.unpause();
  }

  #giveUp(id: MessageStreamId): void {
    this.#options.engine.sendStatus(id, {
      level: "error",
      code: "NetStream.Play.StreamNotFound",
      description: "Nobody publishes this stream",
    });
    this.#options.sendOutput();
    this.#leave(id, "not-found");
  }

  #leave(id: MessageStreamId, reason?: SessionEnd): void {
    const seat = this.#publishers.get(id);
    const player = this.#players.get(id);
    this.#publishers.delete(id);
    this.#players.delete(id);
    if (seat !== undefined) this.#closePublisher(seat, reason);
    player?.stop(reason ?? "peer-closed");
    if (this.isIdle) this.#idleSince = this.#options.ports.clock.now();
  }

  /** Without a reason the publisher said itself that it is done. */
  #closePublisher(seat: Publisher, reason: SessionEnd | undefined): void {
    seat.stop(reason === undefined || reason === "kicked" ? "unpublished" : "lost", reason ?? "unpublished");
  }

  #admission(action: "connect" | "publish" | "play", named?: { readonly streamName: string }): RtmpAdmission {
    const { id, protocol, address, page, ports, signal } = this.#options;
    const request = this.#request as ConnectRequest;
    return {
      action,
      request,
      streamName: named?.streamName ?? "",
      sessionId: id,
      protocol,
      address,
      origin: page?.origin,
      guard: ports.guard,
      signal,
    };
  }
}

function first<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}
