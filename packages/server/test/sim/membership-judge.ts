/** Judges what nodes are told of each other: one event for each change, and nobody is missed who was there. */
import type { AdminEvent } from "@sluice/client/admin-contract";
import type { SimNode } from "./sim-node.ts";
import type { SimWorld, WorldListener } from "./sim-world.ts";

type NodeEvent = Extract<AdminEvent, { readonly type: `node-${string}` }>;

interface Seen {
  at: "there" | "suspect" | "dead" | "left";
  incarnation: number;
}

/** Something that keeps nodes from hearing or being heard; a `stall` keeps their connections. */
interface Trouble {
  readonly kind: "stall" | "cut";
  readonly nodes: ReadonlySet<string> | "everybody";
  readonly from: number;
  to: number;
}

/** Whoever is cut off or stands still for no longer than this is missed by nobody. */
const STALL = 2_000;
/** How far back trouble explains what is told now: silence is noticed, and links come back, within it. */
const MEMORY = 6_000;
/** No row runs out sooner after its node was last heard; the node's lease is 6 s and was renewed within half a second. */
const SHORTEST_LIFE = 5_000;

export class MembershipJudge implements WorldListener {
  readonly #world: SimWorld;
  readonly #troubles: Trouble[] = [];
  /** By the life of the observer. */
  readonly #seen = new Map<SimNode, Map<string, Seen>>();
  /** Lives, `id incarnation`, that were told to stop. */
  readonly #leaving = new Set<string>();

  constructor(world: SimWorld) {
    this.#world = world;
    world.listeners.push(this);
  }

  /** From now on these may lose connections. @returns ends it */
  trouble(nodes: readonly string[] | "everybody"): () => void {
    return this.#begin("cut", nodes === "everybody" ? nodes : new Set(nodes));
  }

  /** It stands still from now on. @returns ends it */
  stall(id: string): () => void {
    return this.#begin("stall", new Set([id]));
  }

  #begin(kind: Trouble["kind"], nodes: Trouble["nodes"]): () => void {
    const { clock } = this.#world;
    const trouble: Trouble = { kind, nodes, from: clock.now(), to: Number.POSITIVE_INFINITY };
    this.#troubles.push(trouble);
    return () => void (trouble.to = Math.min(trouble.to, clock.now()));
  }

  /** Nothing is the matter any more. */
  healed(): void {
    const now = this.#world.clock.now();
    for (const trouble of this.#troubles) trouble.to = Math.min(trouble.to, now);
    while (this.#troubles.length > 0 && (this.#troubles[0] as Trouble).to < now - 60_000) this.#troubles.shift();
  }

  /** Its present life says goodbye. */
  leaving(id: string): void {
    const node = this.#world.nodes.get(id);
    if (node !== undefined) this.#leaving.add(lifeOf(id, node.incarnation));
  }

  /** Undefined where every node was told what its view shows. */
  untold(): string | undefined {
    for (const [node, seen] of this.#seen) {
      for (const id of this.#world.places.keys()) {
        if (id === node.id) continue;
        const standing = node.cluster.membership.find(id)?.standing ?? "gone";
        const told = seen.get(id)?.at ?? "dead";
        const isAlike = told === "there" ? THERE.has(standing) : standing === told || standing === "gone";
        if (!isAlike) return `${node.id} was told that ${id} is ${told}, and sees it ${standing}`;
      }
    }
    return undefined;
  }

  started(node: SimNode): void {
    this.#seen.set(node, new Map());
  }

  ended(node: SimNode): void {
    this.#seen.delete(node);
  }

  told(node: SimNode, event: AdminEvent): void {
    if (!event.type.startsWith("node-")) return;
    const { type, id, incarnation } = event as NodeEvent;
    const seen = this.#seen.get(node);
    const before = seen?.get(id) ?? { at: "dead", incarnation: -1 };
    const wrong = this.#judge(node, before, event as NodeEvent);
    if (wrong !== undefined) this.#world.fail(`${node.id} is told ${type} ${id} ${incarnation}: ${wrong}`);
    seen?.set(id, { at: AFTER[type], incarnation });
  }

  #judge(observer: SimNode, before: Seen, event: NodeEvent): string | undefined {
    const { id, incarnation } = event;
    const isThere = before.at === "there" || before.at === "suspect";
    switch (event.type) {
      case "node-joined":
        if (isThere) return "it was there already";
        if (before.at === "left" && incarnation === before.incarnation) return "that life has said goodbye";
        return incarnation < before.incarnation ? "in an earlier life" : undefined;
      case "node-back":
        return before.at === "suspect" ? undefined : "it was not suspect";
      case "node-suspect":
        if (before.at !== "there") return "it was not there";
        return this.#isMissed(observer.id, id) || !this.#runs(id, incarnation) ? undefined : "it was heard";
      case "node-dead":
        if (before.at !== "suspect") return "it was not suspect";
        return this.#isLong(observer.id, id) || !this.#runs(id, incarnation) ? undefined : "it lives";
      case "node-left":
        if (!isThere) return "it was not there";
        if (event.reason === "restarted") return this.#runs(id, incarnation) ? "it was not restarted" : undefined;
        return this.#leaving.has(lifeOf(id, incarnation)) ? undefined : "it has not said goodbye";
    }
  }

  #runs(id: string, incarnation: number): boolean {
    return this.#world.nodes.get(id)?.incarnation === incarnation;
  }

  /** Whether something of late was between the two, or between nodes that hear of each other through others. */
  #isMissed(observer: string, subject: string): boolean {
    const now = this.#world.clock.now();
    const troubles = this.#between(observer, subject, now - MEMORY);
    return troubles.some(({ kind }) => kind === "cut") || totalOf(troubles, now - MEMORY, now) > STALL;
  }

  /** Whether it lasted until what the subject had in the engine could run out. */
  #isLong(observer: string, subject: string): boolean {
    const now = this.#world.clock.now();
    const since = now - MEMORY - 2 * SHORTEST_LIFE;
    return totalOf(this.#between(observer, subject, since), since, now) > SHORTEST_LIFE;
  }

  #between(observer: string, subject: string, since: number): readonly Trouble[] {
    const isFar = [observer, subject].some((id) => this.#world.placeOf(id).isDialOnly);
    return this.#troubles.filter(({ nodes, to }) => {
      const isTheirs = isFar || nodes === "everybody" || nodes.has(observer) || nodes.has(subject);
      return isTheirs && to >= since;
    });
  }
}

/** Milliseconds in which any of them went on. */
function totalOf(troubles: readonly Trouble[], since: number, now: number): number {
  let end = since;
  let total = 0;
  for (const { from, to } of troubles) {
    total += Math.max(0, Math.min(to, now) - Math.max(from, end));
    end = Math.max(end, Math.min(to, now));
  }
  return total;
}

const AFTER = {
  "node-joined": "there",
  "node-back": "there",
  "node-suspect": "suspect",
  "node-dead": "dead",
  "node-left": "left",
} as const;

const THERE: ReadonlySet<string> = new Set(["starting", "ready", "draining"]);

function lifeOf(id: string, incarnation: number): string {
  return `${id} ${incarnation}`;
}
