/** The console's page of the cluster on real nodes: all are shown linked; one that is killed and comes back is seen without a reload. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { openView, pageWidth } from "./support/browser.ts";
import { PagedNodes } from "./support/paged-nodes.ts";

let nodes: PagedNodes;

before(async () => {
  nodes = await PagedNodes.open();
});

after(async () => {
  await nodes?.[Symbol.asyncDispose]();
});

/** Resolves once the picture shows the node so. */
const seen = (page: Page, id: string, as: string): Promise<void> => page.locator(`[data-node="${id}"]${as}`).waitFor();

test("[CON410] three nodes are linked in the picture; a killed one becomes suspect and comes back, without a reload", async () => {
  const first = await nodes.start("alpha");
  const second = await nodes.start("beta", first);
  await nodes.start("gamma", first);
  await using view = await openView(nodes.browser, first.http("/console/#/cluster"));
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

  await nodes.start("beta", first);
  await seen(page, "beta", ".tone-good");
  await page.locator(".cluster-events", { hasText: "Node beta joined" }).waitFor();
  await page.getByText("3 nodes, all linked").waitFor();
  assert.ok(Number(await life.innerText()) > before, "it is a later life");
  assert.equal(await page.evaluate("window.isSamePage"), true);
  assert.deepEqual(faults, []);
});

test("[CON410] [CON11] the same on a phone, from another node", async () => {
  const gamma = nodes.running[2];
  assert.ok(gamma);
  await using view = await openView(nodes.browser, gamma.http("/console/#/cluster"), { width: 390, height: 844 });
  const { page } = view;
  await page.getByText("3 nodes, all linked").waitFor();
  assert.equal(await page.locator(".map-node.tone-good").count(), 3);
  assert.ok((await pageWidth(page)) <= 390);
});
