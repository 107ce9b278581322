/** The links that members talk over, whoever owns them: the member alone, or the node that embeds it. */
import type { Millis } from "@sluice/base/brand";
import type { LinkService, LinkServices } from "@sluice/mesh/link-services";
import type { DialTarget, Mesh, MeshLink } from "@sluice/mesh/mesh";

/** Names and values for the hello of a link. */
export type LinkFacts = ReadonlyMap<string, string>;

export interface MemberLinks {
  /** Links that stand, by the peer's id. */
  readonly links: ReadonlyMap<string, MeshLink>;
  /** A link that stands carries something at least this often. */
  readonly heartbeat: Millis;
  /**
   * From now on `service` is told of all links.
   *
   * @param facts  for every hello from now on
   * @returns `host:port` as bound, where this opened a port. @throws {ListenError}
   */
  open(service: LinkService, facts: () => LinkFacts): Promise<string | undefined>;
  /** Whom to keep a link to, by id; this member is not among them. */
  reach(targets: ReadonlyMap<string, DialTarget>): void;
  /** It is no member, and has been told: nobody here needs this link for members any more. */
  drop(id: string, reason: string): void;
  close(reason: string): Promise<void>;
}

export interface NodeLinksOptions {
  readonly mesh: Pick<Mesh, "links">;
  readonly services: Pick<LinkServices, "add">;
  /** Of the links' timings. */
  readonly heartbeat: Millis;
  /** What the member wants dialled beside what the node dials for itself; left out where the node dials them all. */
  readonly reach?: MemberLinks["reach"];
}

/** The links of a node that does other things, too: it dials, accepts, proves and ends them as it needs. */
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

  /** Other users of the link still need it. */
  drop(): void {}

  async close(): Promise<void> {
    this.#facts = () => NO_FACTS;
    this.#service?.[Symbol.dispose]();
  }
}

const NO_FACTS: LinkFacts = new Map();
