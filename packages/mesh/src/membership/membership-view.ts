/** What this node knows of all nodes, and the standing of each; every change is reported once. */
import type { Millis } from "@sluice/base/brand";
import type { Incarnation } from "../hello.ts";
import { isNews, type NodeRecord } from "./node-record.ts";

/** `suspect`: neither this node nor any node linked to it hears it; `dead`: also, its leases have run out; `left`: it said goodbye. */
export type NodeStanding = "starting" | "ready" | "draining" | "suspect" | "left" | "dead";

export interface NodeRow {
  readonly record: NodeRecord;
  readonly standing: NodeStanding;
  /** This node has a link to it. */
  readonly isLinked: boolean;
}

export type MembershipChange =
  /** Seen for the first time in this incarnation, or again after it was dead. */
  | { readonly type: "joined"; readonly row: NodeRow }
  | { readonly type: "suspect"; readonly row: NodeRow }
  /** Heard again after `suspect`, by this node or by one linked to it. */
  | { readonly type: "back"; readonly row: NodeRow }
  /** @param why  `restarted`: `joined` of its next incarnation follows */
  | { readonly type: "left"; readonly row: NodeRow; readonly why: "goodbye" | "restarted" }
  | { readonly type: "dead"; readonly row: NodeRow }
  /** Any other change of the row. */
  | { readonly type: "changed"; readonly row: NodeRow };

export interface ViewOptions {
  readonly self: string;
  /** How long a node may be unheard before it is suspect. */
  readonly suspectAfter: Millis;
  /** How long a node stays suspect at least; after that it is dead once `isGone` returns true. */
  readonly deadAfter: Millis;
  /** How long nodes that left or died stay in the view. */
  readonly forgetAfter: Millis;
  /** Whether the leases of the node have run out in the state engine; false while the engine cannot answer. */
  readonly isGone: (id: string, incarnation: Incarnation) => boolean;
}

interface Known {
  record: NodeRecord;
  standing: NodeStanding;
  isLinked: boolean;
  /** When it was last heard, by this node or by one that vouches for it; for a node that left or died, when that was noticed. */
  heardAt: Millis;
  /** Of its record when it was gone. */
  lastVersion: number;
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

  /** The oldest change not yet taken. */
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
   * Updates the standing of every node. After a pause of this process, call `forgive` first.
   *
   * @returns whether any row has been suspect for longer than `deadAfter`: the view is stale then
   */
  judge(now: Millis): boolean {
    let vouched: ReadonlySet<string> | undefined;
    let isStale = false;
    for (const [id, known] of this.#known) {
      if (id === this.#options.self) continue;
      if (known.isLinked ? known.standing !== "left" : mayBeHeard(known) && (vouched ??= this.#vouched()).has(id)) {
        known.heardAt = now;
        this.#back(known, now);
      } else if (!isPresent(known)) {
        if (now - known.heardAt >= this.#options.forgetAfter) this.#known.delete(id);
      } else if (this.#judgeSilent(known, now) === "stale") isStale = true;
    }
    return isStale;
  }

  /** Restarts the silence of every node: this process was paused, and so heard nothing. */
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

  /** Ids of nodes that a peer of this node is linked to, in the incarnation known here. */
  #vouched(): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const { record, isLinked, standing } of this.#known.values()) {
      if (isLinked && standing !== "left" && standing !== "dead") for (const id of record.links) ids.add(id);
    }
    return ids;
  }

  #join(record: NodeRecord, now: Millis): void {
    const known: Known = { record, standing: standingOf(record), isLinked: false, heardAt: now, lastVersion: 0 };
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
    known.lastVersion = known.record.version;
    known.heardAt = now;
    const row = rowOf(known);
    this.#changes.push(standing === "left" ? { type: "left", row, why } : { type: "dead", row });
  }
}

function rowOf({ record, standing, isLinked }: Known): NodeRow {
  return { record, standing, isLinked };
}

/** Whether a peer's link to it tells of this life: of a dead one only once it has said something since. */
function mayBeHeard({ standing, record, lastVersion }: Known): boolean {
  return standing === "dead" ? record.version > lastVersion : standing !== "left";
}

function isPresent({ standing }: Known): boolean {
  return standing !== "left" && standing !== "dead";
}

function standingOf({ state }: NodeRecord): NodeStanding {
  return state;
}
