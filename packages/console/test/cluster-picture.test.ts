// The cluster's page before it is drawn: spots, tones and words from rows, events before answers, when the server is asked.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { EngineAnswer, LinkRow, NodeRow, NodesAnswer } from "@sluice/client/admin-contract";
import { Observable } from "../src/base/observable.ts";
import { headline } from "../src/cluster/cluster-words.ts";
import { MIDDLE, MOST_SPOTS, NodeSpots } from "../src/cluster/node-spots.ts";
import { pictureOf } from "../src/cluster/picture.ts";
import { ByteRates } from "../src/live/byte-rates.ts";
import { ClusterFeed } from "../src/live/cluster-feed.ts";
import type { ClusterView } from "../src/live/cluster-view.ts";
import type { Connection } from "../src/live/live-feed.ts";
import { linkRow, otherNode, SELF } from "./fake-nodes.ts";
import { nodeRow } from "./fake-rows.ts";

const NO_ENGINE: EngineAnswer = { kind: "off", leader: null, members: [] };

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `node-${index}`);

function view(others: readonly NodeRow[], change: Partial<ClusterView> = {}): ClusterView {
  const links = others.filter(({ linked }) => linked).map(({ id }) => ({ ...linkRow(id), inRate: 0, outRate: 800 }));
  return { nodes: [nodeRow(0, SELF), ...others], silent: [], stale: false, links, engine: NO_ENGINE, ...change };
}

test("[CON400] no node moves when another joins or goes, up to as many as there are spots", () => {
  const spots = new NodeSpots();
  let before = new Map(spots.place(["m"]));
  for (const count of [1, 2, 3, 11, 12, 13, 47]) {
    const now = spots.place(["m", ...ids(count)]);
    for (const [id, spot] of before) assert.deepEqual(now.get(id), spot, `${id} among ${count + 1}`);
    assert.equal(new Set([...now.values()].map(({ x, y }) => `${x} ${y}`)).size, count + 1, "no spot twice");
    before = new Map(now);
  }
  const without = spots.place(["m", ...ids(47)].filter((id) => id !== "node-3"));
  assert.deepEqual(without.get("node-4"), before.get("node-4"));
  const again = spots.place(["m", "newcomer", ...ids(47).filter((id) => id !== "node-3")]);
  assert.deepEqual(again.get("newcomer"), before.get("node-3"), "a free spot is used again");
  assert.equal(spots.place(ids(100)).size, MOST_SPOTS);
});

test("[CON400] the node that answers stands in the middle, the others opposite to each other; a crowd is told", () => {
  const three = pictureOf(view([otherNode("b"), otherNode("c")]), new NodeSpots());
  const at = Object.fromEntries(three.nodes.map(({ row, spot }) => [row.id, spot]));
  assert.deepEqual(at, { "media-1": MIDDLE, b: { x: -1, y: 0 }, c: { x: 1, y: 0 } });
  assert.deepEqual([three.size, three.links.length, three.hiddenCount], ["few", 2, 0]);
  assert.equal(pictureOf(view([]), new NodeSpots()).nodes.length, 1);
  assert.equal(pictureOf(view(ids(11).map((id) => otherNode(id))), new NodeSpots()).size, "many");
  const crowd = pictureOf(view(ids(60).map((id) => otherNode(id))), new NodeSpots());
  assert.deepEqual([crowd.size, crowd.nodes.length, crowd.hiddenCount], ["crowd", 1 + MOST_SPOTS, 60 - MOST_SPOTS]);
});

test("[CON401] each node says the one thing to know of it", () => {
  const others = [
    otherNode("fine"),
    otherNode("drains", { state: "draining" }),
    otherNode("suspect", { state: "suspect", linked: false }),
    otherNode("dead", { state: "dead", linked: false }),
    otherNode("unlinked", { linked: false }),
    otherNode("mute", { sessions: null, engine: null }),
    otherNode("old", { differs: ["version"] }),
    otherNode("guarded", { differs: ["version", "auth"] }),
    otherNode("alone", { engine: "off" }),
  ];
  const { nodes, links } = pictureOf(view(others, { silent: ["mute"] }), new NodeSpots());
  const said = Object.fromEntries(nodes.map(({ row, tone, note }) => [row.id, `${tone} ${note}`]));
  assert.deepEqual(said, {
    "media-1": "good leader",
    fine: "good voter",
    drains: "busy draining",
    suspect: "warn suspect",
    dead: "gone dead",
    unlinked: "warn no link",
    mute: "warn no answer",
    old: "warn other version",
    guarded: "warn other auth",
    alone: "good ready",
  });
  const missing = links.filter(({ link }) => link === undefined).map(({ peer }) => peer);
  assert.deepEqual(missing.sort(), ["suspect", "unlinked"], "nobody expects a link to the dead");
  assert.equal(nodes.find(({ row }) => row.id === "mute")?.load, "");
});

