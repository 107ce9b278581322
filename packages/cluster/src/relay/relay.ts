/** Streams between this node and others: takes those that its viewers want, and gives those that other nodes want. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { PublishPolicy, RemoteStreams, StreamDirectory } from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Channel } from "@sluice/mesh/channel";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import type { LinkService } from "@sluice/mesh/link-services";
import type { LinkEnd, MeshLink } from "@sluice/mesh/mesh";
import type { Directory } from "../directory/directory.ts";
import { Copies } from "./copies.ts";
import type { Copy, CopyCounts } from "./copy.ts";
import { RELAY_TIMINGS } from "./limits.ts";
import { Mirror, type MirrorSource, RELAY_SERVICE } from "./mirror.ts";
import { hasDirectSource, type StreamHome } from "./sources.ts";

export interface RelayOptions {
  readonly self: string;
  readonly streams: StreamDirectory;
  readonly clock: Clock;
  /** Whether streams of this application are shared with other nodes. */
  readonly isShared: (key: StreamKey) => boolean;
  /** How long viewers of a stream are kept while no node gives it. */
  readonly graceOf: (key: StreamKey) => Millis;
  /** Ids of nodes that are asked before a stream's home, the first first. */
  readonly from: (key: StreamKey, home: StreamHome) => readonly string[];
  /** Asks a linked node to give up a stream of its own for a publisher of this one. */
  readonly askHolder: (node: string, key: StreamKey, policy: PublishPolicy) => Promise<"free" | "taken">;
  /** A publication of this node began or ended. */
  readonly publisherChanged?: (key: StreamKey) => void;
  /** The node is stopping: its publishers may come back at another one, so that the ends of publications are kept to itself. */
  readonly isLeaving: () => boolean;
  /** Whether this node is so busy that others should give its streams. */
  readonly isHot: () => boolean;
}

