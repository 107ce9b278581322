/** Streams whose clocks run through 2²⁴ ms and 2³² ms: no frame is lost, and time goes on. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { serialDistance } from "@sluice/base/serial-number";
import { startChild } from "@sluice/testkit/child";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import {
  assertSameFrames,
  assertTailOfFrames,
  assertTimeNeverBack,
  codedFrames,
  isCoded,
  readFlvFile,
  restamp,
  type Unit,
  widestGap,
} from "./support/units.ts";

const BREAK_24 = 2 ** 24;
const STARTS = [
  { says: "a clock that begins at 16,777,000 ms", start: 16_777_000, name: "b24" },
  { says: "a clock that begins at 2^31 − 2,000 ms", start: 2 ** 31 - 2_000, name: "b31" },
  { says: "a clock that begins at 2^32 − 5,000 ms", start: 2 ** 32 - 5_000, name: "b32" },
] as const;

let folder: WorkFolder;
let server: Server;
let clip: string;
let units: Unit[];

before(async () => {
  folder = new WorkFolder();
  clip = makeClip(folder, "clip.flv", { seconds: 8 });
  units = readFlvFile(clip);
  server = await startServer({ set: ["play.httpWait=forever"] });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function assertRunsThrough(received: readonly Unit[], sent: readonly Unit[], who: string): void {
  assertSameFrames(received, sent, who);
  assertTimeNeverBack(received, who);
  assert.equal(widestGap(received, "video"), 40, `${who}: pictures are 40 ms apart`);
  assert.ok(widestGap(received, "audio") <= 24, `${who}: sound has no gap`);
}

for (const { says, start, name } of STARTS) {
  describe(says, () => {
    for (const chunkSize of [128, 60_000]) {
      test(`runs through RTMP, HTTP-FLV and WS-FLV unharmed, sent in chunks of ${chunkSize}`, async () => {
        const key = `live/${name}-${chunkSize}`;
        await using rtmp = await connectPeer({ port: server.port(), app: "live" });
        rtmp.play(`${name}-${chunkSize}`);
        const url = server.http(`/${key}.flv`);
        await using web = await watchHttp(url);
        await using socket = await watchWebSocket(url.replace("http:", "ws:"));
        await server.viewers(key, 3);
        await using publisher = await connectPeer({ port: server.port(), app: "live", chunkSize });
        await publisher.publish(`${name}-${chunkSize}`);
        const sent = restamp(units, start);
        const half = Math.floor(sent.length * 0.8); // behind the break
        await publisher.sendAll(sent.slice(0, half));
        await rtmp.heard("media behind the break", (event) =>
          event.type === "media" && serialDistance(start, event.timestamp) > 5_100 ? true : undefined,
        );
        await using late = await connectPeer({ port: server.port(), app: "live" });
        late.play(`${name}-${chunkSize}`);
        await server.viewers(key, 4);
        await publisher.sendAll(sent.slice(half));
        publisher.leave();
        await rtmp.status("NetStream.Play.UnpublishNotify");
        await late.status("NetStream.Play.UnpublishNotify");
        await Promise.all([web.ended, socket.ended]);
        assertRunsThrough(rtmp.units, sent, "RTMP");
        assertRunsThrough(web.units, sent, "HTTP-FLV");
        assertRunsThrough(socket.units, sent, "WS-FLV");
        assertTailOfFrames(late.units, sent, "a viewer that joins behind the break");
      });
    }
  });
}

test("ffmpeg publishes from 16,777,000 ms on and another ffmpeg writes down the same times", async () => {
  const key = "live/shifted";
  const shifted = folder.file("shifted.flv");
  const quiet = ["ffmpeg", "-nostdin", "-loglevel", "error"];
  await using player = startChild([...quiet, "-copyts", "-i", server.rtmp(key), "-c", "copy", "-f", "flv", shifted]);
  await using web = await watchHttp(server.http(`/${key}.flv`));
  await using rtmp = await connectPeer({ port: server.port(), app: "live" });
  rtmp.play("shifted");
  await server.viewers(key, 3);
  const offset = ["-output_ts_offset", "16777"];
  await using publisher = startChild([
    ...quiet,
    "-copyts",
    "-readrate",
    "4",
    "-i",
    clip,
    "-c",
    "copy",
    ...offset,
    "-f",
    "flv",
    server.rtmp(key),
  ]);
  assert.equal((await publisher.exited).code, 0, publisher.output());
  await rtmp.status("NetStream.Play.UnpublishNotify");
  await Promise.all([web.ended, player.exited]);
  const sent = restamp(units, 16_777_000);
  assertRunsThrough(rtmp.units, sent, "RTMP");
  assertRunsThrough(web.units, sent, "HTTP-FLV");
  assert.ok(
    sent.some((unit) => isCoded(unit) && unit.timestamp > BREAK_24),
    "it ran through the break",
  );
  assert.deepEqual(codedFrames(readFlvFile(shifted)).length, codedFrames(sent).length);
  assertSameFrames(readFlvFile(shifted), sent, "ffmpeg");
});
