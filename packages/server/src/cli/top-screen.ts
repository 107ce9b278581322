/** What `sluice top` shows: the node, the streams that carry the most, and the links, from two looks at the node. */
import type { LinkRow, NodesAnswer, StreamRow, StreamsAnswer } from "@sluice/client/admin-contract";
import { table } from "@sluice/runtime/process/table";

export interface Look {
  /** Milliseconds; only differences mean anything. */
  readonly at: number;
  readonly nodes: NodesAnswer;
  readonly streams: StreamsAnswer;
  readonly links: readonly LinkRow[];
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Lines of the parts around the streams: node, two blank ones, heads of two tables, what is left out. */
const AROUND = 7;
/** However small the screen. */
const FEWEST_STREAMS = 3;

/** @param size  undefined: no screen, all is shown */
export function topScreen(before: Look, now: Look, size?: ScreenSize): string {
  const { streams, nodes, links } = now;
  const seconds = Math.max(0.001, (now.at - before.at) / 1_000);
  const busiest = streams.streams.toSorted(byLoad);
  const room = size === undefined ? busiest.length : Math.max(FEWEST_STREAMS, size.rows - links.length - AROUND);
  const shown = busiest.slice(0, room);
  const left = streams.total - shown.length;
  const parts = [
    nodeLine(before.nodes, nodes, seconds),
    shown.length === 0
      ? "No streams\n"
      : table(STREAM_HEADS, shown.map(streamCells)) + (left > 0 ? `and ${left} more\n` : ""),
    ...(links.length === 0
      ? []
      : [
          table(
            LINK_HEADS,
            links.map((link) => linkCells(link, before.links, seconds)),
          ),
        ]),
  ];
  const text = parts.join("\n");
  return size === undefined ? text : cut(text, size);
}

const STREAM_HEADS = ["STREAM", "STATE", "VIEWERS", "HERE", "BITRATE", "FPS", "PUBLISHER", "HOME", "NODES"];
const LINK_HEADS = ["LINK", "RTT", "IN", "OUT", "WAITING", "DROPS"];

/** What it takes to bring it to all viewers. */
function load({ bitrate, viewers }: StreamRow): number {
  return bitrate * (1 + viewers.all);
}

function byLoad(a: StreamRow, b: StreamRow): number {
  return load(b) - load(a) || b.viewers.all - a.viewers.all || (a.key < b.key ? -1 : 1);
}

function nodeLine(before: NodesAnswer, { nodes, silent, stale }: NodesAnswer, seconds: number): string {
  const own = nodes.find(({ self }) => self);
  const then = before.nodes.find(({ self }) => self);
  if (own === undefined) return "";
  const { id, state, load: busy, sessions } = own;
  const rate = (name: "bytesIn" | "bytesOut"): string => megabits((own[name] ?? 0) - (then?.[name] ?? 0), seconds);
  const cluster =
    nodes.length < 2
      ? []
      : [`${nodes.filter(({ state: one }) => one === "ready").length} of ${nodes.length} nodes ready`];
  const parts = [
    `${id} ${state}`,
    busy === null
      ? ""
      : `CPU ${Math.round(busy.cpu * 100)} %, loop ${Math.round(busy.loop * 100)} %, ${Math.round(busy.memoryBytes / 2 ** 20)} MiB`,
    `in ${rate("bytesIn")}, out ${rate("bytesOut")}`,
    `${sessions ?? 0} sessions`,
    ...cluster,
    silent.length === 0 ? "" : `no answer from ${silent.join(", ")}`,
    stale ? "the view may be wrong" : "",
  ];
  return table([parts.filter((part) => part !== "").join("  ")], []);
}

function streamCells({ key, state, viewers, bitrate, fps, publisherAt, home, copies }: StreamRow): string[] {
  const numbers = [viewers.all, viewers.here].map(String);
  const rates = [`${(bitrate / 1e6).toFixed(2)} Mbit/s`, fps.toFixed(1)];
  return [key, state, ...numbers, ...rates, publisherAt ?? "-", home, String(copies.length)];
}

function linkCells(link: LinkRow, before: readonly LinkRow[], seconds: number): string[] {
  const then = before.find(({ peer }) => peer === link.peer);
  const classes = Object.values(link.classes);
  const drops = classes.flatMap((one) => Object.values(one.drops)).reduce((sum, count) => sum + count, 0);
  return [
    link.peer,
    link.rtt === null ? "-" : `${link.rtt.toFixed(1)} ms`,
    megabits(link.bytesIn - (then?.bytesIn ?? link.bytesIn), seconds),
    megabits(link.bytesOut - (then?.bytesOut ?? link.bytesOut), seconds),
    `${Math.ceil(classes.reduce((sum, { queued }) => sum + queued, 0) / 1_024)} KiB`,
    String(drops),
  ];
}

function megabits(bytes: number, seconds: number): string {
  return `${((Math.max(0, bytes) * 8) / seconds / 1e6).toFixed(2)} Mbit/s`;
}

function cut(text: string, { columns, rows }: ScreenSize): string {
  const lines = text.split("\n").slice(0, Math.max(1, rows - 1));
  return lines.map((line) => line.slice(0, columns)).join("\n");
}
