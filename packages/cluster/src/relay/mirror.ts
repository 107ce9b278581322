/** A stream of another node: asks one node at a time for it, follows its home, and looks elsewhere when the source is lost. */
import type { PublicationId } from "@sluice/media/frame";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { MirroredStream, StreamDirectory } from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";

import { ChannelStateError } from "@sluice/mesh/errors";
import type { Channel } from "@sluice/mesh/channel";
import type { MeshLink } from "@sluice/mesh/mesh";
import { decodeFrame, FRAME_MESSAGE } from "./frame-form.ts";
import { RELAY_LIMITS, RELAY_TIMINGS } from "./limits.ts";
import { ALL_KINDS, decodeAnswer, encodeRequest, FRAME_FORM, type StreamAnswer, WANTED } from "./messages.ts";
import { SourceChoice } from "./source-choice.ts";
import type { StreamHome } from "./sources.ts";

/** Service of the channels of streams: one for each stream and node that takes it. */
export const RELAY_SERVICE = "stream";

/** Publications that a mirror remembers. */
const REMEMBERED = 8;

/** Where a mirror has its stream from. */
export interface MirrorSource {
  readonly publication: PublicationId;
  /** Nodes from this one to the one with the publisher. */
  readonly path: readonly string[];
}

export interface MirrorOptions {
  readonly key: StreamKey;
  readonly self: string;
  readonly streams: Pick<StreamDirectory, "ownState" | "openMirror">;
  /** How long viewers are kept without a source. */
  readonly grace: Millis;
  readonly home: () => StreamHome | undefined;
  readonly links: ReadonlyMap<string, MeshLink>;
  /** Nodes to ask before the home. */
  readonly from: () => readonly string[];
  /** The channel of each mirror, kept by the mirrors. */
  readonly channels: Map<Channel, Mirror>;
  readonly clock: Clock;
  /** A source was found or lost, or its path changed. */
  readonly changed: () => void;
  /** Nobody wants it any more. */
  readonly gone: () => void;
}

interface Upstream {
  readonly node: string;
  readonly link: MeshLink;
  readonly channel: Channel;
  /** None that should have the stream was linked. */
  readonly isDetour: boolean;
  /** `asked`: no answer yet; `waiting`: the node has no source. */
  at: "asked" | "waiting" | "live";
  source: MirrorSource | undefined;
}