test("[CON401] the headline counts who is there, who is linked, and names the leader", () => {
  assert.equal(headline(view([])), "1 node, media-1 leads the engine");
  const three = [otherNode("b"), otherNode("c")];
  assert.match(headline(view([otherNode("b", { engine: "leader" })])), /all linked, engines of their own$/);
  assert.equal(headline(view(three)), "3 nodes, all linked, media-1 leads the engine");
  const hurt = [otherNode("b", { state: "suspect", linked: false }), otherNode("c", { state: "dead", linked: false })];
  assert.equal(headline(view(hurt)), "2 nodes, 0 linked with this one, media-1 leads the engine");
});

test("[CON402] rates of links are differences of answers; a link that began anew begins at 0", () => {
  const rates = new ByteRates<LinkRow>(({ peer }) => peer);
  const at = (bytesIn: number) => [linkRow("b", { bytesIn, bytesOut: 0 })];
  assert.equal(rates.take(at(1_000), 10_000)[0]?.inRate, 0);
  assert.equal(rates.take(at(3_000), 12_000)[0]?.inRate, 8_000);
  assert.equal(rates.take(at(3_100), 12_100)[0]?.inRate, 8_000, "too soon for another");
  assert.equal(rates.take(at(4_000), 13_000)[0]?.inRate, 8_000);
  assert.equal(rates.take(at(50), 15_000)[0]?.inRate, 0);
});

const AT = "2026-11-21T10:00:00.000Z";

/** A feed whose server answers when the test says so. */
function feedOf(t: TestContext, first: readonly NodeRow[]) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const isPageVisible = new Observable(true);
  const answers: (() => void)[] = [];
  const world = { nodes: first, asked: 0 };
  const api = {
    nodes: () => {
      world.asked++;
      const nodes = [nodeRow(0, SELF), ...world.nodes];
      return new Promise<NodesAnswer>((resolve) => answers.push(() => resolve({ nodes, silent: [], stale: false })));
    },
    links: async () => world.nodes.filter(({ linked }) => linked).map(({ id }) => linkRow(id)),
    engine: async () => NO_ENGINE,
  };
  const feed = new ClusterFeed({ api, connection: new Observable<Connection>({ at: "open" }), isPageVisible });
  const answer = async (): Promise<void> => {
    answers.shift()?.();
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  const shown = (): string => {
    const state = feed.state.get();
    if (state.at !== "ready") return state.at;
    const words = state.view.nodes.filter(({ self }) => !self).map((row) => `${row.id} ${row.state} ${row.linked}`);
    return `${words.join(", ")}; ${state.view.links.map(({ peer }) => peer).join()}`;
  };
  return { feed, world, isPageVisible, answer, shown };
}

test("[CON403] events change the picture at once, also where an older answer is still on its way", async (t) => {
  const { feed, answer, shown } = feedOf(t, [otherNode("b"), otherNode("c")]);
  feed.watch();
  await answer();
  assert.equal(shown(), "b ready true, c ready true; b,c");
  t.mock.timers.tick(2_000); // the next question is put, and answered after the events below
  feed.noteEvent({ type: "link-down", at: AT, peer: "b", reason: "reset" });
  assert.equal(shown(), "b ready false, c ready true; c");
  feed.noteEvent({ type: "node-suspect", at: AT, id: "b", incarnation: 1_790_000_100 });
  assert.equal(shown(), "b suspect false, c ready true; c");
  await answer();
  assert.equal(shown(), "b suspect false, c ready true; c", "the answer was older");
  feed.noteEvent({ type: "node-dead", at: AT, id: "b", incarnation: 1_790_000_100 });
  assert.equal(shown(), "b dead false, c ready true; c");
});

test("[CON403] what is told of an earlier life leaves the present one alone; a newcomer is asked for", async (t) => {
  const { feed, world, answer, shown } = feedOf(t, [otherNode("b")]);
  feed.watch();
  await answer();
  feed.noteEvent({ type: "node-left", at: AT, id: "b", incarnation: 7, reason: "restarted" });
  assert.equal(shown(), "b ready true; b");
  world.nodes = [otherNode("b"), otherNode("new")];
  feed.noteEvent({ type: "node-joined", at: AT, id: "new", incarnation: 1 });
  t.mock.timers.tick(1_000);
  await answer();
  assert.equal(shown(), "b ready true, new ready true; b,new");
});

test("[CON404] nothing is asked while no page shows the cluster, or while nobody can see the page", async (t) => {
  const { feed, world, isPageVisible, answer } = feedOf(t, [otherNode("b")]);
  const pass = async (millis: number): Promise<number> => {
    const before = world.asked;
    for (let passed = 0; passed < millis; passed += 500) {
      t.mock.timers.tick(500);
      await answer();
    }
    return world.asked - before;
  };
  feed.noteEvent({ type: "link-up", at: AT, peer: "b", direction: "in" });
  assert.equal(await pass(10_000), 0);
  const leave = feed.watch();
  const watched = await pass(60_000);
  assert.ok(watched > 5 && watched <= 61, `${watched} questions in a minute`);
  isPageVisible.set(false);
  await pass(2_000);
  feed.noteEvent({ type: "link-down", at: AT, peer: "b", reason: "reset" });
  assert.equal(await pass(60_000), 0);
  isPageVisible.set(true);
  assert.ok((await pass(2_000)) > 0, "seen again, asked again");
  leave();
  await pass(2_000);
  assert.equal(await pass(60_000), 0);
});
