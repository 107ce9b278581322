/** Viewers behind a narrow wire: they skip to key frames, harm nobody, and get the end of the stream all the same. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { FaultProxy } from "@sluice/testkit/fault-proxy";
import { makeCertificate, makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { connectPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import {
  assertSameFrames,
  assertTimeNeverBack,
  describeUnit,
  isCoded,
  isConfig,
  isKey,
  readFlvFile,
  restamp,
  type Unit,
} from "./support/units.ts";
import { until } from "@sluice/testkit/until";

/** Bytes a second that pass to a slow viewer; the stream has some forty times as many. */
const NARROW = 150_000;
/** Added to each picture. */
const PADDING = new Uint8Array(40_000);
const CLIP_SECONDS = 4;
/** From one showing of the clip to the next: its sound is a little longer than its pictures. */
const ROUND_MILLIS = 4_200;
/** Together several times what all buffers on the way hold. */
const ROUND_COUNT = 12;
const CROWNING_UNITS = 400;
const BURST_UNITS = 20;
const BURST_MILLIS = 40;

let folder: WorkFolder;
let server: Server;
let units: Unit[];

before(async () => {
  folder = new WorkFolder();
  const clip = readFlvFile(makeClip(folder, "clip.flv", { seconds: CLIP_SECONDS }));
  const frames = clip.filter(isCoded).map(padded);
  const rounds = Array.from({ length: ROUND_COUNT }, (_, i) => restamp(frames, i * ROUND_MILLIS));
  units = [...clip.filter((unit) => unit.kind === "data" || isConfig(unit)), ...rounds.flat()];
  const { cert, key } = makeCertificate(folder);
  const tls = ["rtmps.port=0", "https.port=0", `tls.cert=${cert}`, `tls.key=${key}`];
  const lag = ["delivery.lag.maxBytes=4MiB", "delivery.lag.maxAge=3s"];
  server = await startServer({ set: [...tls, ...lag, "play.httpWait=forever", "grace.windowMs=0"] });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** What the tests need of a viewer, whatever its protocol. */
interface Viewer extends AsyncDisposable {
  readonly units: readonly Unit[];
  /** It was told of the end. */
  readonly told: Promise<unknown>;
}

const VIEWERS: Readonly<
  Record<string, { on: "rtmp" | "rtmps" | "http" | "https"; open: (port: number) => Promise<Viewer> }>
> = {
  RTMP: { on: "rtmp", open: (port) => watchRtmp(port, "tcp") },
  RTMPS: { on: "rtmps", open: (port) => watchRtmp(port, "tls") },
  "HTTP-FLV": { on: "http", open: (port) => watchFlv(`http://127.0.0.1:${port}/live/wide.flv`) },
  "HTTPS-FLV": { on: "https", open: (port) => watchFlv(`https://127.0.0.1:${port}/live/wide.flv`) },
  "WS-FLV": { on: "http", open: (port) => watchFlv(`ws://127.0.0.1:${port}/live/wide.flv`) },
};

test("viewers behind a narrow wire skip to key frames, and get the rest when the publisher leaves and the wire is wide again", async () => {
  await using stack = new AsyncDisposableStack();
  const wires: FaultProxy[] = [];
  const slow: [string, Viewer][] = [];
  for (const [who, { on, open }] of Object.entries(VIEWERS)) {
    const wire = stack.use(await FaultProxy.start({ port: server.port(on) }));
    wires.push(wire);
    slow.push([who, stack.use(await open(wire.port))]);
    wire.throttle(NARROW, "to-client");
  }
  const eager = stack.use(await watchRtmp(server.port(), "tcp"));
  await server.viewers("live/wide", slow.length + 1);
  await using publisher = await connectPeer({ port: server.port(), app: "live" });
  await publisher.publish("wide");
  const crowning = units.length - CROWNING_UNITS;
  await sendAtPace(publisher, units.slice(0, crowning));
  await until("everybody's skip", async () => {
    const players = (await server.sessions()).filter(({ role }) => role === "player");
    return players.filter(({ skips }) => skips > 0).length === slow.length ? true : undefined;
  });
  await publisher.sendAll(units.slice(crowning)); // more than a wire takes at once, so that something is owed
  publisher.leave();
  await eager.told;
  assertSameFrames(eager.units, units, "the eager viewer");
  for (const wire of wires) wire.heal();
  for (const [who, viewer] of slow) {
    await viewer.told;
    assertSkipsOnly(viewer.units, who);
  }
});

async function sendAtPace(publisher: RtmpPeer, some: readonly Unit[]): Promise<void> {
  for (let i = 0; i < some.length; i += BURST_UNITS) {
    await publisher.sendAll(some.slice(i, i + BURST_UNITS));
    await pause(BURST_MILLIS);
  }
}

/** What was sent, but for holes that end with set-up and a key frame; and the last frame. */
function assertSkipsOnly(received: readonly Unit[], who: string): void {
  assertTimeNeverBack(received, who);
  const places = new Map(units.map((unit, i) => [describeUnit(unit), i]));
  const frames = received.filter(isCoded);
  let skips = 0;
  let before = -1;
  for (const [i, unit] of received.entries()) {
    if (!isCoded(unit)) continue;
    const place = places.get(describeUnit(unit));
    assert.ok(place !== undefined, `${who}: ${describeUnit(unit)} was never sent`);
    assert.ok(place > before, `${who}: ${describeUnit(unit)} came out of order`);
    if (units.slice(before + 1, place).some(isCoded)) {
      skips++;
      assert.ok(isKey(unit), `${who}: goes on at ${describeUnit(unit)}, which is no key frame`);
      assert.ok(
        received.slice(Math.max(0, i - 3), i).some((one) => isConfig(one)),
        `${who}: no set-up before the key frame`,
      );
    }
    before = place;
  }
  assert.ok(skips > 0, `${who} never skipped`);
  assert.equal(describeUnit(frames.at(-1) as Unit), describeUnit(units.at(-1) as Unit), `${who}: the last frame`);
}

async function watchRtmp(port: number, over: "tcp" | "tls"): Promise<Viewer> {
  const peer = await connectPeer({ port, app: "live", over });
  peer.play("wide");
  await peer.status("NetStream.Play.Start");
  const told = peer.status("NetStream.Play.UnpublishNotify", { waitMillis: 120_000 });
  told.catch(() => {});
  return {
    get units() {
      return peer.units;
    },
    told,
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function watchFlv(url: string): Promise<Viewer> {
  const viewer = await (url.startsWith("ws") ? watchWebSocket(url) : watchHttp(url));
  return { units: viewer.units, told: viewer.ended, [Symbol.asyncDispose]: () => viewer[Symbol.asyncDispose]() };
}

function padded(unit: Unit): Unit {
  return unit.kind === "video" ? { ...unit, body: Buffer.concat([unit.body, PADDING]) } : unit;
}
