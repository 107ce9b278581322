// The player of a stream's page, in a real browser, with real FLV from ffmpeg.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { busy, consoleForTests, drawnPixels } from "./console-page.ts";

const open = consoleForTests();

/** Resolves once the picture has moved on by `seconds`. */
async function playFor(page: Page, seconds: number): Promise<void> {
  const start = await page.waitForFunction(() => {
    const video = document.querySelector("video");
    return video && video.currentTime > 0 && video.videoWidth > 0 ? { at: video.currentTime } : undefined;
  });
  const { at } = (await start.jsonValue()) ?? { at: 0 };
  await page.waitForFunction((until) => (document.querySelector("video")?.currentTime ?? 0) > until, at + seconds);
}

test("[CON4] [CON5] WS-FLV plays, HTTP-FLV too, and leaving closes the connection", async () => {
  await using console = await open(busy, "#/streams/live/cam");
  const { page, server, faults } = console;
  await playFor(page, 1);
  assert.deepEqual([...server.viewers], ["ws"]);
  await page.waitForFunction(() => /\d\.\d s/.test(document.querySelector(".player-stats")?.textContent ?? ""));
  assert.match(await page.locator(".player-stats").innerText(), /640 × 360/);
  assert.ok((await drawnPixels(page, ".time-plot")) > 200);
  await page.getByText("HTTP-FLV", { exact: true }).first().click();
  await server.untilViewers(["http"]);
  await playFor(page, 1);
  await page.getByRole("link", { name: "Back to streams" }).click();
  await server.untilViewers([]);
  assert.deepEqual(faults, []);
});

test("[CON215] a guarded stream plays over both transports, with a fresh right for each opening", async () => {
  await using console = await open((server) => {
    busy(server);
    server.guardStatus = 401;
  }, "#/streams/live/cam");
  const { page, server, faults } = console;
  await playFor(page, 1);
  assert.deepEqual([...server.viewers], ["ws"]);
  await page.getByText("HTTP-FLV", { exact: true }).first().click();
  await server.untilViewers(["http"]);
  await playFor(page, 1);
  assert.equal(server.asked.filter((path) => path === "/previews").length, 2);
  assert.deepEqual(faults, []);
});

for (const [status, words] of [
  [401, "This stream needs a token to play"],
  [403, "This stream may not be played from here"],
] as const) {
  test(`[CON216] a stream that is refused with ${status} says why, over WebSocket and over HTTP`, async () => {
    await using console = await open((server) => {
      busy(server);
      server.guardStatus = status;
      server.isPreviewVoid = true;
    }, "#/streams/live/cam");
    const { page, server } = console;
    await page.getByText(words).waitFor();
    await page.getByText("HTTP-FLV", { exact: true }).first().click();
    await server.untilRefused("http");
    await page.getByText(words).waitFor();
    server.guardStatus = undefined;
    await server.untilViewers(["http"]);
    await playFor(page, 0.5);
  });
}

test("[CON211] a player whose server is down waits for it, and goes on when it is back", async () => {
  await using console = await open(busy, "#/streams/live/cam");
  const { page, server } = console;
  await playFor(page, 0.5);
  server.goDown();
  await page.getByText("Connection lost").waitFor();
  server.dropViewers();
  await server.untilViewers([]);
  server.asked.length = 0;
  for (let attempts = 0; attempts < 2; attempts = server.asked.filter((path) => path === "/nodes").length)
    await page.waitForTimeout(200);
  assert.equal(server.asked.includes("/previews"), false);
  server.isDown = false;
  await page.locator(".connection-open").waitFor();
  await server.untilViewers(["ws"]);
  await playFor(page, 0.5);
});

test("[CON3] the test pattern is one click away from an empty page, and stops again", async () => {
  await using console = await open(() => {}, "");
  const { page, server } = console;
  await page.getByRole("button", { name: "Start test pattern" }).click();
  await page.getByRole("heading", { name: "demo/test-pattern" }).waitFor();
  assert.deepEqual(server.changes, ["POST /test-patterns"]);
  await playFor(page, 0.5);
  await page.getByRole("button", { name: "Stop test pattern" }).click();
  await page.getByText("Waiting for a publisher").waitFor();
  assert.deepEqual(server.changes, ["POST /test-patterns", "DELETE /test-patterns/demo/test-pattern"]);
  await server.untilViewers([]);
});

test("[CON9] a codec that this browser lacks is named, and nothing is fetched", async () => {
  await using console = await open(busy, "#/streams/live/stage-left");
  const { page, server } = console;
  const canDecode = await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L123.B0"'));
  assert.equal(canDecode, false, "Debian's Chromium decodes no HEVC");
  await page.getByText("This browser cannot decode HEVC").waitFor();
  await page.waitForTimeout(500);
  assert.deepEqual([...server.viewers], []);
});
