/** Streams between nodes: one copy for each node, from whom it comes, and what happens when that is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "@sluice/cluster/relay/frame-form";
import { ALL_KINDS, encodeRequest } from "@sluice/cluster/relay/messages";
import type { PublicationId, Timestamp } from "@sluice/media/frame";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Channel } from "@sluice/mesh/channel";
import { type Encoder, GOP_FRAMES, GRACE, RelayWorld, unit, Viewer } from "./relay-world.ts";

const CAM = "live/cam" as StreamKey;

function linked(names: readonly string[], from?: ReadonlyMap<string, readonly string[]>): RelayWorld {
  const world = new RelayWorld(1, from);
  for (const name of names) world.start(name);
  allLinked(world);
  return world;
}

function allLinked(world: RelayWorld): void {
  const { size } = world.relays;
  world.runUntil("links", () => [...world.relays.values()].every(({ mesh }) => mesh.links.size === size - 1));
}

function send(world: RelayWorld, encoder: Encoder, pictures: number): void {
  for (let i = 0; i < pictures; i++) {
    encoder.send();
    world.run(40);
  }
}

function numbers({ items }: Viewer): readonly number[] {
  return items.filter(({ kind, role }) => kind === "video" && role !== "config").map(({ number }) => number);
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const pathAt = (world: RelayWorld, name: string): readonly string[] | undefined =>
  world.get(name).relay.findMirror(CAM)?.source?.path;
const nodesServed = (world: RelayWorld, name: string): readonly string[] =>
  [...world.get(name).relay.copies].map(({ node }) => node);

test("[RLY1] however many viewers a node has, it takes one copy, and all of them see every frame", () => {
  const world = linked(["a", "b"]);
  const encoder = world.publish("a", CAM);
  const viewers = [1, 2, 3].map(() => new Viewer(world.get("b"), CAM));
  send(world, encoder, 25);
  assert.deepEqual(nodesServed(world, "a"), ["b"]);
  for (const viewer of viewers) {
    assert.deepEqual(viewer.notices, ["published"]);
    assert.deepEqual(
      viewer.items.slice(0, 3).map(({ kind, role }) => `${kind} ${role}`),
      ["data metadata", "video config", "audio config"],
    );
    assert.deepEqual(numbers(viewer), upTo(25));
  }
});

test("[RLY2] a node that has no copy yet gets set-up and the cached GOP at once", () => {
  const world = linked(["a", "b"]);
  const encoder = world.publish("a", CAM);
  send(world, encoder, GOP_FRAMES + 4);
  const viewer = new Viewer(world.get("b"), CAM);
  world.run(40);
  assert.deepEqual(numbers(viewer), [10, 11, 12, 13]);
});

test("[RLY3] who plays before anybody publishes costs no channel, and sees the first frame wherever it comes from", () => {
  const world = linked(["a", "b", "c"]);
  const viewer = new Viewer(world.get("b"), CAM);
  world.run(5_000);
  assert.equal(world.get("b").relay.findMirror(CAM)?.upstream, undefined);
  assert.ok(!world.get("b").streams.isPublished(CAM));
  send(world, world.publish("c", CAM), 3);
  assert.deepEqual(numbers(viewer), upTo(3));
  assert.ok(world.get("a").streams.isPublished(CAM), "also where nobody plays it");
});

test("[RLY4] a copy stays for a while after the last viewer, and is given up then", () => {
  const world = linked(["a", "b"]);
  const encoder = world.publish("a", CAM);
  const first = new Viewer(world.get("b"), CAM);
  send(world, encoder, 5);
  const channel = world.get("b").relay.findMirror(CAM)?.upstream?.channel;
  first.leave();
  send(world, encoder, 20);
  const second = new Viewer(world.get("b"), CAM);
  assert.equal(second.picture?.number, 24, "from the copy that is there");
  assert.equal(world.get("b").relay.findMirror(CAM)?.upstream?.channel, channel);
  second.leave();
  send(world, encoder, 250);
  assert.deepEqual(nodesServed(world, "a"), []);
  assert.equal(world.get("b").streams.size, 0);
});

test("[RLY5] where the link to the home is broken the stream comes through a node that is linked to both", () => {
  const world = linked(["a", "b", "c"]);
  const encoder = world.publish("a", CAM);
  const viewer = new Viewer(world.get("b"), CAM);
  send(world, encoder, 5);
  for (const [from, to] of [
    ["a", "b"],
    ["b", "a"],
  ] as const)
    world.network.cut(from, to, "close");
  send(world, encoder, 50);
  assert.deepEqual(pathAt(world, "b"), ["b", "c", "a"]);
  assert.equal(viewer.picture?.number, 54);
  assert.deepEqual(numbers(viewer), upTo(55), "the cached GOP fills the gap");
  world.network.heal();
  send(world, encoder, 250);
  assert.deepEqual(pathAt(world, "b"), ["b", "a"], "once the link has stood for a while");
  assert.deepEqual(numbers(viewer), upTo(305));
});

test("[RLY5] a node without a link to the stream says so, and another one is asked", () => {
  const world = linked(["a", "b", "c", "d"]);
  for (const name of ["b", "c"])
    for (const [from, to] of [
      ["a", name],
      [name, "a"],
    ] as const)
      world.network.cut(from, to, "close");
  world.run(500);
  const encoder = world.publish("a", CAM);
  const viewer = new Viewer(world.get("b"), CAM);
  send(world, encoder, 50);
  assert.deepEqual(pathAt(world, "b"), ["b", "d", "a"]);
  assert.equal(viewer.picture?.number, 49);
});

test("[RLY6] the home of a stream that another node publishes has it from there, and only while somebody wants it", () => {
  const world = linked(["a", "b", "c"]);
  const encoder = world.publish("a", CAM, "b");
  send(world, encoder, 12);
  assert.deepEqual(nodesServed(world, "a"), []);
  const viewer = new Viewer(world.get("c"), CAM);
  send(world, encoder, 3);
  assert.deepEqual(pathAt(world, "c"), ["c", "b", "a"]);
  assert.deepEqual(nodesServed(world, "a"), ["b"]);
  assert.deepEqual(numbers(viewer), [10, 11, 12, 13, 14]);
});

test("[RLY6] a changed home is followed without a frame missing", () => {
  const world = linked(["a", "b", "c", "d"]);
  const encoder = world.publish("a", CAM, "b");
  const viewer = new Viewer(world.get("c"), CAM);
  send(world, encoder, 12);
  world.setRow(CAM, { home: "d", publisherAt: "a", publication: encoder.publication.stream.publication });
  send(world, encoder, 20);
  assert.deepEqual(pathAt(world, "c"), ["c", "d", "a"]);
  assert.deepEqual(numbers(viewer), upTo(32));
});

test("[RLY7] configured nodes are asked first, and what they have from others is one copy", () => {
  const from = new Map([
    ["c", ["b"]],
    ["d", ["b"]],
  ]);
  const world = linked(["a", "b", "c", "d"], from);
  const encoder = world.publish("a", CAM);
  const viewers = ["c", "d"].map((name) => new Viewer(world.get(name), CAM));
  send(world, encoder, 12);
  assert.deepEqual(pathAt(world, "c"), ["c", "b", "a"]);
  assert.deepEqual(nodesServed(world, "a"), ["b"]);
  for (const viewer of viewers) assert.deepEqual(numbers(viewer), upTo(12));
  for (const viewer of viewers) viewer.leave();
  send(world, encoder, 500);
  assert.deepEqual(nodesServed(world, "a"), [], "b keeps it for nobody");
});

test("[RLY21] a source that stands still is left for another one before its link is given up", () => {
  const world = linked(["a", "b", "c"], new Map([["c", ["b"]]]));
  const encoder = world.publish("a", CAM);
  const viewer = new Viewer(world.get("c"), CAM);
  send(world, encoder, 12);
  assert.deepEqual(pathAt(world, "c"), ["c", "b", "a"]);
  world.get("b").clock.pause();
  send(world, encoder, 70);
  assert.ok(world.get("c").mesh.links.has("b"));
  assert.deepEqual(pathAt(world, "c"), ["c", "a"]);
  assert.equal(viewer.picture?.number, 81);
  world.get("b").clock.resume();
  send(world, encoder, 20);
  assert.equal(viewer.picture?.number, 101);
});

test("[RLY21] a node that stood still itself blames nobody", () => {
  const world = linked(["a", "b", "c"], new Map([["c", ["b"]]]));
  const encoder = world.publish("a", CAM);
  const viewer = new Viewer(world.get("c"), CAM);
  send(world, encoder, 12);
  world.get("c").clock.pause();
  send(world, encoder, 75);
  world.get("c").clock.resume();
  send(world, encoder, 40);
  assert.deepEqual(pathAt(world, "c"), ["c", "b", "a"]);
  assert.equal(viewer.picture?.number, 126);
});

test("[RLY7] nodes that are configured to ask each other find the home", () => {
  const from = new Map([
    ["b", ["c"]],
    ["c", ["b"]],
  ]);
  const world = linked(["a", "b", "c"], from);
  const encoder = world.publish("a", CAM);
  const viewers = ["b", "c"].map((name) => new Viewer(world.get(name), CAM));
  send(world, encoder, 50);
  for (const viewer of viewers) assert.equal(viewer.picture?.number, 49);
});

test("[RLY8] a hot node names those that have the stream, and gives it all the same where these do not", () => {
  const world = linked(["a", "b", "c"]);
  const encoder = world.publish("a", CAM);
  const first = new Viewer(world.get("b"), CAM);
  send(world, encoder, 5);
  world.get("a").isHot = true;
  const second = new Viewer(world.get("c"), CAM);
  send(world, encoder, 20);
  assert.deepEqual(pathAt(world, "c"), ["c", "b", "a"]);
  world.end("b");
  send(world, encoder, 50);
  assert.deepEqual(pathAt(world, "c"), ["c", "a"]);
  assert.equal(second.picture?.number, 74);
  assert.equal(first.picture?.number, 24);
});

test("[RLY9] the end of a publication is told everywhere, and the next one is heard", () => {
  const world = linked(["a", "b", "c"]);
  const encoder = world.publish("a", CAM);
  const viewer = new Viewer(world.get("b"), CAM);
  send(world, encoder, 3);
  encoder.end("unpublished");
  world.setRow(CAM, undefined);
  world.run(200);
  assert.deepEqual(viewer.notices, ["published", "unpublished"]);
  assert.ok(!world.get("b").streams.isPublished(CAM));
  send(world, world.publish("c", CAM), 3);
  assert.deepEqual(viewer.notices, ["published", "unpublished", "published"]);
  assert.equal(viewer.picture?.publication, 2);
});

test("[RLY10] viewers of a lost home are kept for the grace window, and see who publishes next", () => {
  const world = linked(["a", "b", "c"]);
  const encoder = world.publish("a", CAM);
  const viewer = new Viewer(world.get("b"), CAM);
  send(world, encoder, 15);
  world.end("a");
  world.run(3_000);
  assert.deepEqual(viewer.notices, ["published"]);
  assert.equal(world.get("b").streams.findEntry(CAM)?.state, "grace");
  const next = world.publish("c", CAM);
  send(world, next, 3);
  assert.deepEqual(viewer.notices, ["published"], "nothing but the gap");
  assert.equal(viewer.picture?.publication, 2);
  world.end("c");
  world.setRow(CAM, undefined);
  world.run(GRACE + 500);
  assert.deepEqual(viewer.notices, ["published", "unpublished"]);
});

test("[RLY18] while a node stops its publishers are only gone from it: viewers elsewhere are kept, and see where they publish next", () => {
  const world = linked(["a", "b", "c"]);
  const encoder = world.publish("a", CAM);
  const viewer = new Viewer(world.get("b"), CAM);
  send(world, encoder, 5);
  world.get("a").isLeaving = true;
  encoder.end("unpublished");
  world.setRow(CAM, undefined);
  world.run(500);
  world.end("a");
  send(world, world.publish("c", CAM), 5);
  assert.deepEqual(viewer.notices, ["published"]);
  assert.equal(viewer.picture?.publication, 2);
});

test("[RLY19] frames of a publication that was not announced are not taken, and those of a forged sequence hold up nothing but themselves", () => {
  const world = linked(["a", "b"]);
  const encoder = world.publish("a", CAM);
  const viewer = new Viewer(world.get("b"), CAM);
  send(world, encoder, 3);
  const [copy] = [...world.get("a").relay.copies];
  const frame = { ...unit({ kind: "video", role: "key", number: 99, publication: 9 }, 9_000), dts: 9_000 as Timestamp };
  copy?.channel.send(encodeFrame({ ...frame, publication: "00000000000000ff" as PublicationId, sequence: 0 }));
  send(world, encoder, 3);
  assert.deepEqual(numbers(viewer), upTo(6));
  const { publication } = encoder.publication.stream;
  copy?.channel.send(encodeFrame({ ...frame, publication, sequence: 2 ** 50 }));
  send(world, encoder, 3);
  encoder.end("lost");
  send(world, world.publish("a", CAM), 3);
  assert.equal(viewer.picture?.publication, 2);
});

test("[RLY11] a stream of a local application is asked of nobody, and given to nobody", () => {
  const world = linked(["a", "b"]);
  const key = "local/cam" as StreamKey;
  const encoder = world.publish("a", key);
  const viewer = new Viewer(world.get("b"), key);
  send(world, encoder, 3);
  assert.ok(!world.get("b").streams.isPublished(key));
  assert.equal(viewer.items.length, 0);
  assert.match(asked(world, { key }).reason ?? "", /not shared/);
});

test("[RLY12, RLY14] a link that is slower than a stream loses pictures up to key frames and no sound; other links lose nothing", () => {
  const world = new RelayWorld(1);
  world.start("a", 200);
  for (const name of ["b", "c"]) world.start(name);
  allLinked(world);
  const [large, small] = [world.publish("a", "live/large"), world.publish("a", CAM)];
  const slow = new Viewer(world.get("b"), "live/large");
  const quick = new Viewer(world.get("c"), CAM);
  for (let i = 0; i < 500; i++) {
    large.send(20_000); // 500 kB/s over 200
    small.send();
    world.run(40);
  }
  world.run(3_000);
  assert.deepEqual(numbers(quick), upTo(500));
  const sounds = slow.items.filter(({ kind, role }) => kind === "audio" && role === "delta");
  assert.deepEqual(
    sounds.map(({ number }) => number),
    upTo(500),
  );
  const pictures = numbers(slow).length;
  assert.ok(pictures > 100 && pictures < 400, `${pictures} pictures of 500 over a link for 200`);
  const [copy] = [...world.get("a").relay.copiesOf("live/large" as StreamKey)];
  assert.equal(copy?.counts.droppedVideo, 500 - pictures);
  assert.ok((slow.picture?.number ?? 0) > 450, "it is never far behind");
});

test("[RLY15] a request with a key that no stream has, a form that nobody reads or another's name is refused, and the link stays", () => {
  const world = linked(["a", "b"]);
  for (const [of, why] of [
    [{ key: "live//cam" }, /no stream/],
    [{ form: 0 }, /form/],
    [{ waiting: ["c"] }, /waits/],
    [{ waiting: ["b", "a"] }, /waits/],
    [{ waiting: ["b", ..."cdefghi"] }, /longer/],
  ] as const)
    assert.match(asked(world, of).reason ?? "", why);
  assert.equal(world.get("a").mesh.links.size, 1);
});

test("[RLY15] the streams that are given over one link have a limit; further ones are refused", () => {
  const world = linked(["a", "b"]);
  const channels = upTo(8_001).map((i) => open(world, { key: `live/${i}` }));
  const answers = answersAt(world, channels);
  assert.match(answers.at(-1) ?? "", /limit/);
  assert.equal(answers.filter((reason) => reason !== undefined).length, 1);
  for (const channel of channels) channel.close();
  world.run(100);
  assert.equal([...world.get("a").relay.copies].length, 0);
});

test("[RLY15] a node that asks twice has the later channel alone", () => {
  const world = linked(["a", "b"]);
  world.publish("a", CAM);
  const [first] = [open(world, {}), open(world, {})];
  world.run(100);
  assert.ok(first.isClosed);
  assert.deepEqual(nodesServed(world, "a"), ["b"]);
});

test("[RLY16] a publisher of this node takes the place of the copy, and other nodes follow", () => {
  const world = linked(["a", "b"]);
  const first = world.publish("a", CAM);
  const viewers = ["a", "b"].map((name) => new Viewer(world.get(name), CAM));
  send(world, first, 5);
  first.end("lost");
  const next = world.publish("b", CAM);
  send(world, next, 5);
  assert.equal(world.get("b").relay.findMirror(CAM)?.upstream, undefined);
  for (const viewer of viewers) {
    assert.ok(!viewer.notices.includes("unpublished"));
    assert.equal(viewer.picture?.publication, 2);
    assert.equal(viewer.picture?.number, 4);
  }
});

/** A channel of `b` to `a`, beside what its relay does. */
function open(world: RelayWorld, of: { key?: string; form?: number; waiting?: readonly string[] }): Channel {
  const { key = CAM, form = 1, waiting = ["b"] } = of;
  const link = world.get("b").mesh.links.get("a")?.driver.link;
  const greeting = encodeRequest({ form, wanted: ALL_KINDS, key, waiting });
  return link?.openChannel("stream", { class: "media", greeting }) as Channel;
}

function asked(world: RelayWorld, of: Parameters<typeof open>[1]): { readonly reason: string | undefined } {
  return { reason: answersAt(world, [open(world, of)])[0] };
}

/** Why each channel was closed; `undefined` where it stands. */
function answersAt(world: RelayWorld, channels: readonly Channel[]): readonly (string | undefined)[] {
  const reasons = new Map<Channel, string>();
  const { services } = world.get("b");
  const heard = services.happened.bind(services);
  services.happened = (link, event) => {
    if (event.type === "closed") reasons.set(event.channel, event.reason);
    heard(link, event);
  };
  world.run(200);
  services.happened = heard;
  return channels.map((channel) => reasons.get(channel));
}
