/** Streams of a cluster as operators see them on real nodes: one row everywhere, viewers of all, the flow in the console, `sluice top`. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { StreamRow, StreamsAnswer } from "@sluice/client/admin-contract";
import { startChild } from "@sluice/testkit/child";
import { until } from "@sluice/testkit/until";
import { openView } from "./support/browser.ts";
import { PagedNodes } from "./support/paged-nodes.ts";
import { MAIN, type Server } from "./support/server.ts";

const KEY = "live/shown";

let nodes: PagedNodes;
const viewers = new AbortController();

before(async () => {
  nodes = await PagedNodes.open();
});

after(async () => {
  viewers.abort();
  await nodes?.[Symbol.asyncDispose]();
});

/** Plays over HTTP-FLV until the tests are over. */
async function play(server: Server): Promise<void> {
  const answer = await fetch(server.http(`/${KEY}.flv`), { signal: viewers.signal });
  assert.equal(answer.status, 200);
  const drain = async (): Promise<void> => {
    for await (const _ of answer.body ?? []);
  };
  drain().catch(() => undefined);
}

const rowAt = (server: Server, suits: (row: StreamRow) => boolean): Promise<StreamRow> =>
  until(`the row of ${KEY}`, async () =>
    (await server.get<StreamsAnswer>("/api/v1/streams")).streams.find((row) => row.key === KEY && suits(row)),
  );

test("[NOD463] a stream of one node is one row on all, with the viewers of all and the way to each", async () => {
  const alpha = await nodes.start("alpha");
  const [beta, gamma] = [await nodes.start("beta", alpha), await nodes.start("gamma", alpha)];
  const started = await fetch(alpha.http("/api/v1/test-patterns"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key: KEY }),
  });
  assert.equal(started.status, 201);
  await rowAt(gamma, ({ state, viewers: { here } }) => state === "live" && here === 0);
  for (const server of [alpha, beta, beta]) await play(server);
  for (const server of [alpha, beta, gamma]) {
    const row = await rowAt(
      server,
      ({ viewers: { all }, copies, epoch }) => all === 3 && copies.length === 2 && epoch !== null,
    );
    assert.deepEqual([row.home, row.publisherAt, row.video?.codec], ["alpha", "alpha", "avc1"]);
    assert.match(row.publication ?? "", /^[0-9a-f]{16}$/);
    assert.deepEqual(
      row.copies.map(({ node, role, path, viewers: count }) => [node, role, path, count]),
      [
        ["alpha", "publisher", ["alpha"], 1],
        ["beta", "edge", ["beta", "alpha"], 2],
      ],
    );
    assert.equal(typeof row.copies[1]?.delayMs, "number");
  }
});

test("[NOD463] [CON429] the console of a node without a copy draws the flow", async () => {
  const [, , gamma] = nodes.running as [Server, Server, Server];
  await using view = await openView(nodes.browser, gamma.http("/console/#/"));
  const { page } = view;
  await page.locator(`[data-key="${KEY}"]`).click();
  await page.locator('[data-flow="alpha"]', { hasText: "publisher’s node, home" }).waitFor();
  await page.locator('[data-flow="beta"]', { hasText: /[1-9]\d* kb\/s/ }).waitFor();
});

test("[NOD462] top on a pipe prints one snapshot", async () => {
  const [, beta] = nodes.running as [Server, Server];
  const where = ["--config", "none", "--set", `http.port=${beta.port("http")}`, "--set", "listen.host=127.0.0.1"];
  await using child = startChild([process.execPath, MAIN, "top", ...where]);
  assert.deepEqual(await child.exited, { code: 0, signal: null });
  const said = child.output("stdout");
  assert.match(said, /^beta ready .*3 of 3 nodes ready$/m);
  assert.match(said, /^live\/shown +live +3 +2 +\d\.\d\d Mbit\/s +\d+\.\d +alpha +alpha +[23]$/m);
  assert.match(said, /^alpha +\d+\.\d ms +0\.[1-9]\d Mbit\/s/m, "the stream comes over this link");
});