export class Mirror {
  readonly #options: MirrorOptions;
  readonly #choice: SourceChoice;
  /** Nodes that take it from this one, with those that wait behind them. */
  readonly #takers = new Map<object, readonly string[]>();
  /** The last ones that were taken, the present one last: a node that woke up may still give an earlier one. */
  #publications: readonly PublicationId[] = [];
  #hasViewers = false;
  #upstream: Upstream | undefined;
  #local: MirroredStream | undefined;
  /** What the directory said when the upstream was asked. */
  #askedFor: StreamHome | undefined;
  #timer: Timer | undefined;
  #lingering: Timer | undefined;
  #isDeliveryDue = false;
  #isClosed = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#choice = new SourceChoice(options);
  }

  get key(): StreamKey {
    return this.#options.key;
  }

  /** Undefined while no node gives it. */
  get source(): MirrorSource | undefined {
    return this.#upstream?.at === "live" ? this.#upstream.source : undefined;
  }

  /** The node that is asked or gives it. */
  get upstream(): Pick<Upstream, "node" | "channel" | "at"> | undefined {
    return this.#upstream;
  }

  /** Viewers of this node want it, or no longer do. */
  setViewers(hasViewers: boolean): void {
    this.#hasViewers = hasViewers;
    this.#wantsChanged();
  }

  /** Another node wants it. @param waiting  that node and those behind it */
  addTaker(taker: object, waiting: readonly string[]): void {
    this.#takers.set(taker, waiting);
    this.#wantsChanged();
  }

  removeTaker(taker: object): void {
    if (this.#takers.delete(taker)) this.#wantsChanged();
  }

  /** The stream has another home, or a publisher, or none: an upstream that is no source any more is left. */
  homeChanged(): void {
    const { home, self, streams, key } = this.#options;
    const now = home();
    if (streams.ownState(key) === "live" || now?.publisherAt === self) return this.#leave();
    const isSame = now?.home === this.#askedFor?.home && now?.publisherAt === this.#askedFor?.publisherAt;
    if (isSame && this.#upstream !== undefined) return;
    this.#choice.forgive();
    const [best] = this.#sources();
    if (this.#upstream?.at === "live" && best === undefined) return; // it flows, whatever the directory says
    if (this.#upstream?.node !== best) this.#leave();
    this.#look();
  }

  /** There is a link more: it may lead to a source, or end a detour. */
  linksChanged(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) this.#look();
    else if (upstream.at !== "live") this.#lookAfter(RELAY_TIMINGS.patience);
    else if (upstream.isDetour) this.#lookAfter(RELAY_TIMINGS.steady);
  }

  /** @throws {WireError} */
  message(channel: Channel, message: Uint8Array): void {
    const upstream = this.#upstream;
    if (upstream?.channel !== channel) return;
    if (message[0] === FRAME_MESSAGE) return this.#frame(upstream, message);
    const answer = decodeAnswer(message);
    if (answer !== undefined) this.#answered(upstream, answer);
  }

  /** Closed by its node, or lost with its link. */
  closed(channel: Channel): void {
    const upstream = this.#upstream;
    if (upstream?.channel !== channel) return;
    this.#choice.refuse(upstream.node);
    this.#forget();
    this.#look();
  }

  /** Leaves a source that stands still, if another one can be asked. */
  checkSilence(now: Millis): void {
    const upstream = this.#upstream;
    const silence = upstream?.link.driver.link?.silentFor(now) ?? 0;
    if (upstream?.at !== "live" || silence < RELAY_TIMINGS.silence) return;
    if (this.#sources().every((node) => node === upstream.node)) return;
    this.#choice.refuse(upstream.node);
    this.#leave();
    this.#look();
  }

  /** The link is gone, without a word about its channels where another one replaced it. */
  linkLost(link: MeshLink): void {
    if (this.#upstream?.link === link) this.closed(this.#upstream.channel);
  }

  /** May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave();
    this.#lingering?.cancel();
    this.#local?.[Symbol.dispose]();
    this.#local = undefined;
    this.#options.gone();
  }

  get #isWanted(): boolean {
    return this.#hasViewers || this.#takers.size > 0;
  }

  /** Sources flow on for a while without viewers; what only waits ends at once. */
  #wantsChanged(): void {
    if (this.#isClosed) return;
    if (this.#isWanted) {
      this.#lingering?.cancel();
      this.#lingering = undefined;
      if (this.#upstream === undefined) this.#look();
    } else if (this.#upstream?.at !== "live") this.close();
    else this.#lingering ??= this.#options.clock.after(RELAY_TIMINGS.linger, () => this.close());
  }

  /** Nodes that wait for the stream through this one. */
  get #waiting(): readonly string[] {
    return [...this.#takers.values()].flat();
  }

  #sources(): readonly string[] {
    return this.#choice.nodes(this.#waiting);
  }

  /** Asks the best node that has not refused, or waits until one may be asked again. */
  #look(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isClosed || this.#upstream !== undefined || !this.#isWanted) return;
    if (this.#options.streams.ownState(this.key) === "live") return;
    for (let next = this.#choice.next(this.#waiting); next !== undefined; next = this.#choice.next(this.#waiting)) {
      if ("after" in next) return this.#lookAfter(next.after);
      if (this.#ask(next.node)) return;
      this.#choice.refuse(next.node);
    }
  }

  #lookAfter(delay: Millis): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delay, () => this.#lookAgain());
  }

  /** A node that has no source yet is left only where another one can be asked. */
  #lookAgain(): void {
    const upstream = this.#upstream;
    if (upstream?.at === "live") {
      if (!upstream.isDetour || this.#sources().every((node) => this.#choice.isDetour(node))) return;
    } else if (upstream !== undefined) {
      if (this.#sources().every((node) => node === upstream.node)) return;
      this.#choice.refuse(upstream.node);
    }
    if (upstream !== undefined) this.#leave();
    this.#look();
  }

  #ask(node: string): boolean {
    const { self, links, key, channels } = this.#options;
    const link = links.get(node);
    const waiting = [...new Set([self, ...(this.#takers.values().next().value ?? [])])];
    if (link === undefined || waiting.length >= RELAY_LIMITS.pathNodes) return false;
    const wanted = ALL_KINDS | (this.#choice.insistsOn(node) ? WANTED.insist : 0);
    const channel = opened(link, encodeRequest({ form: FRAME_FORM, wanted, key, waiting }));
    if (channel === undefined) return false;
    this.#upstream = { node, link, channel, isDetour: this.#choice.isDetour(node), at: "asked", source: undefined };
    channels.set(channel, this);
    this.#askedFor = this.#options.home();
    this.#lookAfter(RELAY_TIMINGS.patience);
    return true;
  }

  #answered(upstream: Upstream, answer: StreamAnswer): void {
    switch (answer.type) {
      case "source":
        return this.#found(upstream, answer);
      case "waiting":
        this.#lost();
        upstream.at = "waiting";
        return this.#lookAfter(RELAY_TIMINGS.patience);
      case "unpublished":
        upstream.at = "waiting";
        this.#local?.ended();
        this.#options.changed();
        if (!this.#isWanted) this.close();
        return;
      case "elsewhere":
        this.#choice.name(answer.nodes);
    }
  }

  /** Paths through this node would be loops. */
  #found(upstream: Upstream, { path, publication, form }: Extract<StreamAnswer, { type: "source" }>): void {
    const { self, streams, key, grace } = this.#options;
    const isLoop = path.includes(self) || path.length >= RELAY_LIMITS.pathNodes;
    const isUsable = !isLoop && form === FRAME_FORM && this.#isTrue(upstream, publication);
    if (isUsable) this.#local ??= streams.openMirror(key, grace);
    if (!isUsable || this.#local === undefined) {
      this.#choice.refuse(upstream.node);
      this.#leave();
      return this.#look();
    }
    upstream.source = { publication, path: [self, ...path] };
    upstream.at = "live";
    this.#timer?.cancel();
    this.#choice.found();
    this.#local.begin(path.at(-1) ?? upstream.node);
    this.#options.changed();
  }

  #frame(upstream: Upstream, message: Uint8Array): void {
    const frame = decodeFrame(message);
    if (upstream.at !== "live" || this.#local === undefined) return;
    if (frame.publication !== upstream.source?.publication) return;
    this.#local.stream.take(frame);
    if (this.#isDeliveryDue) return;
    this.#isDeliveryDue = true; // once for all frames that have arrived
    this.#options.clock.afterPoll(() => {
      this.#isDeliveryDue = false;
      this.#local?.stream.deliver();
    });
  }

  /** A node in between may not know yet that its publication is over. */
  #isTrue({ node }: Upstream, publication: PublicationId): boolean {
    const home = this.#options.home();
    const isBetween = home !== undefined && home.home !== node && home.publisherAt !== node;
    return (!isBetween || home.publication === publication) && this.#isCurrent(publication);
  }

  /** Whether it is the publication that is taken, or a new one, which is taken from now on. */
  #isCurrent(publication: PublicationId): boolean {
    if (publication === this.#publications.at(-1)) return true;
    if (this.#publications.includes(publication)) return false;
    this.#publications = [...this.#publications.slice(1 - REMEMBERED), publication];
    return true;
  }

  /** Viewers are kept for the grace window of their application. */
  #lost(): void {
    if (this.#upstream?.at !== "live") return;
    this.#upstream.at = "waiting";
    this.#local?.lost();
    this.#options.changed();
  }

  #leave(): void {
    this.#upstream?.channel.close();
    this.#forget();
  }

  #forget(): void {
    this.#lost();
    if (this.#upstream !== undefined) this.#options.channels.delete(this.#upstream.channel);
    this.#upstream = undefined;
    this.#timer?.cancel();
  }
}

/** Undefined where the link has ended, or has its limit of channels. */
function opened(link: MeshLink, greeting: Uint8Array): Channel | undefined {
  try {
    return link.driver.link?.openChannel(RELAY_SERVICE, { class: "media", greeting });
  } catch (error) {
    if (error instanceof ChannelStateError) return undefined;
    throw error;
  }
}
