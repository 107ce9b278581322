/** The ways of shared objects to other nodes: on each link a channel to send on, whose order is that of the changes. */
import { LimitError } from "@sluice/bytes/wire-error";
import type { Channel } from "@sluice/mesh/channel";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import type { LinkService } from "@sluice/mesh/link-services";
import type { LinkEnd, MeshLink } from "@sluice/mesh/mesh";
import type { ObjectHost } from "@sluice/state/object-host";
import type { ObjectLinks } from "@sluice/state/ports";

/** A node takes nothing of what this one tells it of objects: their link ends, and they begin anew. */
export class ObjectChannelFullError extends LimitError {
  override readonly name = "ObjectChannelFullError";
  readonly code = "LIMIT_OBJECT_CHANNEL";
  readonly context: { readonly node: string; readonly queuedBytes: number };
  constructor(context: ObjectChannelFullError["context"]) {
    super(`Cannot tell node "${context.node}" of shared objects: ${context.queuedBytes} bytes wait for it`);
    this.context = context;
  }
}

/** Messages about objects, version 1 of the service; each side sends on the channel that it opened. */
export const OBJECTS_SERVICE = "objects";

type Receiver = Pick<ObjectHost, "linkUp" | "linkDown" | "receive">;

interface Peer {
  readonly link: MeshLink;
  readonly channel: Channel;
}

/** Add it to the node's `LinkServices`, and give it its host, before there are links. */
export class ObjectChannels implements LinkService, ObjectLinks {
  readonly names = [OBJECTS_SERVICE];
  readonly #peers = new Map<string, Peer>();
  #host: Receiver | undefined;

  serve(host: Receiver): void {
    this.#host = host;
  }

  get nodes(): readonly string[] {
    return [...this.#peers.keys()];
  }

  send(node: string, message: Uint8Array): void {
    const peer = this.#peers.get(node);
    if (peer?.channel.send(message) !== "full") return;
    const { queuedBytes } = peer.channel;
    // In a turn of its own: a host that sends is not to be told of links.
    void Promise.resolve().then(() => peer.link.driver.end(new ObjectChannelFullError({ node, queuedBytes })));
  }

  up(link: MeshLink): void {
    const { id } = link.peer;
    this.#lose(id); // of a link that this one replaces
    const channel = link.driver.link?.openChannel(OBJECTS_SERVICE, { class: "state" });
    if (channel === undefined) return;
    this.#peers.set(id, { link, channel });
    this.#host?.linkUp(id);
  }

  happened(link: MeshLink, event: ChannelEvent): void {
    const { id } = link.peer;
    if (event.type === "message") this.#host?.receive(id, event.message);
    else if (event.type === "closed" && this.#peers.get(id)?.channel === event.channel) this.#lose(id);
  }

  down(link: MeshLink, _why: LinkEnd): void {
    if (this.#peers.get(link.peer.id)?.link === link) this.#lose(link.peer.id);
  }

  #lose(id: string): void {
    if (this.#peers.delete(id)) this.#host?.linkDown(id);
  }
}
