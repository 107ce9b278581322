// The pages of shared objects in a real browser, on a fake server: the list, one object's properties live, edit, clear, move.
import assert from "node:assert/strict";
import { test } from "node:test";
import { consoleForTests } from "./console-page.ts";
import { three } from "./fake-nodes.ts";
import { objectRow } from "./fake-objects.ts";
import type { FakeServer } from "./fake-server.ts";

const open = consoleForTests();

const PHONE = { width: 390, height: 844 };
const BALL = "#/objects/room/ball";

function ball(server: FakeServer): void {
  three(server);
  const kept = { durability: "each", standby: null, rate: 0, lastWriter: null } as const;
  server.objects.rows = [objectRow("room/ball"), objectRow("score/a long name, with blanks", kept)];
  server.objects.set("x", 12.5);
  server.objects.set("y", { deep: [1, "two"] });
}

test("[CON421] the list shows where each object lives, who wrote last and how fast it changes, and follows it", async () => {
  await using console = await open(ball, "#/objects");
  const { page, server, faults } = console;
  const row = page.locator('[data-object="room/ball"]');
  await row.waitFor();
  const text = await row.innerText();
  for (const part of ["temporary", "media-1", "media-2", "198.51.100.4:40112", "5", "25/s", "184 B"])
    assert.ok(text.includes(part), `"${part}" is in: ${text}`);
  server.objects.rows = [objectRow("room/ball", { home: "media-3", rate: 0 })];
  server.send({ type: "object-taken-over", at: new Date().toISOString(), path: "room/ball", by: "media-3" });
  await row.getByText("media-3").waitFor();
  await row.getByText("still").waitFor();
  server.objects.silent = ["media-2"];
  await page.getByText("No answer in time from media-2").waitFor();
  await page.getByRole("searchbox").fill("nowhere");
  await page.getByText("No object matches").waitFor();
  assert.deepEqual(faults, []);
});

test("[CON422] an object's properties are shown as they change", async () => {
  await using console = await open(ball, BALL);
  const { page, server } = console;
  const value = page.locator('[data-property="x"] .property-value');
  await value.getByText("12.5").waitFor();
  assert.equal(await page.locator('[data-property="y"] .property-value').innerText(), '{"deep":[1,"two"]}');
  server.objects.set("x", -3);
  await value.getByText("-3").waitFor();
  assert.equal(await page.locator('[data-copy="media-3"]').innerText(), "replica\nmedia-3\n3 clients");
  server.objects.rows = [];
  await page.getByText("There is no such object now").waitFor();
});

test("[CON423] a property is edited as JSON or text, where nobody has changed it meanwhile; a new one is added", async () => {
  await using console = await open(ball, BALL);
  const { page, server } = console;
  await page.getByRole("button", { name: "Edit x" }).click();
  const field = page.getByRole("textbox", { name: "Value of x" });
  await field.fill('{"left": true}');
  await page.keyboard.press("Enter");
  await page.locator('[data-property="x"]').getByText('{"left":true}').waitFor();
  await page.getByRole("button", { name: "Edit x" }).click();
  server.objects.set("x", "of another");
  await field.fill("mine");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Somebody else has changed it meanwhile").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator('[data-property="x"]').getByText('"of another"').waitFor();
  await page.getByRole("textbox", { name: "New property" }).fill("name");
  await page.getByRole("textbox", { name: "Value, as JSON or text" }).fill("red ball");
  await page.getByRole("button", { name: "Add" }).click();
  await page.locator('[data-property="name"]').getByText('"red ball"').waitFor();
  await page.getByRole("button", { name: "Remove name" }).click();
  await page.locator('[data-property="name"]').waitFor({ state: "detached" });
  assert.deepEqual(server.objects.changes, [
    'PUT room/ball?property=x&at=1.7%2F1205 {"left":true}',
    'PUT room/ball?property=x&at=1.7%2F1207 "mine"',
    'PUT room/ball?property=name&at=none "red ball"',
    "DELETE room/ball?property=name",
  ]);
});

test("[CON424] clear and forget ask first; an object that clients use is not forgotten", async () => {
  await using console = await open(ball, BALL);
  const { page, server } = console;
  await page.locator('[data-property="x"]').waitFor();
  assert.equal(await page.getByRole("button", { name: "Forget" }).isDisabled(), true);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("button", { name: "Keep" }).click();
  assert.deepEqual(server.objects.changes, []);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Clear" }).click();
  await page.locator(".property").first().waitFor({ state: "detached" });
  server.objects.rows = [objectRow("room/ball", { clients: { here: 0, all: 0 } })];
  await page.getByRole("button", { name: "Forget" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Forget" }).click();
  await page.getByText("There is no such object now").waitFor();
  assert.deepEqual(server.objects.changes, ["POST room/ball/clear", "DELETE room/ball"]);
});

test("[CON425] an object is moved to another origin that is ready", async () => {
  await using console = await open(ball, BALL);
  const { page, server } = console;
  await page.getByRole("button", { name: "Move", exact: true }).click();
  assert.equal(await page.getByRole("button", { name: "To media-1" }).count(), 0, "it is there already");
  await page.getByRole("button", { name: "To media-3" }).click();
  await page.locator('[data-copy="media-3"].is-home').waitFor();
  assert.deepEqual(server.objects.changes, ['POST room/ball/move {"node":"media-3"}']);
});

for (const [where, hash] of [
  ["list", "#/objects"],
  ["page of an object", BALL],
] as const) {
  test(`[CON11] the ${where} fits a phone`, async () => {
    await using console = await open(ball, hash, PHONE);
    const { page } = console;
    await page
      .locator(hash === BALL ? ".property" : "[data-object]")
      .first()
      .waitFor();
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.width);
    assert.equal(await page.getByRole("link", { name: "Objects", exact: true }).isVisible(), true);
  });
}

test("[CON421] without objects the page says what one is, and where the ball is", async () => {
  await using console = await open(() => {}, "#/objects");
  await console.page.getByRole("heading", { name: "No shared objects" }).waitFor();
  assert.equal(await console.page.getByRole("link", { name: "Open the ball" }).getAttribute("href"), "/demo/ball");
});
