/** Streams of a cluster, as processes: played at nodes that are not their home, and through the loss of it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startChild } from "@sluice/testkit/child";
import { FaultProxy } from "@sluice/testkit/fault-proxy";
import { freePort } from "@sluice/testkit/free-port";
import { until } from "@sluice/testkit/until";
import { makeClip, run, WorkFolder } from "./support/clip.ts";
import { allLinked, type ClusterServer, voting } from "./support/cluster-server.ts";
import { end, start } from "./support/engine-cluster.ts";
import { type FlvViewer, watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { LiveEncoder } from "./support/live-encoder.ts";
import { probeCommand, readPackets } from "./support/packets.ts";
import { connectPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { assertGoesOn } from "./support/seam.ts";
import {
  assertSameFrames,
  assertSameList,
  codedFrames,
  isCoded,
  isConfig,
  readFlvFile,
  type Unit,
} from "./support/units.ts";

const MORE = {
  more: ["delivery.window: 0", "applications.own.cluster: local", "applications.swap.publish.policy: replace"],
};

let folder: WorkFolder;
let clip: string;
let units: Unit[];
/** Between `a` and `c`. */
let between: FaultProxy;
let a: ClusterServer;
let b: ClusterServer;
let c: ClusterServer;

before(async () => {
  folder = new WorkFolder();
  clip = makeClip(folder, "clip.flv", { seconds: 4 });
  units = readFlvFile(clip);
  const port = await freePort();
  between = await FaultProxy.start({ port });
  a = await start(folder, "a", { more: [...MORE.more, `node.public.cluster: 127.0.0.1:${between.port}`], port });
  b = await start(folder, "b", { ...MORE, seeds: [a] });
  c = await start(folder, "c", { ...MORE, seeds: [b], port: "off" });
  await allLinked([a, b, c]);
  await voting([a, b, c], 3);
});

