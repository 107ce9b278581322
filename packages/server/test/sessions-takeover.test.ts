/** A key whose publisher may be gone: who is asked, who lets go, and who keeps it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SignOfLife } from "@sluice/server/sessions/sign-of-life";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { AVC_HEADER, AVC_KEY } from "./sessions-fixture.ts";
import { type Peer, World } from "./sessions-world.ts";

const GRACE = 10_000 as Millis;

/** Its publisher has sent a picture, and somebody watches. */
async function onAir(): Promise<{ readonly world: World; readonly holder: Peer; readonly viewer: Peer }> {
  const world = new World();
  world.publishPolicy = { whenTaken: "refuse", grace: GRACE };
  const holder = await (await world.open().connect()).publish("cam");
  await holder.send(AVC_HEADER);
  await holder.send(AVC_KEY);
  const viewer = await (await world.open().connect()).play("cam");
  return { world, holder, viewer };
}

const claim = async (world: World): Promise<Peer> => (await world.open().connect()).publish("cam");

test("[SES120] a publisher that neither sends nor answers lets go when it was silent for the grace window; viewers stay, untold", async () => {
  const { world, holder, viewer } = await onAir();
  holder.stopReading();
  await world.pass(4);
  const claimant = await claim(world);
  await world.pass(5);
  assert.deepEqual([claimant.codes, world.ended], [[], []], "neither refused nor accepted while there is hope");
  await world.pass(2);
  await world.settle();
  assert.deepEqual([claimant.codes, world.ended], [["NetStream.Publish.Start"], ["timeout"]]);
  await claimant.send(AVC_HEADER);
  const before = viewer.mediaBytes;
  await claimant.send(AVC_KEY);
  assert.ok(viewer.mediaBytes > before, "the viewer gets the picture of the one that came back");
  assert.ok(!viewer.codes.includes("NetStream.Play.UnpublishNotify"));
  assert.equal(world.publishers, 1);
});

test("[SES120] after such a silence a claim waits for nothing but the answer that was due", async () => {
  const { world, holder } = await onAir();
  holder.stopReading();
  await world.pass(15);
  const claimant = await claim(world);
  await world.settle();
  assert.deepEqual(claimant.codes, ["NetStream.Publish.Start"]);
});

test("[SES120] of several that claim, one gets the key, and the others are refused", async () => {
  const { world, holder } = await onAir();
  holder.stopReading();
  await world.pass(2);
  const claimants = [await claim(world), await claim(world), await claim(world)];
  await world.pass(9);
  await world.settle();
  assert.deepEqual(claimants.map(({ codes }) => codes.at(-1) ?? "none").toSorted(), [
    "NetStream.Publish.BadName",
    "NetStream.Publish.BadName",
    "NetStream.Publish.Start",
  ]);
});

test("[SES121] a publisher that is quiet and answers keeps its key, however long, and a claim is refused at once", async () => {
  const { world, holder } = await onAir();
  for (let i = 0; i < 3; i++) {
    await world.pass(6);
    const claimant = await claim(world);
    assert.deepEqual(claimant.codes, ["NetStream.Publish.BadName"]);
    claimant.session.end("kicked");
  }
  await holder.send(AVC_KEY, 18_000);
  assert.deepEqual(world.ended, ["kicked", "kicked", "kicked"]);
});

test("[SES121] one that wakes up before its time is over keeps its key", async () => {
  const { world, holder } = await onAir();
  holder.stopReading();
  await world.pass(5);
  const claimant = await claim(world);
  await world.pass(2);
  await holder.send(AVC_KEY, 7_000);
  assert.deepEqual([claimant.codes, world.ended], [["NetStream.Publish.BadName"], []]);
});

test("[SES121] what is ended or has let go while it was doubted makes nobody wait", async () => {
  const { world, holder } = await onAir();
  holder.stopReading();
  await world.pass(3);
  const claimant = await claim(world);
  holder.session.end("kicked");
  await world.settle();
  assert.deepEqual(claimant.codes, ["NetStream.Publish.Start"]);
});

/** Questions that were sent, on a clock of its own. */
function doubted() {
  const clock = new FakeClock();
  let asked = 0;
  const signs = new SignOfLife(clock, () => asked++);
  const tick = (seconds: number, interval = 3_000): void => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1_000);
      signs.tick(clock.now(), interval as Millis);
    }
  };
  return { clock, signs, tick, asked: () => asked };
}

test("[SES122] who is silent is asked each interval, who speaks is not, and an interval of 0 never asks", () => {
  const { signs, tick, asked } = doubted();
  tick(10);
  assert.equal(asked(), 3);
  for (let i = 0; i < 10; i++) {
    signs.hear();
    tick(2);
  }
  assert.equal(asked(), 3);
  tick(60, 0);
  assert.equal(asked(), 3);
});

test("[SES123] the whole process may pause: what came meanwhile is read before anybody is given up", async () => {
  const { clock, signs } = doubted();
  clock.advance(2_000);
  const verdict = signs.prove(GRACE);
  let polled: (() => void) | undefined;
  const { afterPoll } = clock;
  clock.afterPoll = (action) => {
    polled = action;
    return { cancel: () => (polled = undefined) };
  };
  clock.advance(60_000);
  signs.hear();
  clock.afterPoll = afterPoll;
  assert.equal(polled, undefined);
  assert.equal(await verdict, true);
});

test("[SES123] an answer has its three seconds, however short the patience and however long the silence before", async () => {
  const { clock, signs, asked } = doubted();
  clock.advance(60_000);
  const verdicts: boolean[] = [];
  void signs.prove(0 as Millis).then((verdict) => verdicts.push(verdict));
  await clock.advanceAsync(2_999);
  assert.deepEqual([verdicts, asked()], [[], 1]);
  await clock.advanceAsync(2);
  assert.deepEqual(verdicts, [false]);
  assert.equal(clock.pendingCount, 0);
});
