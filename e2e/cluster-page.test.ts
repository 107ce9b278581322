/** The console's page of the cluster on real nodes: all are shown linked; one that is killed and comes back is seen without a reload. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ensureConsole, launchBrowser, openView, pageWidth } from "./support/browser.ts";
import { type Server, startServer } from "./support/server.ts";

let browser: Browser;
let folder: string;
const running: Server[] = [];

before(async () => {
  ensureConsole();
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), "sluice-cluster-page-"));
});

after(async () => {
  await browser?.close();
  await Promise.all(running.map((server) => server[Symbol.asyncDispose]()));
  await rm(folder, { recursive: true, force: true });
});

async function startNode(id: string, seed?: Server): Promise<Server> {
  const seeds = seed === undefined ? [] : [`cluster.seeds=127.0.0.1:${seed.port("cluster")}`];
  const set = [`node.id=${id}`, `data.dir=${join(folder, id)}`, "cluster.host=127.0.0.1", "cluster.port=0", ...seeds];
  const server = await startServer({ set });
  running.push(server);
  return server;
}

/** Resolves once the picture shows the node so. */
const seen = (page: Page, id: string, as: string): Promise<void> => page.locator(`[data-node="${id}"]${as}`).waitFor();

test("[CON410] three nodes are linked in the picture; a killed one becomes suspect and comes back, without a reload", async () => {
  const first = await startNode("alpha");
  const second = await startNode("beta", first);
  await startNode("gamma", first);
  await using view = await openView(browser, first.http("/console/#/cluster"));
  const { page, faults } = view;
  await page.evaluate("window.isSamePage = true");
  for (const id of ["alpha", "beta", "gamma"]) await seen(page, id, ".tone-good");
  await page.getByText("3 nodes, all linked").waitFor();
  assert.equal(await page.locator(".map-line:not(.is-missing)").count(), 2);
  assert.match(await page.locator(".map-label").first().innerText(), /\d ms/);
  await page.locator('[data-node="beta"]').click();
  const life = page.locator('[data-details="beta"] .stat', { hasText: "Incarnation" }).locator("dd");
  const before = Number(await life.innerText());

  second.child.kill("SIGKILL");
  await seen(page, "beta", ".state-suspect");
  await page.locator(".cluster-events", { hasText: "Node beta is suspect: no node hears it" }).waitFor();
  await seen(page, "gamma", ".tone-good");

  await startNode("beta", first);
  await seen(page, "beta", ".tone-good");
  await page.locator(".cluster-events", { hasText: "Node beta joined" }).waitFor();
  await page.getByText("3 nodes, all linked").waitFor();
  assert.ok(Number(await life.innerText()) > before, "it is a later life");
  assert.equal(await page.evaluate("window.isSamePage"), true);
  assert.deepEqual(faults, []);
});

test("[CON410] [CON11] the same on a phone, from another node", async () => {
  const gamma = running[2];
  assert.ok(gamma);
  await using view = await openView(browser, gamma.http("/console/#/cluster"), { width: 390, height: 844 });
  const { page } = view;
  await page.getByText("3 nodes, all linked").waitFor();
  assert.equal(await page.locator(".map-node.tone-good").count(), 3);
  assert.ok((await pageWidth(page)) <= 390);
});
