/** The ball of 2007 on two nodes: two pages, each on a node of its own; what one drags moves on both. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BALL } from "@sluice/client/contract/ball";
import { until } from "@sluice/testkit/until";
import type { Page } from "playwright-core";
import { openView, pageWidth, type View } from "./support/browser.ts";
import { PagedNodes } from "./support/paged-nodes.ts";
import { OwnObjectClient } from "./support/object-clients.ts";
import type { Server } from "./support/server.ts";

const PHONE = { width: 390, height: 844 };

let nodes: PagedNodes;

before(async () => {
  nodes = await PagedNodes.open();
});

after(async () => {
  await nodes?.[Symbol.asyncDispose]();
});

/** The page of the ball, once it is connected. */
async function openBall(server: Server, viewport = {}): Promise<View> {
  const view = await openView(nodes.browser, server.http("/demo/ball"), viewport);
  await view.page.locator('#board[data-state="open"]').waitFor();
  return view;
}

/** Presses on the board and drags; positions are shares of the board. */
async function drag(page: Page, to: readonly (readonly [number, number])[], isReleased = true): Promise<void> {
  const box = (await page.locator("#board").boundingBox()) ?? assert.fail("no board");
  const at = ([x, y]: readonly [number, number]) => [box.x + x * box.width, box.y + y * box.height] as const;
  await page.mouse.move(...at(to[0] ?? [0.5, 0.5]));
  await page.mouse.down();
  for (const spot of to) await page.mouse.move(...at(spot), { steps: 4 });
  if (isReleased) await page.mouse.up();
}

function spot(page: Page): Promise<string> {
  return page.locator("#board").evaluate(({ dataset }) => `${dataset["x"]} ${dataset["y"]}`);
}

/** Resolves once the page shows the ball where the other does. */
async function sameSpot(page: Page, other: Page): Promise<string> {
  const wanted = await spot(other);
  const [x, y] = wanted.split(" ");
  await page.locator(`#board[data-x="${x}"][data-y="${y}"]`).waitFor();
  return wanted;
}

test("[CON426] two pages on two nodes drag one ball, both ways; a late joiner sees where it is", async () => {
  const alpha = await nodes.start("alpha");
  await using first = await openBall(alpha);
  const beta = await nodes.start("beta", alpha);
  await using second = await openBall(beta, PHONE);
  await second.page.locator("#node", { hasText: "beta" }).waitFor();
  await drag(first.page, [
    [0.2, 0.3],
    [0.7, 0.6],
    [0.8, 0.25],
  ]);
  const there = await sameSpot(second.page, first.page);
  assert.notEqual(there, "500 300", "it has moved");
  await drag(second.page, [
    [0.8, 0.2],
    [0.1, 0.9],
  ]);
  await sameSpot(first.page, second.page);
  await using late = await openBall(beta);
  await sameSpot(late.page, first.page);
  assert.deepEqual([first.faults, second.faults, late.faults], [[], [], []]);
});

test("[CON427] the page says who drags, on which node it is, which is the home and how long a change took", async () => {
  const [alpha, beta] = nodes.running as [Server, Server];
  await using first = await openBall(alpha);
  await using second = await openBall(beta, PHONE);
  await first.page.locator("#name").fill("Ada");
  await drag(
    first.page,
    [
      [0.3, 0.3],
      [0.6, 0.5],
    ],
    false,
  );
  await second.page.locator("#dragger", { hasText: "Ada, on alpha" }).waitFor();
  await second.page.locator("#tag", { hasText: "Ada" }).waitFor();
  await first.page.mouse.up();
  await second.page.locator("#dragger", { hasText: "nobody" }).waitFor();
  await first.page.locator("#delay", { hasText: /^\d+\.\d ms$/ }).waitFor();
  const home = await second.page.locator("#home", { hasText: /alpha|beta/ }).innerText();
  const moved = home.startsWith("alpha") ? "beta" : "alpha";
  const answer = await fetch(alpha.http("/api/v1/objects/ballControl/ball/move"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ node: moved }),
  });
  assert.deepEqual([answer.status, await answer.json()], [200, { path: "ballControl/ball", home: moved }]);
  await second.page.locator("#home", { hasText: moved }).waitFor();
  await drag(second.page, [
    [0.5, 0.5],
    [0.9, 0.1],
  ]);
  await sameSpot(first.page, second.page);
  assert.ok((await pageWidth(second.page)) <= PHONE.width);
  const command = await second.page.locator(".copy-value").innerText();
  assert.equal(command, `./sluice --instance 1 --set cluster.seeds=127.0.0.1:${beta.port("cluster")}`);
  assert.equal(await first.page.getByRole("link", { name: "Open it on beta" }).count(), 1);
});

test("[CON426] an RTMP client on a third node drags it too, and sees it dragged", async () => {
  const [alpha, beta] = nodes.running as [Server, Server];
  const gamma = await nodes.start("gamma", alpha);
  await using first = await openBall(alpha);
  await using second = await openBall(beta, PHONE);
  await using flash = await OwnObjectClient.open(gamma, { app: BALL.app, name: BALL.name });
  await drag(first.page, [
    [0.4, 0.4],
    [0.15, 0.8],
  ]);
  const [x, y] = (await sameSpot(second.page, first.page)).split(" ").map(Number);
  await until(`${x}, ${y} over RTMP`, () => flash.copy["x"] === x && flash.copy["y"] === y);
  flash.set("x", 321);
  for (const { page } of [first, second]) await page.locator(`#board[data-x="321"][data-y="${y}"]`).waitFor();
});

test("[ADM347] the API and the console show the ball of both nodes, and put it somewhere", async () => {
  const [alpha, beta] = nodes.running as [Server, Server];
  await using page = await openBall(beta);
  await using console = await openView(nodes.browser, alpha.http("/console/#/objects"));
  await console.page.locator('[data-object="ballControl/ball"]').getByRole("link").click();
  await console.page.locator('[data-copy="beta"]', { hasText: "1 client" }).waitFor();
  await console.page.locator('[data-property="x"]').getByRole("button", { name: "Edit x" }).click();
  await console.page.getByRole("textbox", { name: "Value of x" }).fill("123");
  await console.page.keyboard.press("Enter");
  await page.page.locator('#board[data-x="123"]').waitFor();
  const patch = await fetch(beta.http("/api/v1/objects/ballControl/ball"), {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: '{"x":7,"y":8}',
  });
  assert.equal(patch.status, 200);
  await page.page.locator('#board[data-x="7"][data-y="8"]').waitFor();
  const list = await alpha.get<{ objects: readonly { path: string; standby: string | null }[] }>("/api/v1/objects");
  assert.deepEqual(
    list.objects.map(({ path, standby }) => [path, typeof standby]),
    [["ballControl/ball", "string"]],
  );
});
