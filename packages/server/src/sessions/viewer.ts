/** One play, over whatever protocol: how it is let in, its place on the live stream, and the report of its end. */
import type { Millis } from "@sluice/base/brand";
import type { LiveStream } from "@sluice/media/live-stream";
import { applicationOf, type StreamKey } from "@sluice/media/stream-key";
import type { Subscriber } from "@sluice/media/subscriber";
import type { SubscriberSink } from "@sluice/media/subscriber-sink";
import type { WireForm } from "@sluice/media/wire-form";
import type { AccessDenialCode, AccessRequest, Grant } from "../auth/access.ts";
import { reservedReason } from "../streams/reserved-names.ts";
import { notePlayRefusal, type PlayRefusal, type Refused, STOPPING } from "./refusals.ts";
import type { SessionPorts } from "./session-ports.ts";

/** Who plays what. */
export type ViewerFacts = Omit<Refused, "detail"> & { readonly key: StreamKey };

export interface PlayRequest {
  /** What the guard is asked. */
  readonly access: Omit<AccessRequest, "action" | "app" | "key">;
  /** `undefined` where what was asked for can be no stream's key. */
  readonly key: StreamKey | undefined;
  /** What was asked for, as the log shows it where it is no key. */
  readonly asked: string;
  /** Aborts when the peer leaves. */
  readonly signal: AbortSignal;
  /** The peer has turned to something else: no answer means anything to it. */
  readonly isOver: () => boolean;
  /** Whether the web page that asks, if one does, may play. */
  readonly mayPlay: boolean;
  /** Whether it may wait for a publisher, as long as its application allows. */
  readonly mayWait: boolean;
  /** What the same connection plays already. */
  readonly others: () => readonly Viewer[];
}

/** Counted, logged and reported; what is left is to tell the peer. */
export interface PlayRefused {
  readonly answer: "refused";
  readonly reason: PlayRefusal;
  readonly detail: string;
  /** Of the guard. */
  readonly code?: AccessDenialCode;
  /** Where the peer shall go instead. */
  readonly redirect?: string;
}

export type PlayAnswer =
  /** The caller owns the viewer and ends it. */
  { readonly answer: "allowed"; readonly viewer: Viewer } | { readonly answer: "gone" } | PlayRefused;

const GONE: PlayAnswer = { answer: "gone" };

/** Decides on a play: name, guard and hooks, waiting, then a place on the stream, on which nothing flows before `begin`. */
export async function admitViewer(ports: SessionPorts, request: PlayRequest): Promise<PlayAnswer> {
  const { access, key, signal, isOver } = request;
  const { sessionId: session, protocol, address, agent = "" } = access;
  const facts = { session, protocol, address, agent };
  const isGone = (): boolean => signal.aborted || isOver();
  const refuse = (reason: PlayRefusal, detail: string, more?: Pick<PlayRefused, "code" | "redirect">): PlayRefused => {
    notePlayRefusal(ports, reason, { ...facts, key: key ?? request.asked, detail });
    return { answer: "refused", reason, detail, ...more };
  };
  if (isGone()) return GONE;
  if (key === undefined) return refuse("name", "No stream can have this name");
  const reserved = reservedReason("play", key);
  if (reserved !== undefined) return refuse("name", reserved);
  if (ports.draining.aborted) return refuse("stopping", STOPPING);
  if (!request.mayPlay) return refuse("origin", "Web pages of this origin may not play");
  const verdict = await ports.guard.decide({ ...access, action: "play", app: applicationOf(key), key }, signal);
  if (!verdict.allow && isGone()) return GONE;
  if (!verdict.allow) {
    const { code, reason } = verdict;
    return code === "redirected"
      ? refuse("redirected", reason, { redirect: verdict.redirect })
      : refuse("guard", reason, { code });
  }
  const { grant } = verdict;
  if (isGone()) {
    grant.end("given-up");
    return GONE;
  }
  const others = request.others();
  const obstacle = obstacleTo(key, request, others, ports);
  const stream = obstacle === undefined ? ports.streams.acquire(key) : undefined;
  if (stream === undefined) {
    const [reason, detail] = obstacle ?? TOO_MANY_WAITED_FOR;
    grant.end(reason);
    return refuse(reason, detail);
  }
  const sharing = others.some((other) => other.key === key) ? "alone" : "cohort";
  return { answer: "allowed", viewer: new Viewer({ ports, facts: { ...facts, key }, stream, grant, sharing }) };
}

type Obstacle = readonly [PlayRefusal, string];

const TOO_MANY_WAITED_FOR: Obstacle = ["limit", "The server has reached its limit of streams that are waited for"];

