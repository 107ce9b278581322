/** The channels of the state engine on a node's links: opens them as a client, and passes a peer's to the host of this node. */
import type { Channel, ChannelClass } from "@sluice/mesh/channel";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import type { LinkService } from "@sluice/mesh/link-services";
import type { LinkEnd, MeshLink } from "@sluice/mesh/mesh";
import { OwnChannel, type OwnChannelEvent } from "./own-channel.ts";

/** Questions and answers (`Requests`); version 1 of the service. */
export const CALLS_SERVICE = "engine";
/** Changes and messages from the host, subjects from the client; version 1 of the service. */
export const FEED_SERVICE = "engine-feed";

export type EngineService = typeof CALLS_SERVICE | typeof FEED_SERVICE;

/** Receives the events of one channel. */
export interface ChannelUser {
  /** The user owns the message. @throws {WireError} which ends the link */
  message(message: Uint8Array): void;
  /** There is room again after `full`. */
  drained(): void;
  /** Once, last, whichever side closed it. */
  closed(reason: string): void;
}

/** Serves the channels that peers open here. */
export interface EngineChannelHost {
  opened(peer: string, channel: Channel): ChannelUser;
}

/** Add it to the node's `LinkServices`. A node may be client and host at once, or change between them. */
export class EngineLinks implements LinkService {
  readonly names: readonly EngineService[] = [CALLS_SERVICE, FEED_SERVICE];
  readonly self: string;
  readonly #links = new Map<string, MeshLink>();
  readonly #users = new Map<Channel, ChannelUser>();
  readonly #onLinked = new Set<() => void>();
  #host: EngineChannelHost | undefined;

  /** @param self  id of this node, which may be a client of its own host */
  constructor(self: string) {
    this.self = self;
  }

  /** For this node's own id: whether it has a host. */
  isLinked(id: string): boolean {
    return id === this.self ? this.#host !== undefined : this.#links.has(id);
  }

  /** Calls `listener` whenever a link is established or this node gets a host. */
  onLinked(listener: () => void): Disposable {
    this.#onLinked.add(listener);
    return { [Symbol.dispose]: () => void this.#onLinked.delete(listener) };
  }

  /** Serves peers from now on; peers that were refused before try again. */
  serve(host: EngineChannelHost): Disposable {
    this.#host = host;
    this.#tellLinked();
    return {
      [Symbol.dispose]: () => {
        if (this.#host === host) this.#host = undefined;
      },
    };
  }

  /** Undefined without a link, or when the link has reached its limit of channels. */
  open(id: string, service: EngineService, user: ChannelUser): Channel | undefined {
    if (id === this.self) return this.#openOwn(service, user);
    const link = this.#links.get(id)?.driver.link;
    if (link === undefined) return undefined;
    try {
      const channel = link.openChannel(service, { class: CLASS });
      this.#users.set(channel, user);
      return channel;
    } catch {
      return undefined;
    }
  }

  /** Ends a channel from this side: its user receives no further event. */
  close(channel: Channel, code: "done" | "failed" = "done", reason = ""): void {
    this.#users.delete(channel);
    channel.close(code, reason);
  }

  up(link: MeshLink): void {
    this.#links.set(link.peer.id, link);
    this.#tellLinked();
  }

  happened(link: MeshLink, event: ChannelEvent): void {
    if (event.type !== "opened") return this.#onChannel(event);
    const { channel } = event;
    if (this.#host === undefined) channel.close("refused", "this node has no copy of the engine's data");
    else this.#users.set(channel, this.#host.opened(link.peer.id, channel));
  }

  down(link: MeshLink, _why: LinkEnd): void {
    if (this.#links.get(link.peer.id) === link) this.#links.delete(link.peer.id);
  }

  #onChannel(event: OwnChannelEvent): void {
    const { channel } = event;
    switch (event.type) {
      case "message":
        return this.#users.get(channel)?.message(event.message);
      case "drained":
        return this.#users.get(channel)?.drained();
      case "closed": {
        const user = this.#users.get(channel);
        this.#users.delete(channel);
        return user?.closed(event.reason);
      }
    }
  }

  #openOwn(service: EngineService, user: ChannelUser): Channel | undefined {
    if (this.#host === undefined) return undefined;
    const { near, far } = new OwnChannel({ service, class: CLASS, happened: (event) => this.#onChannel(event) });
    this.#users.set(near, user);
    this.#users.set(far, this.#host.opened(this.self, far));
    return near;
  }

  #tellLinked(): void {
    for (const listener of this.#onLinked) listener();
  }
}

const CLASS: ChannelClass = "state";
