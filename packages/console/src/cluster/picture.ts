// The cluster as drawn: spot, tone and texts of each node, and the traffic of each link.
import type { NodeRow } from "@sluice/client/admin-contract";
import { formatCount } from "../format/numbers.ts";
import type { ClusterView, RatedLink } from "../live/cluster-view.ts";
import { MIDDLE, type NodeSpots, type Spot } from "./node-spots.ts";

/** good: normal; busy: starting or stopping in order; warn: needs attention; gone: no longer there. */
export type NodeTone = "good" | "busy" | "warn" | "gone";

export interface DrawnNode {
  readonly row: NodeRow;
  readonly spot: Spot;
  readonly tone: NodeTone;
  /** Its most important fact: a problem, or else its role in the engine. */
  readonly note: string;
  /** Its load; empty while unknown. */
  readonly load: string;
}

export interface DrawnLink {
  readonly peer: string;
  readonly spot: Spot;
  /** `undefined`: the link is missing. */
  readonly link: RatedLink | undefined;
  readonly pace: Pace;
}

/** Traffic of a link: heartbeats only, some, much. */
export type Pace = "still" | "calm" | "brisk" | "fast";

/** few: room for large nodes; many: each has its label; crowd: labels appear on hover. */
export type PictureSize = "few" | "many" | "crowd";

export interface Picture {
  readonly size: PictureSize;
  /** The answering node first, the others by id. */
  readonly nodes: readonly DrawnNode[];
  readonly links: readonly DrawnLink[];
  /** Nodes without a place in the picture. */
  readonly hiddenCount: number;
}

export function pictureOf(view: ClusterView, spots: NodeSpots): Picture {
  const others = view.nodes.filter(({ self }) => !self);
  const places = spots.place(others.map(({ id }) => id));
  const self = view.nodes.filter((row) => row.self).map((row) => drawnNode(view, row, MIDDLE));
  const around = others.flatMap((row) => {
    const spot = places.get(row.id);
    return spot === undefined ? [] : [drawnNode(view, row, spot)];
  });
  const links = around.filter(({ tone }) => tone !== "gone").map(({ row, spot }) => drawnLink(view, row.id, spot));
  const size = others.length <= 3 ? "few" : others.length <= 12 ? "many" : "crowd";
  return { size, nodes: [...self, ...around], links, hiddenCount: others.length - around.length };
}

function drawnNode(view: ClusterView, row: NodeRow, spot: Spot): DrawnNode {
  const load = row.sessions === null ? "" : counted(row.sessions, "session");
  return { row, spot, tone: toneOf(view, row), note: noteOf(view, row), load };
}

function toneOf({ silent }: ClusterView, { id, state, linked, differs }: NodeRow): NodeTone {
  if (state === "left" || state === "dead") return "gone";
  if (state === "suspect" || !linked || silent.includes(id) || differs.length > 0) return "warn";
  return state === "ready" ? "good" : "busy";
}

function noteOf({ silent }: ClusterView, { id, state, linked, differs, engine }: NodeRow): string {
  if (state !== "ready") return state;
  if (!linked) return "no link";
  if (silent.includes(id)) return "no answer";
  if (differs.includes("auth")) return "other auth";
  if (differs.includes("version")) return "other version";
  return engine === null || engine === "off" ? "ready" : engine;
}

function drawnLink({ links }: ClusterView, peer: string, spot: Spot): DrawnLink {
  const link = links.find((row) => row.peer === peer);
  return { peer, spot, link, pace: paceOf(link) };
}

const CALM_BITS = 100_000;
const BRISK_BITS = 5_000_000;

function paceOf(link: RatedLink | undefined): Pace {
  const rate = link === undefined ? 0 : link.inRate + link.outRate;
  if (rate === 0) return "still";
  if (rate < CALM_BITS) return "calm";
  return rate < BRISK_BITS ? "brisk" : "fast";
}

export function counted(count: number, what: string): string {
  return `${formatCount(count)} ${count === 1 ? what : `${what}s`}`;
}