/** Add it to the node's `LinkServices`, and let the node's streams follow it. */
export class Relay implements LinkService, RemoteStreams, Disposable {
  readonly names = [RELAY_SERVICE];
  readonly #options: RelayOptions;
  readonly #links = new Map<string, MeshLink>();
  readonly #mirrors = new Map<StreamKey, Mirror>();
  readonly #mirrorAt = new Map<Channel, Mirror>();
  readonly #copies: Copies;
  #directory: Pick<Directory, "findHome"> | undefined;
  #following: Disposable | undefined;
  #watching: Timer | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#copies = new Copies({
      ...options,
      opened: (copy) => this.#serve(copy),
      gone: (copy) => this.#mirrors.get(copy.key)?.removeTaker(copy),
    });
  }

  /** The directory is open: from now on it is known where streams are. */
  follow(directory: Pick<Directory, "findHome" | "onHome">): void {
    this.#directory = directory;
    this.#following = directory.onHome("stream", (key) => this.#homeChanged(key as StreamKey));
    for (const mirror of [...this.#mirrors.values()]) mirror.homeChanged();
  }

  get mirrors(): Iterable<Mirror> {
    return this.#mirrors.values();
  }

  get copies(): Iterable<Copy> {
    return this.#copies.all();
  }

  /** Of all copies since the start. */
  totals(): CopyCounts {
    return this.#copies.totals();
  }

  findMirror(key: StreamKey): Mirror | undefined {
    return this.#mirrors.get(key);
  }

  copiesOf(key: StreamKey): Iterable<Copy> {
    return this.#copies.of(key);
  }

  /** A publisher of this node, or the node that this one has it from. */
  sourceOf(key: StreamKey): MirrorSource | undefined {
    const { streams, self } = this.#options;
    const stream = streams.findEntry(key)?.stream;
    const state = streams.ownState(key);
    // In its grace window the stream may have gone on at another node.
    const isOwn = state === "live" || (state === "grace" && (this.homeOf(key)?.publisherAt ?? self) === self);
    if (!isOwn || stream === undefined) return this.#mirrors.get(key)?.source;
    return { publication: stream.publication, path: [self] };
  }

  /** As the directory says; undefined while nobody publishes it. */
  homeOf(key: StreamKey): StreamHome | undefined {
    return this.#directory?.findHome("stream", key);
  }

  // Of the node's streams.

  has(key: StreamKey): boolean {
    const home = this.#options.isShared(key) ? this.homeOf(key) : undefined;
    return home !== undefined && home.publisherAt !== this.#options.self;
  }

  want(key: StreamKey): void {
    if (this.#options.isShared(key)) this.#mirrorOf(key).setViewers(true);
  }

  unwant(key: StreamKey): void {
    this.#mirrors.get(key)?.setViewers(false);
  }

  async askHolder(key: StreamKey, policy: PublishPolicy): Promise<"free" | "taken"> {
    const node = this.has(key) ? this.homeOf(key)?.publisherAt : undefined;
    // Without a link nobody can be asked: the claim waits until that node's lease has run out.
    return node === undefined || !this.#links.has(node) ? "free" : this.#options.askHolder(node, key, policy);
  }

  publisherChanged(key: StreamKey): void {
    this.#options.publisherChanged?.(key);
    this.#mirrors.get(key)?.homeChanged();
    this.#sourceChanged(key);
  }

  // Of the links.

  up(link: MeshLink): void {
    this.#links.set(link.peer.id, link);
    for (const mirror of [...this.#mirrors.values()]) mirror.linksChanged();
  }

  happened(link: MeshLink, event: ChannelEvent): void {
    const { channel } = event;
    if (event.type === "opened") return this.#copies.open(link, channel, event.greeting);
    const copy = this.#copies.find(channel);
    if (copy !== undefined) return event.type === "closed" ? this.#copies.forget(copy) : undefined;
    const mirror = this.#mirrorAt.get(channel);
    if (event.type === "message") mirror?.message(channel, event.message);
    if (event.type === "closed") mirror?.closed(channel);
  }

  down(link: MeshLink, _why: LinkEnd): void {
    if (this.#links.get(link.peer.id) === link) this.#links.delete(link.peer.id);
    this.#copies.linkDown(link);
    for (const mirror of [...this.#mirrors.values()]) mirror.linkLost(link);
  }

  [Symbol.dispose](): void {
    this.#following?.[Symbol.dispose]();
    this.#watching?.cancel();
    for (const copy of [...this.copies]) this.#copies.forget(copy);
    for (const mirror of [...this.#mirrors.values()]) mirror.close();
  }

  #from(key: StreamKey): readonly string[] {
    const home = this.homeOf(key);
    return home === undefined ? [] : this.#options.from(key, home);
  }

  #mirrorOf(key: StreamKey): Mirror {
    const known = this.#mirrors.get(key);
    if (known !== undefined) return known;
    const { self, streams, clock, graceOf } = this.#options;
    const mirror = new Mirror({
      ...{ key, self, streams, clock, links: this.#links },
      from: () => this.#from(key),
      grace: graceOf(key),
      channels: this.#mirrorAt,
      home: () => this.homeOf(key),
      changed: () => this.#sourceChanged(key),
      gone: () => void this.#mirrors.delete(key),
    });
    this.#mirrors.set(key, mirror);
    this.#watch();
    return mirror;
  }

  /** While there are mirrors: looks for sources that stand still. */
  #watch(): void {
    const { clock } = this.#options;
    const due = clock.now() + RELAY_TIMINGS.lookEvery;
    this.#watching ??= clock.after(RELAY_TIMINGS.lookEvery, () => {
      this.#watching = undefined;
      const now = clock.now();
      // When late, this process itself stood still: what came meanwhile is not read yet.
      if (now < due + RELAY_TIMINGS.lookEvery)
        for (const mirror of [...this.#mirrors.values()]) mirror.checkSilence(now);
      if (this.#mirrors.size > 0) this.#watch();
    });
  }

  #serve(copy: Copy): void {
    const { key } = copy;
    const source = this.sourceOf(key);
    const stream = this.#options.streams.findEntry(key)?.stream;
    if (source !== undefined && stream !== undefined) {
      if (source.path.length > 1) this.#mirrors.get(key)?.addTaker(copy, copy.waiting);
      if (!source.path.includes(copy.node)) return copy.start(stream, source);
      copy.close("refused", "this node has the stream from the one that asks");
      return this.#copies.forget(copy);
    }
    copy.wait();
    this.#want(copy);
  }

  /** Gets the stream for the node that asks, where this one can. */
  #want(copy: Copy): void {
    const { key } = copy;
    const { self } = this.#options;
    const home = this.homeOf(key);
    if (home === undefined || home.publisherAt === self) return; // the asker knows more, or less: it hears of it
    const isLinked = (id: string): boolean => this.#links.has(id) && !copy.waiting.includes(id);
    if (hasDirectSource({ self, home, isLinked }) || this.#from(key).some(isLinked) || home.home === self)
      return this.#mirrorOf(key).addTaker(copy, copy.waiting);
    copy.close("refused", "this node has no link to the stream either");
    this.#copies.forget(copy);
  }

  /** Nodes that asked before this one knew of a home are served now. */
  #homeChanged(key: StreamKey): void {
    this.#mirrors.get(key)?.homeChanged();
    for (const copy of [...this.copiesOf(key)]) if (!copy.isFlowing) this.#serve(copy);
  }

  #sourceChanged(key: StreamKey): void {
    for (const copy of [...this.copiesOf(key)]) this.#serve(copy);
  }
}
