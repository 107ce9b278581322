/** What `sluice top` shows, from two looks at a node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamRow } from "@sluice/client/admin-contract";
import { type Look, topScreen } from "@sluice/server/cli/top-screen";
import { LINK, NODE, NODES, STREAM } from "./admin-fakes.ts";

const stream = (key: string, bitrate: number, viewers: number): StreamRow => ({
  ...STREAM,
  key,
  bitrate,
  viewers: { here: 0, all: viewers },
});

function look(at: number, streams: readonly StreamRow[], bytes = 0): Look {
  const node = { ...NODE, bytesIn: bytes, bytesOut: 10 * bytes };
  return {
    at,
    nodes: { ...NODES, nodes: [node, ...NODES.nodes.slice(1)] },
    streams: { streams, total: streams.length, silent: [] },
    links: [{ ...LINK, bytesIn: bytes, bytesOut: 2 * bytes }],
  };
}

const STREAMS = [stream("live/thin", 1e6, 3), stream("live/watched", 2e6, 500), stream("live/fat", 9e6, 0)];

test("[NOD462] streams come by what they take to reach all viewers, with rates from the difference of two looks", () => {
  const text = topScreen(look(0, STREAMS, 0), look(2_000, STREAMS, 250_000));
  const lines = text.split("\n");
  assert.match(
    lines[0] ?? "",
    /^n1 ready {2}CPU 25 %, loop 50 %, 76 MiB {2}in 1\.00 Mbit\/s, out 10\.00 Mbit\/s {2}1 sessions {2}1 of 2 nodes ready {2}no answer from n2 {2}the view may be wrong$/,
  );
  assert.deepEqual(
    lines.filter((line) => line.startsWith("live/")).map((line) => line.split(/ +/)[0]),
    ["live/watched", "live/fat", "live/thin"],
  );
  assert.match(text, /^live\/watched +live +500 +0 +2\.00 Mbit\/s +30\.0 +n1 +n1 +2$/m);
  assert.match(text, /^n2 +0\.4 ms +1\.00 Mbit\/s +2\.00 Mbit\/s +0 KiB +3$/m);
});

test("[NOD462] it fits the screen, and says how many streams it leaves out", () => {
  const many = Array.from({ length: 100 }, (_, i) => stream(`live/${i}`, 1e6, i));
  const text = topScreen(look(0, many), look(2_000, many), { columns: 40, rows: 20 });
  const lines = text.split("\n");
  assert.ok(lines.length < 20 && lines.every((line) => line.length <= 40), text);
  const shown = lines.filter((line) => line.startsWith("live/")).length;
  assert.ok(shown > 5 && lines.includes(`and ${100 - shown} more`), text);
  assert.ok(
    lines.some((line) => line.startsWith("n2 ")),
    "the link is there",
  );
});

test("[NOD462] a node alone without streams says so", () => {
  const alone: Look = {
    at: 0,
    nodes: { nodes: [NODE], silent: [], stale: false },
    streams: { streams: [], total: 0, silent: [] },
    links: [],
  };
  const text = topScreen(alone, { ...alone, at: 1_000 });
  assert.match(text, /1 sessions\n\nNo streams\n$/);
});
