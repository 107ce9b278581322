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
