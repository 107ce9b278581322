// The console's pages in a real browser, on a fake server: lists, plots, empty state, kick, staleness, token.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { busy, consoleForTests, drawnPixels } from "./console-page.ts";
import { copyRow, sessionRow, streamRow } from "./fake-rows.ts";

const open = consoleForTests();

const PHONE = { width: 390, height: 844 };

test("[CON1] streams are listed with what they are, and their plots draw", async () => {
  await using console = await open(busy);
  const { page, server, faults } = console;
  const row = page.locator('[data-key="live/cam"]');
  await row.waitFor();
  const text = await row.innerText();
  for (const part of ["live/cam", "Live", "H.264 + AAC", "640 × 360", "avc1.42c01e", "Mb/s", "fps", "12", "2 h"]) {
    assert.ok(text.includes(part), `"${part}" is in: ${text}`);
  }
  assert.match(await page.locator('[data-key="studio/b/return-feed"]').innerText(), /Grace/);
  assert.match(await page.locator('[data-key="lobby"]').innerText(), /Waiting[\s\S]*No media yet/);
  await page.waitForTimeout(1_500);
  assert.ok((await drawnPixels(page, '[data-key="live/cam"] .sparkline')) > 20);
  assert.ok((await drawnPixels(page, ".gauge:nth-child(4)")) > 20);
  server.streams = server.streams.filter(({ key }) => key !== "lobby");
  await page.locator('[data-key="lobby"]').waitFor({ state: "detached" });
  await page.getByPlaceholder("Filter streams").fill("STAGE");
  assert.equal(await page.locator("[data-key]").count(), 1);
  assert.deepEqual(faults, []);
});

test("[CON2] [CON10] the empty page says how to publish, and that everything is open", async () => {
  await using console = await open(() => {});
  const { page } = console;
  await page.getByRole("heading", { name: "No streams yet" }).waitFor();
  const fields = await page.locator(".copy-value").allInnerTexts();
  assert.equal(fields[0], "rtmp://127.0.0.1:19350/live");
  assert.equal(fields[1], "cam");
  assert.equal(
    fields[2],
    "ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine -c:v libx264 -preset veryfast -g 60 " +
      "-pix_fmt yuv420p -c:a aac -f flv rtmp://127.0.0.1:19350/live/cam",
  );
  assert.match(await page.locator(".open-warning").innerText(), /Publishing and playing are open/);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy Server" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "rtmp://127.0.0.1:19350/live");
});

test("[CON6] kick asks, then deletes", async () => {
  await using console = await open(busy, "#/sessions");
  const { page, server } = console;
  const kick = page.locator('[data-session="s-3"]').getByRole("button", { name: /Kick/ });
  await kick.click();
  await page.getByRole("button", { name: "Keep" }).click();
  assert.deepEqual(server.changes, []);
  await kick.click();
  await page.getByRole("dialog").getByRole("button", { name: "Kick", exact: true }).click();
  await page.locator('[data-session="s-3"]').waitFor({ state: "detached" });
  assert.deepEqual(server.changes, ["DELETE /sessions/s-3"]);
  assert.equal(await page.locator("[data-session]").count(), 4);
  await page.getByPlaceholder("Filter sessions").fill("obs");
  assert.equal(await page.locator("[data-session]").count(), 1);
});

test("[CON7] a lost server leaves a stale view, and its return a fresh one", async () => {
  await using console = await open(busy);
  const { page, server } = console;
  await page.locator(".connection-open").waitFor();
  const before = await page.locator("[data-key]").first().boundingBox();
  server.goDown();
  await page.getByText("Connection lost").waitFor();
  assert.match(await page.locator(".banner").innerText(), /This view is stale/);
  assert.equal(await page.locator("[data-key]").count(), 4, "nothing is shown as gone");
  assert.deepEqual(await page.locator("[data-key]").first().boundingBox(), before, "nothing moved");
  server.isDown = false;
  server.streams = server.streams.slice(0, 2);
  await page.locator(".connection-open").waitFor();
  await page.locator(".banner").waitFor({ state: "detached" });
  assert.equal(await page.locator("[data-key]").count(), 2);
});

test("[CON7] silence is a loss too", async () => {
  await using console = await open(busy);
  await console.page.locator(".connection-open").waitFor();
  console.server.isSilent = true;
  await console.page.getByText("Connection lost").waitFor();
});

