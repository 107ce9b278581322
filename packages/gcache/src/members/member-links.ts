/** The links between members, owned by the member alone or by the node that embeds it. */
import type { Millis } from "@sluice/base/brand";
import type { LinkService, LinkServices } from "@sluice/mesh/link-services";
import type { DialTarget, Mesh, MeshLink } from "@sluice/mesh/mesh";

/** Names and values for the hello of a link. */
export type LinkFacts = ReadonlyMap<string, string>;

export interface MemberLinks {
  /** Established links, by the peer's id. */
  readonly links: ReadonlyMap<string, MeshLink>;
  /** Longest time without traffic on an established link. */
  readonly heartbeat: Millis;
  /**
   * Reports all links to `service` from now on.
   *
   * @param facts  for every hello from now on
   * @returns `host:port` as bound, if this opened a port. @throws {ListenError}
   */
  open(service: LinkService, facts: () => LinkFacts): Promise<string | undefined>;
  /** Members to keep a link to, by id, without this member. */
  reach(targets: ReadonlyMap<string, DialTarget>): void;
  /** The peer is not a member, and was told so: members no longer need this link. */
  drop(id: string, reason: string): void;
  close(reason: string): Promise<void>;
}

export interface NodeLinksOptions {
  readonly mesh: Pick<Mesh, "links">;
  readonly services: Pick<LinkServices, "add">;
  /** The heartbeat of the links. */
  readonly heartbeat: Millis;
  /** Dials members that the node itself does not dial; left out if the node dials them all. */
  readonly reach?: MemberLinks["reach"];
}

/** The links of a node that also uses them for other purposes: the node dials, accepts, proves and ends them. */
export class NodeLinks implements MemberLinks {
  readonly #options: NodeLinksOptions;
  #service: Disposable | undefined;
  #facts: () => LinkFacts = () => NO_FACTS;

  constructor(options: NodeLinksOptions) {
    this.#options = options;
  }

  /** For the hello of the node. */
  get facts(): LinkFacts {
    return this.#facts();
  }

  get links(): ReadonlyMap<string, MeshLink> {
    return this.#options.mesh.links;
  }

  get heartbeat(): Millis {
    return this.#options.heartbeat;
  }

  async open(service: LinkService, facts: () => LinkFacts): Promise<undefined> {
    this.#facts = facts;
    this.#service = this.#options.services.add(service);
  }

  reach(targets: ReadonlyMap<string, DialTarget>): void {
    this.#options.reach?.(targets);
  }

  /** Does nothing: other users of the link may need it. */
  drop(): void {}

  async close(): Promise<void> {
    this.#facts = () => NO_FACTS;
    this.#service?.[Symbol.dispose]();
  }
}

const NO_FACTS: LinkFacts = new Map();
