/** The channels of the state engine on a node's links: opens them as a client, hands a peer's to the host of this node. */
import type { Channel, ChannelClass } from "@sluice/mesh/channel";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import type { LinkService } from "@sluice/mesh/link-services";
import type { LinkEnd, MeshLink } from "@sluice/mesh/mesh";

/** Questions and answers (`Requests`); version 1 of the service. */
export const CALLS_SERVICE = "engine";
/** Changes and messages from the host, subjects from the client; version 1 of the service. */
export const FEED_SERVICE = "engine-feed";

export type EngineService = typeof CALLS_SERVICE | typeof FEED_SERVICE;

/** Told what happens on one channel. */
export interface ChannelUser {
  /** The message belongs to it. @throws {WireError} which ends the link */
  message(message: Uint8Array): void;
  /** There is room again after `full`. */
  drained(): void;
  /** Once, last, whoever closed it first. */
  closed(reason: string): void;
}

/** Serves what peers open here. */
export interface EngineChannelHost {
  opened(peer: string, channel: Channel): ChannelUser;
}

/** Add it to the node's `LinkServices`. A node may be a client and a host, and change from one to the other. */
export class EngineLinks implements LinkService {
  readonly names: readonly EngineService[] = [CALLS_SERVICE, FEED_SERVICE];
  readonly #links = new Map<string, MeshLink>();
  readonly #users = new Map<Channel, ChannelUser>();
  readonly #onLinked = new Set<() => void>();
  #host: EngineChannelHost | undefined;

  isLinked(id: string): boolean {
    return this.#links.has(id);
  }

  /** Calls `listener` whenever a link has come about. */
  onLinked(listener: () => void): Disposable {
    this.#onLinked.add(listener);
    return { [Symbol.dispose]: () => void this.#onLinked.delete(listener) };
  }

  /** Peers are served from now on; those that asked before were refused, and ask again. */
  serve(host: EngineChannelHost): Disposable {
    this.#host = host;
    return {
      [Symbol.dispose]: () => {
        if (this.#host === host) this.#host = undefined;
      },
    };
  }

  /** Undefined where there is no link, or no room on it for one more channel. */
  open(id: string, service: EngineService, user: ChannelUser): Channel | undefined {
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

  /** Ends a channel from this side: its user is told nothing more. */
  close(channel: Channel, code: "done" | "failed" = "done", reason = ""): void {
    this.#users.delete(channel);
    channel.close(code, reason);
  }

  up(link: MeshLink): void {
    this.#links.set(link.peer.id, link);
    for (const listener of this.#onLinked) listener();
  }

  happened(link: MeshLink, event: ChannelEvent): void {
    const { channel } = event;
    switch (event.type) {
      case "opened":
        if (this.#host === undefined) channel.close("refused", "this node has no copy of the engine's data");
        else this.#users.set(channel, this.#host.opened(link.peer.id, channel));
        return;
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

  down(link: MeshLink, _why: LinkEnd): void {
    if (this.#links.get(link.peer.id) === link) this.#links.delete(link.peer.id);
  }
}

const CLASS: ChannelClass = "state";
