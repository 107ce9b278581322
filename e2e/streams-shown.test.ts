/** Streams of a cluster as operators see them on real nodes: one row everywhere, viewers of all, the flow in the console, `sluice top`. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { StreamRow, StreamsAnswer } from "@sluice/client/admin-contract";
import { startChild } from "@sluice/testkit/child";
import { until } from "@sluice/testkit/until";
import type { Browser } from "playwright-core";
import { ensureConsole, launchBrowser, openView } from "./support/browser.ts";
import { MAIN, type Server, startServer } from "./support/server.ts";

const KEY = "live/shown";

let browser: Browser;
let folder: string;
const running: Server[] = [];
const viewers = new AbortController();

before(async () => {
  ensureConsole();
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), "sluice-streams-shown-"));
});

after(async () => {
  viewers.abort();
  await browser?.close();
  await Promise.all(running.map((server) => server[Symbol.asyncDispose]()));
  await rm(folder, { recursive: true, force: true });
});

async function startNode(id: string): Promise<Server> {
  const [first] = running;
  const seeds = first === undefined ? [] : [`cluster.seeds=127.0.0.1:${first.port("cluster")}`];
  const set = [`node.id=${id}`, `data.dir=${join(folder, id)}`, "cluster.host=127.0.0.1", "cluster.port=0", ...seeds];
  const server = await startServer({ set });
  running.push(server);
  return server;
}

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
  const [alpha, beta, gamma] = [await startNode("alpha"), await startNode("beta"), await startNode("gamma")];
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
  const [, , gamma] = running as [Server, Server, Server];
  await using view = await openView(browser, gamma.http("/console/#/"));
  const { page } = view;
  await page.locator(`[data-key="${KEY}"]`).click();
  await page.locator('[data-flow="alpha"]', { hasText: "publisher’s node, home" }).waitFor();
  await page.locator('[data-flow="beta"]', { hasText: /[1-9]\d* kb\/s/ }).waitFor();
});

test("[NOD462] top on a pipe prints one snapshot", async () => {
  const [, beta] = running as [Server, Server];
  const where = ["--config", "none", "--set", `http.port=${beta.port("http")}`, "--set", "listen.host=127.0.0.1"];
  await using child = startChild([process.execPath, MAIN, "top", ...where]);
  assert.deepEqual(await child.exited, { code: 0, signal: null });
  const said = child.output("stdout");
  assert.match(said, /^beta ready .*3 of 3 nodes ready$/m);
  assert.match(said, /^live\/shown +live +3 +2 +\d\.\d\d Mbit\/s +\d+\.\d +alpha +alpha +[23]$/m);
  assert.match(said, /^alpha +\d+\.\d ms +0\.[1-9]\d Mbit\/s/m, "the stream comes over this link");
});
