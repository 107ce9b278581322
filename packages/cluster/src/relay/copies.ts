/** All copies that this node gives: who may have one, by stream and by link, and what they have queued and sent. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import type { Channel } from "@sluice/mesh/channel";
import type { MeshLink } from "@sluice/mesh/mesh";
import { Copy, CopyCounts } from "./copy.ts";
import { FrameEncoder } from "./frame-form.ts";
import { RELAY_LIMITS } from "./limits.ts";
import { decodeRequest, type StreamRequest, WANTED } from "./messages.ts";

export interface CopiesOptions {
  readonly self: string;
  readonly clock: Clock;
  readonly isShared: (key: StreamKey) => boolean;
  readonly isLeaving: () => boolean;
  readonly isHot: () => boolean;
  /** A copy was asked for. */
  readonly opened: (copy: Copy) => void;
  /** It is closed and forgotten. */
  readonly gone: (copy: Copy) => void;
}

/** Copies of one stream. */
interface Served {
  readonly encoder: FrameEncoder;
  readonly copies: Set<Copy>;
}

/** Copies over one link, and a recent sum of what they have queued. */
interface LinkLoad {
  readonly copies: Set<Copy>;
  bytes: number;
  at: Millis;
}

/** How old the sum may be. */
const SUM_EVERY = 50 as Millis;
/** Nodes that a hot node names. */
const NAMED_NODES = 4;

export class Copies {
  readonly #options: CopiesOptions;
  readonly #byChannel = new Map<Channel, Copy>();
  readonly #served = new Map<StreamKey, Served>();
  readonly #loads = new Map<MeshLink, LinkLoad>();
  /** Of copies that ended. */
  readonly #ended = new CopyCounts();

  constructor(options: CopiesOptions) {
    this.#options = options;
  }

  all(): Iterable<Copy> {
    return this.#byChannel.values();
  }

  find(channel: Channel): Copy | undefined {
    return this.#byChannel.get(channel);
  }

  of(key: StreamKey): Iterable<Copy> {
    return this.#served.get(key)?.copies ?? [];
  }

  /** Of all copies since the start. */
  totals(): CopyCounts {
    const sum = new CopyCounts();
    sum.add(this.#ended);
    for (const { counts } of this.all()) sum.add(counts);
    return sum;
  }

  /** Another node asks for a stream. @throws {WireError} */
  open(link: MeshLink, channel: Channel, greeting: Uint8Array): void {
    const request = decodeRequest(greeting);
    const key = findStreamKey(request.key);
    const refusal = this.#refusalOf(link, request);
    if (key === undefined || key !== request.key || refusal !== undefined)
      return channel.close("refused", refusal ?? "no stream can have this key");
    for (const copy of [...this.of(key)]) if (copy.node === link.peer.id) this.forget(copy); // never two for one node
    const copy = this.#add(key, { link, channel, waiting: request.waiting });
    if ((request.wanted & WANTED.insist) === 0 && this.#refers(copy)) return;
    this.#options.opened(copy);
  }

  /** Closes it. May be called twice. */
  forget(copy: Copy): void {
    copy.close();
    if (!this.#byChannel.delete(copy.channel)) return;
    this.#ended.add(copy.counts);
    const served = this.#served.get(copy.key);
    served?.copies.delete(copy);
    if (served?.copies.size === 0) this.#served.delete(copy.key);
    const load = this.#loads.get(copy.link);
    load?.copies.delete(copy);
    if (load?.copies.size === 0) this.#loads.delete(copy.link);
    this.#options.gone(copy);
  }

  /** The link is gone, without a word about its channels where another one replaced it. */
  linkDown(link: MeshLink): void {
    for (const copy of [...(this.#loads.get(link)?.copies ?? [])]) this.forget(copy);
  }

  #add(key: StreamKey, of: { link: MeshLink; channel: Channel; waiting: readonly string[] }): Copy {
    const { clock, isLeaving } = this.#options;
    const served = this.#served.get(key) ?? { encoder: new FrameEncoder(), copies: new Set() };
    const load = this.#loads.get(of.link) ?? { copies: new Set(), bytes: 0, at: clock.now() };
    this.#served.set(key, served);
    this.#loads.set(of.link, load);
    const { encoder } = served;
    const copy = new Copy({ ...of, key, encoder, isLeaving, clock, linkBytes: () => this.#sumOf(load) });
    served.copies.add(copy);
    load.copies.add(copy);
    this.#byChannel.set(of.channel, copy);
    return copy;
  }

  #refusalOf(link: MeshLink, { form, key, waiting }: StreamRequest): string | undefined {
    const { self, isShared } = this.#options;
    const { streamsPerLink, pathNodes } = RELAY_LIMITS;
    if (form < 1) return "no common form of frames";
    if (waiting[0] !== link.peer.id || waiting.includes(self)) return `node ${self} waits for the stream itself`;
    if (waiting.length >= pathNodes) return `the path is longer than ${pathNodes} nodes`;
    if (!isShared(key as StreamKey)) return "the application is not shared";
    const count = this.#loads.get(link)?.copies.size ?? 0;
    return count < streamsPerLink ? undefined : `${count} streams are given over this link, which is the limit`;
  }

  /** A hot node that has given the stream to others names them instead of giving it once more. */
  #refers(copy: Copy): boolean {
    if (!this.#options.isHot()) return false;
    const others = [...this.of(copy.key)].filter((other) => other !== copy && other.isFlowing);
    const nodes = others.map(({ node }) => node).filter((node) => !copy.waiting.includes(node));
    if (nodes.length === 0) return false;
    copy.refer(nodes.slice(0, NAMED_NODES));
    this.forget(copy);
    return true;
  }

  #sumOf(load: LinkLoad): number {
    const now = this.#options.clock.now();
    if (now - load.at < SUM_EVERY) return load.bytes;
    load.at = now;
    load.bytes = 0;
    for (const { channel } of load.copies) load.bytes += channel.queuedBytes;
    return load.bytes;
  }
}
