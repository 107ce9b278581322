/** What this node knows of all nodes, and how each stands; every change is told once. */
import type { Millis } from "@sluice/base/brand";
import type { Incarnation } from "../hello.ts";
import { isNews, type NodeRecord } from "./node-record.ts";

/** `suspect`: nobody who is linked to this node hears it; `dead`: and what it owned has run out; `left`: it said goodbye. */
export type NodeStanding = "starting" | "ready" | "draining" | "suspect" | "left" | "dead";

export interface NodeRow {
  readonly record: NodeRecord;
  readonly standing: NodeStanding;
  /** This node has a link to it. */
  readonly isLinked: boolean;
}

export type MembershipChange =
  /** In view for the first time in this life of it, or again after it was dead. */
  | { readonly type: "joined"; readonly row: NodeRow }
  | { readonly type: "suspect"; readonly row: NodeRow }
  /** Heard again, by this node or by one that is linked to it. */
  | { readonly type: "back"; readonly row: NodeRow }
  /** @param why  `restarted`: `joined` of its next life follows */
  | { readonly type: "left"; readonly row: NodeRow; readonly why: "goodbye" | "restarted" }
  | { readonly type: "dead"; readonly row: NodeRow }
  /** Anything else of the row. */
  | { readonly type: "changed"; readonly row: NodeRow };

export interface ViewOptions {
  readonly self: string;
  /** How long somebody is heard by nobody before it is suspect. */
  readonly suspectAfter: Millis;
  /** How long a suspect's row is there at least; then it is dead once `isGone` says so. */
  readonly deadAfter: Millis;
  /** How long those that left or died stay in view. */
  readonly forgetAfter: Millis;
  /** Whether what the node owned has run out in the state engine; false while the engine cannot say. */
  readonly isGone: (id: string, incarnation: Incarnation) => boolean;
}

interface Known {
  record: NodeRecord;
  standing: NodeStanding;
  isLinked: boolean;
  /** When it was last heard, by this node or by one that vouched for it; for who is gone, when that was noticed. */
  heardAt: Millis;
}

export class MembershipView {
  readonly #options: ViewOptions;
  readonly #known = new Map<string, Known>();
  readonly #changes: MembershipChange[] = [];

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  get rows(): readonly NodeRow[] {
    return Array.from(this.#known.values(), rowOf);
  }

  find(id: string): NodeRow | undefined {
    const known = this.#known.get(id);
    return known === undefined ? undefined : rowOf(known);
  }

  /** The oldest change that was not taken yet. */
  nextChange(): MembershipChange | undefined {
    return this.#changes.shift();
  }

  /** @returns whether the record was news, and should be passed on */
  heard(record: NodeRecord, now: Millis): boolean {
    const known = this.#known.get(record.id);
    if (!isNews(record, known?.record)) return false;
    if (known === undefined) {
      if (record.state !== "left") this.#join(record, now);
      return true;
    }
    if (record.incarnation > known.record.incarnation) {
      this.#gone(known, "left", "restarted", now);
      this.#known.delete(record.id);
      if (record.state !== "left") this.#join(record, now);
      return true;
    }
    known.record = record;
    if (record.state === "left") this.#gone(known, "left", "goodbye", now);
    else if (isPresent(known)) this.#stand(known, known.standing === "suspect" ? "suspect" : record.state);
    return true;
  }

  /** This node has a link to that life of it from now on, or no more. */
  linked({ id, incarnation }: Pick<NodeRecord, "id" | "incarnation">, isLinked: boolean, now: Millis): void {
    const known = this.#known.get(id);
    if (known === undefined || known.isLinked === isLinked || known.record.incarnation !== incarnation) return;
    known.isLinked = isLinked;
    known.heardAt = now;
    if (isLinked) this.#back(known, now);
    else if (isPresent(known)) this.#changes.push({ type: "changed", row: rowOf(known) });
  }

  /**
   * Judges who is heard. Not to be called by a node that stood still itself, before it has listened again.
   *
   * @returns whether any row is suspect for longer than it should take to be dead: the view is stale then
   */
  judge(now: Millis): boolean {
    let vouched: ReadonlySet<string> | undefined;
    let isStale = false;
    for (const [id, known] of this.#known) {
      if (id === this.#options.self) continue;
      if (known.standing !== "left" && (known.isLinked || (vouched ??= this.#vouched()).has(id))) {
        known.heardAt = now;
        this.#back(known, now);
      } else if (!isPresent(known)) {
        if (now - known.heardAt >= this.#options.forgetAfter) this.#known.delete(id);
      } else if (this.#judgeSilent(known, now) === "stale") isStale = true;
    }
    return isStale;
  }

  /** Everybody has a whole silence before them again: this node stood still, and heard nobody for that reason. */
  forgive(now: Millis): void {
    for (const known of this.#known.values()) if (isPresent(known)) known.heardAt = now;
  }

  #judgeSilent(known: Known, now: Millis): "stale" | "ok" {
    const { suspectAfter, deadAfter, isGone } = this.#options;
    const silence = now - known.heardAt;
    if (known.standing !== "suspect" && silence >= suspectAfter) {
      known.standing = "suspect";
      this.#changes.push({ type: "suspect", row: rowOf(known) });
    }
    if (known.standing !== "suspect" || silence < suspectAfter + deadAfter) return "ok";
    if (!isGone(known.record.id, known.record.incarnation)) return "stale";
    this.#gone(known, "dead", "goodbye", now);
    return "ok";
  }

  /** Ids that somebody with a link to this node is linked to, in the life that is known here. */
  #vouched(): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const { record, isLinked, standing } of this.#known.values()) {
      if (isLinked && standing !== "left" && standing !== "dead") for (const id of record.links) ids.add(id);
    }
    return ids;
  }

  #join(record: NodeRecord, now: Millis): void {
    const known: Known = { record, standing: standingOf(record), isLinked: false, heardAt: now };
    this.#known.set(record.id, known);
    this.#changes.push({ type: "joined", row: rowOf(known) });
  }

  /** A node that stood still until it was dead joins again in the same life. */
  #back(known: Known, now: Millis): void {
    const { standing, record } = known;
    if (standing !== "suspect" && standing !== "dead") return;
    known.standing = standingOf(record);
    known.heardAt = now;
    this.#changes.push({ type: standing === "dead" ? "joined" : "back", row: rowOf(known) });
  }

  #stand(known: Known, standing: NodeStanding): void {
    known.standing = standing;
    this.#changes.push({ type: "changed", row: rowOf(known) });
  }

  #gone(known: Known, standing: "left" | "dead", why: "goodbye" | "restarted", now: Millis): void {
    if (!isPresent(known)) return;
    known.standing = standing;
    known.heardAt = now;
    const row = rowOf(known);
    this.#changes.push(standing === "left" ? { type: "left", row, why } : { type: "dead", row });
  }
}

function rowOf({ record, standing, isLinked }: Known): NodeRow {
  return { record, standing, isLinked };
}

function isPresent({ standing }: Known): boolean {
  return standing !== "left" && standing !== "dead";
}

function standingOf({ state }: NodeRecord): NodeStanding {
  return state;
}