test("[CON210] [CON211] a crowd that joins costs a few requests, and a server that is down none but the feed's", async () => {
  await using console = await open(busy, "#/sessions");
  const { page, server } = console;
  await page.locator(".connection-open").waitFor();
  await page.locator("[data-session]").first().waitFor();
  server.asked.length = 0;
  const started = Date.now();
  for (let i = 0; i < 300; i++) {
    const at = new Date().toISOString();
    server.sessions = [...server.sessions, sessionRow(`joiner-${i}`)];
    server.send({ type: "session-opened", at, id: `joiner-${i}`, protocol: "http-flv", address: "" });
  }
  await page.locator('[data-session="joiner-299"]').waitFor();
  const seconds = (Date.now() - started) / 1_000;
  assert.ok(server.asked.length <= 2 + seconds, `${server.asked.length} requests in ${seconds} s`);
  server.goDown();
  await page.getByText("Connection lost").waitFor();
  server.asked.length = 0;
  for (let attempts = 0; attempts < 2; attempts = server.asked.filter((path) => path === "/nodes").length)
    await page.waitForTimeout(200);
  assert.deepEqual(
    server.asked.filter((path) => path !== "/nodes" && path !== "/streams"),
    [],
  );
  server.isDown = false;
  await page.locator(".connection-open").waitFor();
  server.sessions = server.sessions.slice(0, 3);
  await page.locator('[data-session="joiner-0"]').waitFor({ state: "detached" });
});

test("[CON15] a server that is not there yet is waited for", async () => {
  await using console = await open((server) => {
    busy(server);
    server.isDown = true;
  });
  const { page, server } = console;
  await page.getByText("The server does not answer").waitFor();
  server.isDown = false;
  await page.locator("[data-key]").first().waitFor();
});

test("[CON8] a token is asked for, and opens the page that was wanted", async () => {
  await using console = await open((server) => {
    busy(server);
    server.token = "let me in";
  }, "#/sessions");
  const { page, base } = console;
  await page.getByLabel("Token").fill("wrong");
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByText("did not accept that token").waitFor();
  await page.getByLabel("Token").fill("let me in");
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.locator("[data-session]").first().waitFor();
  assert.equal(page.url(), `${base}/console/?token=let%20me%20in#/sessions`);
});

test("[CON11] nothing scrolls sideways on a phone", async () => {
  await using console = await open(busy, "", { width: 390, height: 844 });
  const { page } = console;
  for (const path of [
    "#/",
    "#/sessions",
    "#/cluster",
    "#/activity",
    "#/streams/live/stage-left",
    "#/streams/live/nobody",
  ]) {
    await page.goto(`${console.base}/console/${path}`);
    await page.waitForTimeout(400);
    assert.ok((await widthOf(page)) <= 390, path);
  }
});

function widthOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth);
}

test("[CON429] a stream's page draws its way from the publisher to the nodes with viewers, on a phone too", async () => {
  const drops = { video: 12, audio: 0, data: 0 };
  const copies = [
    copyRow(["media-1"], { viewers: 3 }),
    copyRow(["relay-1", "media-1"], { role: "relay", viewers: 0, delayMs: 1.2, drops: { ...drops, video: 0 } }),
    copyRow(["edge-1", "relay-1", "media-1"], { viewers: 1_840, delayMs: 2.5, drops }),
    copyRow(["edge-2", "media-1"], { viewers: null, bitrate: null }),
  ];
  const row = streamRow("live/cam", {
    home: "media-1",
    publisherAt: "media-1",
    viewers: { here: 3, all: 1_843 },
    copies,
  });
  for (const viewport of [{ width: 1280, height: 800 }, PHONE]) {
    await using console = await open((server) => void (server.streams = [row]), "#/streams/live/cam", viewport);
    const { page, faults } = console;
    const edge = page.locator('[data-flow="edge-1"]');
    await edge.waitFor();
    assert.match(await edge.innerText(), /edge\s*edge-1\s*1\s840\s*4\.02 Mb\/s\s*2\.5 ms\s*12 dropped/);
    assert.match(await page.locator('[data-flow="edge-2"]').innerText(), /\?\s*no answer/);
    assert.match(await page.locator('[data-flow="media-1"]').innerText(), /publisher’s node, home/);
    const [from, to] = [await page.locator('[data-flow="relay-1"]').boundingBox(), await edge.boundingBox()];
    assert.ok(from && to && (to.x > from.x + from.width || to.y > from.y), "the edge is behind its relay");
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= viewport.width);
    assert.deepEqual(faults, []);
  }
});