after(async () => {
  await end([a, b, c], "SIGKILL");
  await between[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function connected(server: ClusterServer, app = "live"): Promise<RtmpPeer> {
  return connectPeer({ port: server.port("rtmp"), app });
}

async function publisher(server: ClusterServer, name: string): Promise<RtmpPeer> {
  const peer = await connected(server);
  await peer.publish(name);
  return peer;
}

async function player(server: ClusterServer, name: string): Promise<RtmpPeer> {
  const peer = await connected(server);
  peer.play(name);
  await peer.status("NetStream.Play.Start");
  return peer;
}

async function swapPlayer(server: ClusterServer): Promise<RtmpPeer> {
  const peer = await connected(server, "swap");
  peer.play("cam");
  await peer.status("NetStream.Play.Start");
  return peer;
}

const flvOf = (server: ClusterServer, name: string): string => server.http(`/live/${name}.flv`);
const webSocketOf = (server: ClusterServer, name: string): string => flvOf(server, name).replace("http:", "ws:");

/** Until the node answers that the stream is published, wherever that is. */
async function isKnownAt(server: ClusterServer, name: string): Promise<void> {
  await until(`${server.id} to know ${name}`, async () => (await fetch(flvOf(server, name), { method: "HEAD" })).ok);
}

async function sentTo(peer: string): Promise<number> {
  return (await a.links()).find((link) => link.peer === peer)?.bytesOut ?? 0;
}

describe("streams on every node", { timeout: 120_000 }, () => {
  test("[NOD440] players of every protocol on any node get each frame over one copy for their node, also those that came before the publisher", async () => {
    const name = "everywhere";
    const players = [await player(b, name), await player(b, name), await player(c, name)];
    await using probe = startChild(probeCommand(c.rtmp(`live/${name}`)));
    await c.viewers(`live/${name}`, 2);
    const peer = await publisher(a, name);
    await isKnownAt(b, name);
    await isKnownAt(c, name);
    const watchers: FlvViewer[] = [
      await watchHttp(flvOf(b, name)),
      await watchHttp(flvOf(c, name)),
      await watchWebSocket(webSocketOf(c, name)),
    ];
    await b.viewers(`live/${name}`, 3);
    await c.viewers(`live/${name}`, 4);
    const before = { b: await sentTo("b"), c: await sentTo("c") };
    await peer.sendAll(units);
    for (const viewer of [...players, ...watchers]) await viewer.heardUnits(units.length);
    for (const viewer of [...players, ...watchers]) assertSameFrames(viewer.units, units, "a player");
    const mediaBytes = units.reduce((sum, { body }) => sum + body.length, 0);
    for (const id of ["b", "c"] as const) {
      const sent = (await sentTo(id)) - before[id];
      assert.ok(sent < mediaBytes * 1.5, `${id} was sent ${sent} bytes of a stream of ${mediaBytes}`);
    }
    peer.leave();
    await Promise.all(watchers.map(({ ended }) => ended));
    for (const viewer of players) await viewer.status("NetStream.Play.UnpublishNotify");
    await probe.exited;
    const [program = "", ...args] = probeCommand(clip);
    const [got, sent] = [readPackets(probe.output("stdout")), readPackets(run(program, args))];
    for (const kind of ["video", "audio"] as const) assertSameList(got[kind], sent[kind], `ffprobe ${kind}`);
    for (const one of [...players, peer]) one.destroy();
  });

  test("[NOD441] HTTP answers 404 for what no node publishes, and for what a local application has on another node", async () => {
    assert.equal((await fetch(flvOf(b, "nothing"))).status, 404);
    await using peer = await connected(a, "own");
    await peer.publish("cam");
    await peer.sendAll(units.slice(0, 20));
    assert.ok((await fetch(a.http("/own/cam.flv"), { method: "HEAD" })).ok);
    assert.equal((await fetch(b.http("/own/cam.flv"))).status, 404);
  });

  test("[NOD445] a second publisher is refused at whatever node, and an encoder that changes nodes goes on where it stopped", async () => {
    const key = "live/one";
    const first = await LiveEncoder.start(a.port("rtmp"), key, units);
    const viewers = [await player(a, "one"), await player(c, "one"), await watchHttp(flvOf(b, "one"))];
    for (const viewer of viewers) await viewer.heardUnits(20);
    await using second = await connected(b);
    second.engine.publish("one");
    second.flush();
    await second.status("NetStream.Publish.BadName");
    const lostAt = performance.now();
    await first[Symbol.asyncDispose]();
    await using again = await LiveEncoder.start(b.port("rtmp"), key, units);
    await goesOn(viewers, lostAt);
    await again[Symbol.asyncDispose]();
    await closed(viewers);
  });

  test("[NOD448] where the policy says so a publisher takes the stream over from another node, whose encoder is sent away, and players of both go on", async () => {
    await using first = await LiveEncoder.start(a.port("rtmp"), "swap/cam", units);
    const viewers = [await swapPlayer(a), await swapPlayer(b)];
    for (const viewer of viewers) await viewer.heardUnits(20);
    const since = performance.now();
    await using second = await LiveEncoder.start(b.port("rtmp"), "swap/cam", units);
    await until("the first encoder to be sent away", () => first.peer.isClosed);
    await goesOn(viewers, since);
    assert.equal(second.peer.isClosed, false);
    await closed(viewers);
  });

  test("[NOD446] what an edge publishes leaves it once, however many nodes play it", async () => {
    const key = "live/edge";
    const edge = await start(folder, "e", { more: [...MORE.more, "node.roles: edge"], seeds: [a, b] });
    try {
      await allLinked([a, b, c, edge]);
      await using encoder = await LiveEncoder.start(edge.port("rtmp"), key, units);
      const viewers = [
        await player(a, "edge"),
        await player(b, "edge"),
        await player(c, "edge"),
        await player(edge, "edge"),
      ];
      for (const viewer of viewers) await viewer.heardUnits(50);
      assert.equal(await edge.metric("sluice_stream_copies"), 1);
      await encoder[Symbol.asyncDispose]();
      await closed(viewers);
    } finally {
      await end([edge], "SIGKILL");
    }
  });

  test("[NOD444] where the link between two nodes is broken the stream goes through the third, and no frame is lost", async () => {
    const key = "live/detour";
    await using encoder = await LiveEncoder.start(a.port("rtmp"), key, units);
    await using there = await player(a, "detour");
    await using here = await player(c, "detour");
    await here.heardUnits(20);
    const before = await b.metric("sluice_stream_copies");
    between.cutWithClose("rst");
    await until("a copy through b", async () => (await b.metric("sluice_stream_copies")) === before + 1);
    await here.heardUnits(here.units.length + 100);
    await encoder[Symbol.asyncDispose]();
    const lastOf = ({ units: seen }: RtmpPeer): string | undefined => codedFrames(seen).at(-1);
    await until("the rest", () => lastOf(here) === lastOf(there));
    const frames = codedFrames(here.units);
    const all = codedFrames(there.units);
    assertSameList(frames, all.slice(all.indexOf(frames[0] as string)), "the player behind the broken link");
    between.heal();
    await allLinked([a, b, c]);
  });

  test("[NOD443] players of other nodes keep their connections when the home stands still, and go on when the encoder is back at another node", async () => {
    const key = "live/frozen";
    await using _ = await LiveEncoder.start(b.port("rtmp"), key, units);
    await isKnownAt(a, "frozen");
    const viewers = [await player(c, "frozen"), await watchHttp(flvOf(a, "frozen"))];
    for (const viewer of viewers) await viewer.heardUnits(20);
    const lostAt = performance.now();
    b.child.kill("SIGSTOP");
    await using second = await LiveEncoder.start(c.port("rtmp"), key, units);
    await goesOn(viewers, lostAt);
    b.child.kill("SIGCONT");
    await second[Symbol.asyncDispose]();
    await closed(viewers);
    await allLinked([a, b, c]);
  });

  test("[NOD442] players of other nodes keep their connections when the home is killed, and go on when the encoder is back at another node", async () => {
    const key = "live/killed";
    const first = await LiveEncoder.start(a.port("rtmp"), key, units);
    const viewers = [
      await player(b, "killed"),
      await player(c, "killed"),
      await watchWebSocket(webSocketOf(c, "killed")),
    ];
    for (const viewer of viewers) await viewer.heardUnits(20);
    const lostAt = performance.now();
    await end([a], "SIGKILL");
    await using _ = first;
    await using second = await LiveEncoder.start(b.port("rtmp"), key, units);
    await goesOn(viewers, lostAt);
    await second[Symbol.asyncDispose]();
    await closed(viewers);
  });

  test("[NOD447] when the node between an edge with the publisher and the players of another is killed, these lose no frame", async () => {
    const edge = await start(folder, "f", { more: [...MORE.more, "node.roles: edge"], seeds: [b] });
    try {
      await allLinked([b, c, edge]);
      await using encoder = await LiveEncoder.start(edge.port("rtmp"), "live/between", units);
      const there = await player(edge, "between");
      const viewers = [await player(b, "between"), await player(c, "between")] as const;
      for (const viewer of viewers) await viewer.heardUnits(50);
      const isBetween = (await b.metric("sluice_stream_copies")) === 1;
      const [lost, here] = isBetween ? [b, viewers[1]] : [c, viewers[0]];
      const before = here.units.length;
      lost.child.kill("SIGKILL");
      await here.heardUnits(before + 100);
      await encoder[Symbol.asyncDispose]();
      const lastOf = ({ units: seen }: RtmpPeer): string | undefined => codedFrames(seen).at(-1);
      await until("the rest", () => lastOf(here) === lastOf(there));
      const [frames, all] = [codedFrames(here.units), codedFrames(there.units)];
      assertSameList(frames, all.slice(all.indexOf(frames[0] as string)), "the player behind the lost node");
      await closed([there, ...viewers]);
    } finally {
      await end([edge], "SIGKILL");
    }
  });
});

/** Until each has seen the next publication; its clock must have gone on with the time that passed. */
async function goesOn(viewers: readonly (RtmpPeer | FlvViewer)[], lostAt: number): Promise<void> {
  const isConfigured = ({ units: seen }: RtmpPeer | FlvViewer): boolean =>
    seen.filter(isConfig).length >= 4 && isCoded(seen.at(-1) as Unit);
  await Promise.all(viewers.map((viewer) => until("the next publication", () => isConfigured(viewer), 20_000)));
  for (const viewer of viewers) assertGoesOn(viewer.units, performance.now() - lostAt, "a player");
}

async function closed(viewers: readonly (RtmpPeer | FlvViewer)[]): Promise<void> {
  for (const viewer of viewers) await viewer[Symbol.asyncDispose]();
}
