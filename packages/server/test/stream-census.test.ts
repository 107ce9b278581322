/** The streams of a cluster from what each node says: one row for each, viewers added up, copies with their way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamRow } from "@sluice/client/admin-contract";
import { type NodeStream, readNodeStream, readStreamList } from "@sluice/server/cluster/stream-list";
import { mergeStream, type StreamHomeFacts } from "@sluice/server/streams/merge-streams";
import { StreamCensus } from "@sluice/server/streams/stream-census";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { STREAM } from "./admin-fakes.ts";

/** A row as a node alone knows it. */
function row(change: Partial<StreamRow>): StreamRow {
  return { ...STREAM, publisher: null, copies: [], publisherAt: "n1", home: "n1", epoch: null, ...change };
}

/** @param path  the node first, the publisher's last */
function at(
  path: readonly string[],
  viewers: number,
  given: NodeStream["given"] = [],
  change: Partial<StreamRow> = {},
) {
  const [node = ""] = path;
  const publisher = path.length === 1 ? STREAM.publisher : null;
  return {
    node,
    stream: { row: row({ publisher, viewers: { here: viewers, all: viewers }, ...change }), path, given },
  };
}

const NONE = { video: 0, audio: 0, data: 0 };
const HOME: StreamHomeFacts = { home: "n2", epoch: "1.9", publisherAt: "n1", publication: "00000000000000ff" };

test("[ADM350] viewers are added up, each node stands with its way, delay and drops, the publisher is known to all", () => {
  const merged = mergeStream(
    [
      at(["n3", "n2", "n1"], 100, [], { bitrate: 900 }),
      at(["n1"], 1, [{ node: "n2", delayMs: 0.5, drops: NONE }]),
      at(["n2", "n1"], 0, [
        { node: "n3", delayMs: 2, drops: { ...NONE, video: 7 } },
        { node: "n4", delayMs: 3, drops: NONE },
      ]),
    ],
    { self: "n3", home: HOME },
  );
  assert.deepEqual(
    [merged.home, merged.epoch, merged.publisherAt, merged.publication, merged.viewers, merged.bitrate],
    ["n2", "1.9", "n1", HOME.publication, { here: 100, all: 101 }, 900],
  );
  assert.deepEqual(merged.publisher, STREAM.publisher);
  assert.deepEqual(
    merged.copies.map(({ node, role, path, viewers, delayMs, drops }) => [
      node,
      role,
      path.join("<"),
      viewers,
      delayMs,
      drops?.video ?? null,
    ]),
    [
      ["n1", "publisher", "n1", 1, null, null],
      ["n2", "home", "n2<n1", 0, 0.5, 0],
      ["n3", "edge", "n3<n2<n1", 100, 2, 7],
      ["n4", "edge", "n4<n2<n1", null, 3, 0],
    ],
  );
});

test("[ADM350] a relay is told from an edge; who waits at one node hears that it is live at another", () => {
  const waits = at([], 2, [], { state: "waiting", publisherAt: null, video: null, audio: null });
  const merged = mergeStream(
    [
      { ...waits, node: "n9" },
      at(["n1"], 0, [{ node: "r1", delayMs: 1, drops: NONE }]),
      at(["r1", "n1"], 0, [{ node: "e1", delayMs: 1, drops: NONE }]),
    ],
    { self: "n9", home: { ...HOME, home: "n1" } },
  );
  assert.deepEqual([merged.state, merged.video], ["live", STREAM.video]);
  assert.deepEqual(
    merged.copies.map(({ node, role }) => `${node} ${role}`),
    ["n1 publisher", "r1 relay", "e1 edge", "n9 edge"],
  );
});

function census(answers: Record<string, readonly NodeStream[] | undefined>) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const one = new StreamCensus({
    self: "n1",
    clock,
    nodes: () => Object.keys(answers),
    ask: async (node) => {
      asked.push(node);
      const streams = answers[node];
      if (streams === undefined) throw new Error("no answer");
      return { streams, more: false };
    },
    findHome: () => undefined,
  });
  return { clock, asked, census: one };
}

test("[ADM351] streams that only other nodes have are listed with those nodes, and who did not answer is named", async () => {
  const far = {
    ...at(["n2"], 4).stream,
    row: row({ key: "live/far", publisherAt: "n2", viewers: { here: 4, all: 4 } }),
  };
  const both = { ...at(["n2", "n1"], 5).stream };
  const { census: seen } = census({ n2: [far, both], n3: undefined });
  assert.deepEqual(
    seen.elsewhere(() => false),
    [],
    "nobody was asked yet",
  );
  await seen.refresh();
  const elsewhere = seen.elsewhere((key) => key === STREAM.key);
  assert.deepEqual(
    elsewhere.map(({ key, viewers, publisherAt }) => [key, viewers, publisherAt]),
    [["live/far", { here: 0, all: 4 }, "n2"]],
  );
  assert.deepEqual(seen.silent, ["n3"]);
  assert.deepEqual(seen.rowOf(STREAM.key, at(["n1"], 1).stream)?.viewers, { here: 1, all: 6 });
  assert.equal(seen.rowOf("live/none", undefined), undefined);
});

test("[ADM352] other nodes are asked once a second at most for lists, every two for followers, and else never", async () => {
  const { clock, asked, census: seen } = census({ n2: [] });
  await Promise.all([seen.refresh(), seen.refresh()]);
  await seen.refresh();
  assert.equal(asked.length, 1);
  for (let i = 0; i < 4; i++) {
    await clock.advanceAsync(500);
    seen.follow();
  }
  await clock.advanceAsync(0);
  assert.equal(asked.length, 2);
  await clock.advanceAsync(60_000);
  assert.equal(asked.length, 2);
  await seen.refresh();
  assert.equal(asked.length, 3);
});

test("[NOD33] what another node says of streams is read as it should be, or counts as no answer", () => {
  const good = at(["n2", "n1"], 1, [{ node: "n3", delayMs: 1, drops: NONE }]).stream;
  const over = JSON.parse(JSON.stringify({ ...good, later: 1, row: { ...good.row, later: { a: 1 } } })) as unknown;
  assert.deepEqual(readNodeStream(over), over);
  assert.equal(readNodeStream(null), undefined);
  assert.equal(readStreamList({ streams: [good], more: false }, 1).streams.length, 1);
  assert.throws(() => readStreamList({ streams: [good, good], more: false }, 1), { name: "RequestFailedError" });
  for (const bad of [
    {},
    { ...good, path: "n1" },
    { ...good, row: { ...good.row, state: "lost" } },
    { ...good, row: { ...good.row, bitrate: -1 } },
    { ...good, row: { ...good.row, viewers: { here: 1.5, all: 2 } } },
    { ...good, row: { ...good.row, publisher: {} } },
    { ...good, row: { ...good.row, key: undefined } },
    { ...good, given: [{ node: "n3", delayMs: 1 }] },
  ])
    assert.throws(() => readNodeStream(bad), { name: "RequestFailedError" }, JSON.stringify(bad));
});
