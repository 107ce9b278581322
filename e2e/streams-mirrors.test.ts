/** Streams of a cluster, as processes: played at nodes that are not their home, and through the loss of it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startChild } from "@sluice/testkit/child";
import { until } from "@sluice/testkit/until";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { allLinked, type ClusterServer, voting } from "./support/cluster-server.ts";
import { end, start } from "./support/engine-cluster.ts";
import { type FlvViewer, watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { probeCommand, readPackets } from "./support/packets.ts";
import { connectPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { assertSameFrames, assertTimeNeverBack, readFlvFile, type Unit } from "./support/units.ts";

const KEY = "live/cam";

let folder: WorkFolder;
let units: Unit[];

before(() => {
  folder = new WorkFolder();
  units = readFlvFile(makeClip(folder, "clip.flv", { seconds: 6 }));
});

after(() => folder[Symbol.dispose]());

/** Three nodes that vote, each of which knows the others. */
async function cluster(more: readonly string[] = []): Promise<readonly [ClusterServer, ClusterServer, ClusterServer]> {
  const options = { more: ["delivery.window: 0", ...more] };
  const a = await start(folder, "a", options);
  const b = await start(folder, "b", { ...options, seeds: [a] });
  const c = await start(folder, "c", { ...options, seeds: [a] });
  await allLinked([a, b, c]);
  await voting([a, b, c], 3);
  return [a, b, c];
}

async function publisher(server: ClusterServer, key = KEY): Promise<RtmpPeer> {
  const [app, name] = key.split("/") as [string, string];
  const peer = await connectPeer({ port: server.port("rtmp"), app });
  await peer.publish(name);
  return peer;
}

async function player(server: ClusterServer, key = KEY): Promise<RtmpPeer> {
  const [app, name] = key.split("/") as [string, string];
  const peer = await connectPeer({ port: server.port("rtmp"), app });
  peer.play(name);
  await peer.status("NetStream.Play.Start");
  return peer;
}

/** Bytes that the server has sent to its peers, beside each link. */
async function sentTo(server: ClusterServer, peer: string): Promise<number> {
  return (await server.links()).find((link) => link.peer === peer)?.bytesOut ?? 0;
}

test("[NOD440] players of every protocol on any node get each frame, of one copy for their node, also who came before the publisher", async () => {
  const [a, b, c] = await cluster();
  await using _a = a;
  await using _b = b;
  await using _c = c;
  const early = [await player(b), await player(b), await player(c)];

  await b.viewers(KEY, 2);
  await using peer = await publisher(a);
  await until("the stream to be known", async () => (await fetch(c.http(`/${KEY}.flv`), { method: "HEAD" })).ok);
  const flv = [
    await watchHttp(c.http(`/${KEY}.flv`)),
    await watchHttp(b.http(`/${KEY}.flv`)),
    await watchWebSocket(`ws://127.0.0.1:${c.port("http")}/${KEY}.flv`),
  ];
  await b.viewers(KEY, 3);
  await c.viewers(KEY, 3);
  const before = [await sentTo(a, "b"), await sentTo(a, "c")];
  await peer.sendAll(units);
  const coded = units.length;
  for (const viewer of [...early, ...flv]) await viewer.heardUnits(coded);
  for (const viewer of [...early, ...flv]) assertSameFrames(viewer.units, units, "a player");
  const mediaBytes = units.reduce((sum, { body }) => sum + body.length, 0);
  for (const [i, id] of (["b", "c"] as const).entries()) {
    const sent = (await sentTo(a, id)) - (before[i] as number);
    assert.ok(sent < mediaBytes * 1.5, `${id} was sent ${sent} bytes of ${mediaBytes}`);
  }
  peer.leave();
  await Promise.all(flv.map(({ ended }) => ended));
  for (const viewer of early) await viewer.status("NetStream.Play.UnpublishNotify");

  for (const viewer of early) viewer.destroy();
});