/** What the stream's absence, or the connection's other plays, stand against. */
function obstacleTo(
  key: StreamKey,
  request: PlayRequest,
  others: readonly Viewer[],
  ports: SessionPorts,
): Obstacle | undefined {
  const { limits, streams } = ports;
  const isPublished = streams.isPublished(key);
  const mayWait = request.mayWait && waitOf(ports, { key, protocol: request.access.protocol }) !== 0;
  if (!isPublished && !mayWait) return ["not-found", `The stream "${key}" has no publisher`];
  if (others.filter((other) => other.key === key).length >= limits.viewsPerConnection)
    return ["limit", "The connection has reached its limit of plays of one stream"];
  if (!isPublished && others.filter(({ isWaiting }) => isWaiting).length >= limits.waitsPerConnection)
    return ["limit", "The connection has reached its limit of streams that it waits for"];
  return undefined;
}

/** As the configuration says now. */
function waitOf(ports: SessionPorts, { key, protocol }: Pick<ViewerFacts, "key" | "protocol">): Millis | "forever" {
  const { playWait } = ports.policyOf(applicationOf(key));
  return protocol === "http-flv" || protocol === "ws-flv" ? playWait.http : playWait.rtmp;
}

export class Viewer {
  readonly facts: ViewerFacts;
  readonly stream: LiveStream;
  readonly #ports: SessionPorts;
  readonly #grant: Grant;
  readonly #sharing: "cohort" | "alone";
  #subscriber: Subscriber | undefined;
  /** When the stream was last seen published, or the beginning. */
  #lastPublishedAt: Millis;
  #bytesOut: () => number = () => 0;
  #hasLeft = false;

  constructor(options: {
    readonly ports: SessionPorts;
    readonly facts: ViewerFacts;
    readonly stream: LiveStream;
    readonly grant: Grant;
    /** See `LiveStream.subscribe`. */
    readonly sharing: "cohort" | "alone";
  }) {
    this.#ports = options.ports;
    this.facts = options.facts;
    this.stream = options.stream;
    this.#grant = options.grant;
    this.#sharing = options.sharing;
    this.#lastPublishedAt = options.ports.clock.now();
  }

  get key(): StreamKey {
    return this.facts.key;
  }

  get isLagging(): boolean {
    return this.#subscriber?.isLagging ?? false;
  }

  get skips(): number {
    return this.#subscriber?.skips ?? 0;
  }

  /** Its stream has no publisher. */
  get isWaiting(): boolean {
    return !this.#ports.streams.isPublished(this.key);
  }

  /** It has waited longer for a publisher than its application allows; to be asked about once a second. */
  isOverdue(now: Millis): boolean {
    if (!this.isWaiting) this.#lastPublishedAt = now;
    const wait = waitOf(this.#ports, this.facts);
    return wait !== "forever" && now - this.#lastPublishedAt > wait;
  }

  /** Subscribes, from the cached GOP on. A refusal ends it; `undefined` means that it plays. */
  begin(options: {
    readonly sink: SubscriberSink;
    readonly form: WireForm;
    readonly isPatient: boolean;
    /** Counts what was sent, for the report of the end. */
    readonly socket: { readonly bytesWritten: number };
  }): PlayRefused | undefined {
    const { sink, form, isPatient, socket } = options;
    const before = socket.bytesWritten;
    this.#bytesOut = () => socket.bytesWritten - before;
    const sharing = this.#sharing;
    this.#subscriber = this.stream.subscribe({ sink, form, isPatient, sharing, startAt: "cached-gop" });
    if (this.#subscriber !== undefined) return undefined;
    const detail = "The stream has reached its viewer limit";
    this.end("limit");
    notePlayRefusal(this.#ports, "limit", { ...this.facts, detail });
    return { answer: "refused", reason: "limit", detail };
  }

  switchForm(form: WireForm, startAt: "live-edge" | "next-key"): void {
    if (this.#subscriber !== undefined) this.stream.switchForm(this.#subscriber, form, startAt);
  }

  setPatience(isPatient: boolean): void {
    if (this.#subscriber !== undefined) this.stream.setPatience(this.#subscriber, isPatient);
  }

  /** Leaves the stream; the end is not reported yet, as bytes may still be on their way. */
  leave(): void {
    if (this.#subscriber !== undefined) this.stream.unsubscribe(this.#subscriber);
    this.#subscriber = undefined;
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#ports.streams.release(this.key);
  }

  /** Leaves and reports; the first call counts. @param reason  in words of the log */
  end(reason: string): void {
    this.leave();
    this.#grant.end(reason, { bytesIn: 0, bytesOut: this.#bytesOut() });
  }
}
