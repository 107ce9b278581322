/** Shares the links of a node among several users: each is told of every link, and of its own channels by their service. */
import type { ChannelEvent } from "./link-event.ts";
import type { Attempt, LinkEnd, MeshLink, MeshListener } from "./mesh.ts";

/** One user of a node's links. */
export interface LinkService {
  /** Services of the channels that are its own, whichever side opens them. */
  readonly names: readonly string[];
  /** A link stands: channels may be opened on it. Throwing ends the link. */
  up(link: MeshLink): void;
  /**
   * On a channel of its own. Throwing ends the link.
   *
   * @throws {WireError} for what no node sends
   */
  happened(link: MeshLink, event: ChannelEvent): void;
  /**
   * The link is gone, and its channels with it: those were told as closed before, but not where it was replaced.
   * Must not throw.
   *
   * @param why  `replaced`: `up` of the new one follows
   */
  down(link: MeshLink, why: LinkEnd): void;
}

/**
 * The listener of a mesh. Users are added before the mesh dials or accepts anybody: a peer that opens a channel of a
 * service that is not here yet is refused, and not asked to try again.
 */
export class LinkServices implements MeshListener {
  readonly #failed: MeshListener["failed"];
  readonly #services: LinkService[] = [];
  readonly #byName = new Map<string, LinkService>();
  readonly #links = new Set<MeshLink>();
  /** Ended here, since a user could not take what came. */
  readonly #broken = new WeakSet<MeshLink>();

  /** @param options.failed  a connection ended before it was a link */
  constructor({ failed }: Pick<MeshListener, "failed">) {
    this.#failed = failed;
  }

  /** Links that stand are told to it at once. @throws {RangeError} where another user has one of the names */
  add(service: LinkService): Disposable {
    const taken = service.names.find((name) => this.#byName.has(name));
    if (taken !== undefined) throw new RangeError(`Service has a user already: "${taken}"`);
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
      if (event.type === "opened") channel.close("refused", `nobody here serves "${channel.service}"`);
      return;
    }
    // What came behind the message that broke the link is not looked at; that its channels are gone is told.
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
