/** A stream that announces sound and sets it up, and never sends any: mpegts.js shows the picture and does not wait. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { startChild } from "@sluice/testkit/child";
import { launchBrowser, openView, playFor, seeMovement } from "./support/browser.ts";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { ROOT, type Server, startServer } from "./support/server.ts";
import { isCoded, isConfig, readFlvFile, type Unit } from "./support/units.ts";
import { until } from "@sluice/testkit/until";

const TICK_MILLIS = 40;

/** Bits of the FLV header that a viewer gets who joins now: 4 sound, 1 pictures. */
async function flagsNow(server: Server, key: string): Promise<number> {
  const leave = new AbortController();
  const { body } = await fetch(server.http(`/${key}.flv`), { signal: leave.signal });
  const { value } = (await body?.getReader().read()) ?? {};
  leave.abort();
  return value?.[4] ?? 0;
}

/** Sends the clip's pictures when they are due, round after round. */
function sendPictures(send: (unit: Unit) => void, clip: readonly Unit[]): Disposable {
  const pictures = clip.filter((unit) => unit.kind === "video" && isCoded(unit));
  const round = (pictures.at(-1)?.timestamp ?? 0) + TICK_MILLIS;
  const startedAt = performance.now();
  let next = 0;
  const timer = setInterval(() => {
    for (;;) {
      const unit = pictures[next % pictures.length] as Unit;
      const timestamp = unit.timestamp + Math.floor(next / pictures.length) * round;
      if (timestamp > performance.now() - startedAt) return;
      send({ ...unit, timestamp });
      next++;
    }
  }, TICK_MILLIS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

test("[MED126] mpegts.js plays a picture whose announced sound never comes", async () => {
  using folder = new WorkFolder();
  const clip = readFlvFile(makeClip(folder, "clip.flv", { seconds: 4 }));
  await using server = await startServer();
  await using publisher = await connectPeer({ port: server.port(), app: "live" });
  await publisher.publish("mute");
  const announced = { hasAudio: true, hasVideo: true, audiocodecid: 10, videocodecid: 7 };
  publisher.send({ kind: "data", timestamp: 0, body: encodeAmf0Values(["@setDataFrame", "onMetaData", announced]) });
  for (const unit of clip.filter(isConfig)) publisher.send(unit);
  using _pictures = sendPictures((unit) => publisher.send(unit), clip);
  await server.stream("live/mute", (row) => row.video !== null && row.gop.frames > 0);
  assert.equal(await flagsNow(server, "live/mute"), 5, "at first it may still come");
  const isHonest = async (): Promise<true | undefined> => (await flagsNow(server, "live/mute")) === 1 || undefined;
  await until("an FLV header that promises no sound", isHonest);

  const web = [process.execPath, join(ROOT, "examples/web-player/serve.ts")];
  await using site = startChild(web, { env: { PORT: "0" } });
  const port = await site.waitForLine((line) => /"port":(\d+)/.exec(line)?.[1]);
  const wish = new URLSearchParams({ server: `ws://127.0.0.1:${server.port("http")}`, key: "live/mute" });
  const browser = await launchBrowser();
  try {
    await using view = await openView(browser, `http://127.0.0.1:${port}/?${wish.toString()}`);
    await playFor(view.page, 1);
    await seeMovement(view.page);
    assert.deepEqual(view.faults, []);
  } finally {
    await browser.close();
  }
});
