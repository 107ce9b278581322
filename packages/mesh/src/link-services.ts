/** Shares a node's links among several users: each user sees every link, and its own channels by service name. */
import type { ChannelEvent } from "./link-event.ts";
import type { Attempt, LinkEnd, MeshLink, MeshListener } from "./mesh.ts";

/** One user of a node's links. */
export interface LinkService {
  /** Services whose channels belong to this user, whichever side opens them. */
  readonly names: readonly string[];
  /** A link is established: channels may be opened on it. Throwing ends the link. */
  up(link: MeshLink): void;
  /**
   * An event of one of the user's channels. Throwing ends the link.
   *
   * @throws {WireError} for bytes that no node sends
   */
  happened(link: MeshLink, event: ChannelEvent): void;
  /**
   * The link and its channels are gone. Each channel was reported as closed before, unless the link was replaced.
   * Must not throw.
   *
   * @param why  `replaced`: `up` of the new one follows
   */
  down(link: MeshLink, why: LinkEnd): void;
}

/**
 * The listener of a mesh. Add all users before the mesh dials or accepts: a channel for a service that is not added yet
 * is refused, and the peer does not retry.
 */
export class LinkServices implements MeshListener {
  readonly #failed: MeshListener["failed"];
  readonly #services: LinkService[] = [];
  readonly #byName = new Map<string, LinkService>();
  readonly #links = new Set<MeshLink>();
  /** Links that this class ended because a user threw. */
  readonly #broken = new WeakSet<MeshLink>();

  /** @param options.failed  a connection ended before it was a link */
  constructor({ failed }: Pick<MeshListener, "failed">) {
    this.#failed = failed;
  }

  /** Reports all established links to it at once. @throws {RangeError} when another user has one of the names */
  add(service: LinkService): Disposable {
    const taken = service.names.find((name) => this.#byName.has(name));
    if (taken !== undefined) throw new RangeError(`Service already has a user: "${taken}"`);
    this.#services.push(service);
    for (const name of service.names) this.#byName.set(name, service);
    for (const link of this.#links) this.#attempt(link, () => service.up(link));
    return { [Symbol.dispose]: () => this.#remove(service) };
  }

  up(link: MeshLink): void {
    this.#links.add(link);
    for (const service of this.#services) this.#attempt(link, () => service.up(link));
  }

  happened(link: MeshLink, event: ChannelEvent): void {
    const { channel } = event;
    const service = this.#byName.get(channel.service);
    if (service === undefined) {
      if (event.type === "opened") channel.close("refused", `this node does not serve "${channel.service}"`);
      return;
    }
    // Events behind the one that broke the link are dropped, except that its channels closed.
    if (this.#broken.has(link) && event.type !== "closed") return;
    this.#attempt(link, () => service.happened(link, event));
  }

  down(link: MeshLink, why: LinkEnd): void {
    this.#links.delete(link);
    for (const service of this.#services) service.down(link, why);
  }

  failed(attempt: Attempt, error: Error): void {
    this.#failed(attempt, error);
  }

  #attempt(link: MeshLink, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#broken.add(link);
      link.driver.end(error as Error);
    }
  }

  #remove(service: LinkService): void {
    const at = this.#services.indexOf(service);
    if (at >= 0) this.#services.splice(at, 1);
    for (const name of service.names) if (this.#byName.get(name) === service) this.#byName.delete(name);
  }
}
