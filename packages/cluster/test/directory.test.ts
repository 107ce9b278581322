/** Claims, leases and epochs: who is home of what, and who acknowledges nothing any more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClaimState, HomeClaim } from "@sluice/cluster/directory/home-claim";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import { DirectoryWorld, HOSTS, type Member } from "./directory-world.ts";

const at = ({ state }: HomeClaim): ClaimState["at"] => state.at;

async function world(...names: readonly string[]) {
  const made = new DirectoryWorld(1);
  const members: Member[] = [];
  for (const name of names) members.push(await made.join(name));
  return { world: made, a: members[0] as Member, b: members[1] as Member, c: members[2] as Member };
}

function epochOf({ state }: HomeClaim): Epoch {
  assert.ok(state.at === "confirmed");
  return state.epoch;
}

const WAIT = { ifTaken: "wait" } as const;
const YIELD = { ifTaken: "yield" } as const;
const publication = (number: number, publisherAt: string) => ({
  publication: String(number).padStart(16, "0"),
  publisherAt,
});

test("[CLU30] every node sees the rows of all, reads them without waiting, and hears each change once", async () => {
  const { world: w, a, b } = await world("a", "b");
  const told: string[] = [];
  b.directory.view.onChange((change) =>
    told.push(change.type === "home" ? `${change.key} ${change.row?.home}` : change.type),
  );
  await w.until("b knows a", () => b.directory.view.findNode("a") !== undefined);
  told.length = 0;
  const claim = a.directory.claimObject("app/room/1", WAIT);
  await w.until("a confirmed claim", () => at(claim) === "confirmed");
  await w.until("the row at b", () => b.directory.findHome("object", "app/room/1")?.home === "a");
  claim.release();
  await w.until("no row at b", () => b.directory.findHome("object", "app/room/1") === undefined);
  assert.deepEqual(told, ["app/room/1 a", "app/room/1 undefined"]);
  assert.equal(at(claim), "released");
});

test("[CLU31] of two that claim one key at once one is home; the other waits, and follows when that one releases", async () => {
  const { world: w, a, b } = await world("a", "b");
  const claims = [a.directory.claimObject("o", WAIT), b.directory.claimObject("o", WAIT)] as const;
  await w.until("one home", () => claims.some((claim) => at(claim) === "confirmed"));
  await w.advance(10_000);
  const [home, other] = at(claims[0]) === "confirmed" ? claims : [claims[1], claims[0]];
  assert.deepEqual([home.mayAcknowledge, other.mayAcknowledge], [true, false]);
  assert.equal(other.state.at === "claiming" && other.state.why, "taken");
  const before = epochOf(home);
  home.release();
  await w.until("the other is home", () => at(other) === "confirmed");
  assert.ok(compareEpochs(epochOf(other), before) > 0);
});

test("[CLU31] a claim that is not to wait is lost at once, and names who is home", async () => {
  const { world: w, a, b } = await world("a", "b");
  const first = a.directory.claimStream("live/cam", { ...publication(1, "a"), ...YIELD });
  await w.until("a home", () => at(first) === "confirmed");
  const second = b.directory.claimStream("live/cam", { ...publication(2, "b"), ...YIELD });
  await w.until("it is lost", () => at(second) === "lost");
  assert.equal(second.state.at === "lost" && second.state.to?.home, "a");
  assert.ok(first.mayAcknowledge);
});

test("[CLU32] the same publication at a new home takes the row at once, whatever lease the old one had", async () => {
  const { world: w, a, b } = await world("a", "b");
  const old = a.directory.claimStream("live/cam", { ...publication(1, "e"), ...WAIT });
  await w.until("a home", () => at(old) === "confirmed");
  const asked = w.clock.now();
  const taken = b.directory.claimStream("live/cam", { ...publication(1, "e"), ...WAIT });
  await w.until("a new home", () => at(taken) === "confirmed");
  assert.ok(w.clock.now() - asked < 500, "it did not wait for the lease");
  await w.until("the old one hears", () => at(old) === "lost");
  assert.equal(a.directory.findHome("stream", "live/cam")?.home, "b");
});

test("[CLU33] another publication, and every object, waits until the lease of a dead home has run out, and not longer", async () => {
  const { world: w, a, b } = await world("a", "b");
  const claims = [
    a.directory.claimStream("live/cam", { ...publication(1, "a"), ...WAIT }),
    a.directory.claimObject("o", WAIT),
  ];
  await w.until("homes", () => claims.every((claim) => at(claim) === "confirmed"));
  await w.until(
    "both at b",
    () => b.directory.view.homes("object").length + b.directory.view.homes("stream").length === 2,
  );
  const next = [
    b.directory.claimStream("live/cam", { ...publication(2, "b"), ...WAIT }),
    b.directory.claimObject("o", WAIT),
  ];
  await w.advance(5_000);
  assert.deepEqual(next.map(at), ["claiming", "claiming"], "while the home lives they wait");
  const until = a.directory.homesLease?.validUntil ?? 0;
  w.end("a");
  await w.until("new homes", () => {
    if (next.some((claim) => at(claim) === "confirmed")) assert.ok(w.clock.now() >= until);
    return next.every((claim) => at(claim) === "confirmed");
  });
  assert.ok(w.clock.now() < until + 500);
});

test("[CLU34] a paused home that wakes up acknowledges nothing, also before it has heard of its end", async () => {
  const { world: w, a, b } = await world("a", "b");
  const old = a.directory.claimObject("o", WAIT);
  await w.until("a home", () => old.mayAcknowledge);
  const next = b.directory.claimObject("o", WAIT);
  a.clock.pause();
  await w.until("a new home", () => next.mayAcknowledge);
  assert.equal(old.mayAcknowledge, false, "by its own clock alone");
  a.clock.resume();
  assert.equal(old.mayAcknowledge, false);
  await w.until("it hears that it has lost", () => at(old) === "lost");
  assert.ok(next.mayAcknowledge);
});

test("[CLU35] an object whose lease has run out is paused, and home again where nobody else was, with a higher epoch", async () => {
  const { world: w, a } = await world("a", "b");
  const claim = a.directory.claimObject("o", WAIT);
  const states = w.record("a", claim);
  await w.until("a home", () => claim.mayAcknowledge);
  const before = epochOf(claim);
  w.isolate(["a"]);
  await w.until("a pause", () => at(claim) === "paused");
  assert.equal(claim.mayAcknowledge, false);
  w.network.heal();
  await w.until("home again", () => claim.mayAcknowledge);
  assert.ok(compareEpochs(epochOf(claim), before) > 0);
  assert.deepEqual(
    states.map((state) => state.at),
    ["confirmed", "paused", "confirmed"],
  );
  assert.equal(claim.state.at === "confirmed" && claim.state.since, "claimed", "somebody may have been home meanwhile");
});

test("[CLU35] an object whose row outlived the lease of its home is resumed: nobody else was home", async () => {
  const { world: w, a } = await world("a");
  const claim = a.directory.claimObject("o", WAIT);
  await w.until("a home", () => claim.mayAcknowledge);
  const token = a.directory.homesLease?.token;
  assert.ok(token !== undefined);
  w.isolate(["a"]);
  await w.until("a pause", () => {
    w.store.renew(token); // as a new leader does, which gives every lease its whole time again
    return at(claim) === "paused";
  });
  w.network.heal();
  await w.until("home again", () => claim.mayAcknowledge);
  assert.equal(claim.state.at === "confirmed" && claim.state.since, "resumed");
});

test("[CLU36] a claim that the engine cannot confirm is provisional for a stream, told to linked nodes, and refused for an object", async () => {
  const { world: w, a, b } = await world("a", "b");
  for (const { engine } of w.hosts.values()) engine.cut();
  const stream = a.directory.claimStream("live/cam", { ...publication(1, "a"), ...WAIT });
  const object = a.directory.claimObject("o", WAIT);
  await w.until("a provisional home", () => at(stream) === "provisional");
  await w.until("the object says why", () => object.state.at === "claiming" && object.state.why === "unavailable");
  assert.equal(stream.mayAcknowledge, false);
  await w.until("b heard", () => b.directory.findHome("stream", "live/cam") !== undefined);
  assert.deepEqual(b.directory.findHome("stream", "live/cam"), {
    ...publication(1, "a"),
    home: "a",
    incarnation: 1,
    isConfirmed: false,
  });
  const other = b.directory.claimStream("live/cam", { ...publication(2, "b"), ...YIELD });
  await w.until("b takes the key for taken", () => at(other) === "lost");
  for (const { engine } of w.hosts.values()) engine.heal();
  await w.until("both confirmed", () => at(stream) === "confirmed" && at(object) === "confirmed");
  await w.until("b sees it", () => b.directory.findHome("stream", "live/cam")?.isConfirmed === true);
});

test("[CLU37] at healing confirmed beats provisional", async () => {
  const { world: w, a, b } = await world("a", "b");
  w.isolate(["a"]);
  const provisional = a.directory.claimStream("live/cam", { ...publication(1, "a"), ...WAIT });
  const confirmed = b.directory.claimStream("live/cam", { ...publication(2, "b"), ...WAIT });
  await w.until("two homes", () => at(provisional) === "provisional" && at(confirmed) === "confirmed");
  w.network.heal();
  await w.until("the provisional one yields", () => at(provisional) === "lost");
  assert.equal(provisional.state.at === "lost" && provisional.state.to?.home, "b");
  await w.advance(5_000);
  assert.ok(confirmed.mayAcknowledge);
});

test("[CLU37] of two provisional homes, one on each side of a partition, one is confirmed at healing and the other yields", async () => {
  const { world: w, a, b } = await world("a", "b");
  w.network.partition([["a"], ["b"], HOSTS], "vanish");
  const claims = [
    a.directory.claimStream("live/cam", { ...publication(1, "a"), ...WAIT }),
    b.directory.claimStream("live/cam", { ...publication(2, "b"), ...WAIT }),
  ];
  await w.until("two provisional homes", () => claims.every((claim) => at(claim) === "provisional"));
  w.network.heal();
  await w.until("it is settled", () => claims.every((claim) => at(claim) === "confirmed" || at(claim) === "lost"));
  assert.deepEqual(claims.map(at).sort(), ["confirmed", "lost"]);
});

test("[CLU38] a stream whose home lost its lease goes on as provisional, and is confirmed again at healing", async () => {
  const { world: w, a, b } = await world("a", "b");
  const claim = a.directory.claimStream("live/cam", { ...publication(1, "a"), ...WAIT });
  const states = w.record("a", claim);
  await w.until("a home", () => at(claim) === "confirmed");
  for (const { engine } of w.hosts.values()) engine.cut();
  await w.until("provisional", () => at(claim) === "provisional");
  assert.equal(b.directory.findHome("stream", "live/cam")?.home, "a");
  for (const { engine } of w.hosts.values()) engine.heal();
  await w.until("confirmed again", () => at(claim) === "confirmed");
  assert.deepEqual(
    states.map((state) => state.at),
    ["confirmed", "provisional", "confirmed"],
  );
});

test("[CLU70] a publisher that goes from node to node ten times a second leaves one home: that of its last publication", async () => {
  const { world: w, a, b, c } = await world("a", "b", "c");
  const made: HomeClaim[] = [];
  for (let round = 0; round < 100; round++) {
    const { directory, name } = round % 2 === 0 ? a : b;
    const claim = directory.claimStream("live/cam", { ...publication(round, name), ...WAIT });
    w.record(name, claim);
    made.at(-1)?.release();
    made.push(claim);
    await w.advance(100);
  }
  const last = made.pop() as HomeClaim;
  await w.until("the last is home", () => at(last) === "confirmed");
  await w.during(Promise.all(made.map((claim) => claim.finished)));
  await w.until("all see it", () =>
    [a, b, c].every(({ directory: { view } }) => {
      const row = view.findHome("stream", "live/cam");
      return row?.home === "b" && row.publication === last.wish.fields.publication;
    }),
  );
  assert.ok(made.every((claim) => at(claim) === "released"));
  last.release();
  await w.during(last.finished);
  await w.until("nothing is left", () =>
    [a, b, c].every(({ directory }) => directory.findHome("stream", "live/cam") === undefined),
  );
});

test("[CLU39] a home that froze acknowledges nothing; whom it hands its epoch to takes the row without waiting", async () => {
  const { world: w, a, b } = await world("a", "b");
  const old = a.directory.claimObject("o", WAIT);
  await w.until("a home", () => old.mayAcknowledge);
  const epoch = old.freeze();
  assert.ok(epoch !== undefined);
  assert.equal(old.mayAcknowledge, false);
  const asked = w.clock.now();
  const next = b.directory.claimObject("o", { ...WAIT, takesFrom: epoch });
  await w.until("a new home", () => next.mayAcknowledge);
  assert.ok(w.clock.now() - asked < 500);
  await w.until("the old one hears", () => at(old) === "lost");
});

test("[CLU39] a hand-over that fails leaves the home where it was, under a higher epoch that makes the old one worthless", async () => {
  const { world: w, a, b } = await world("a", "b");
  const claim = a.directory.claimObject("o", WAIT);
  await w.until("a home", () => claim.mayAcknowledge);
  const epoch = claim.freeze() as Epoch;
  claim.resume();
  await w.until("home again", () => claim.mayAcknowledge);
  assert.equal(claim.state.at === "confirmed" && claim.state.since, "resumed");
  const late = b.directory.claimObject("o", { ...YIELD, takesFrom: epoch });
  await w.until("too late", () => at(late) === "lost");
  assert.ok(claim.mayAcknowledge);
});

test("[CLU40] a node is gone once its row is: after its lease when it died, at once when it closed, and never while the view is stale", async () => {
  const { world: w, a, b, c } = await world("a", "b", "c");
  await w.until("all in view", () => a.directory.view.nodes.length === 3);
  assert.equal(a.directory.view.isGone("b", 2), false);
  w.isolate(["a"]);
  w.end("b");
  await w.until("a stale view", () => a.directory.view.isStale);
  await w.advance(20_000);
  assert.equal(a.directory.view.isGone("b", 2), false, "it cannot be told");
  w.network.heal();
  await w.until("b is gone", () => a.directory.view.isGone("b", 2));
  await w.during(Promise.resolve(c.directory[Symbol.asyncDispose]()));
  await w.until("c is gone", () => a.directory.view.isGone("c", 3));
  const again = await w.join("b");
  await w.until("b's next life", () => a.directory.view.findNode("b")?.incarnation === 4);
  assert.deepEqual([a.directory.view.isGone("b", 2), a.directory.view.isGone("b", 4)], [true, false]);
  assert.ok(b.clock.isStopped);
  assert.equal(again.directory.homesLease, undefined);
});

test("[CLU46] a node takes the lease of its homes with its first claim", async () => {
  const { world: w, a, b } = await world("a", "b");
  await w.until("both in view", () => a.directory.view.nodes.length === 2);
  await w.advance(20_000);
  assert.deepEqual([a.directory.homesLease, b.directory.homesLease], [undefined, undefined]);
  const claim = a.directory.claimObject("o", YIELD);
  await w.until("home", () => claim.mayAcknowledge);
  assert.ok(a.directory.homesLease !== undefined);
  assert.equal(b.directory.homesLease, undefined);
});

test("[CLU41] a claim to a key that this node claims already takes the place of the earlier one", async () => {
  const { world: w, a } = await world("a");
  const first = a.directory.claimStream("live/cam", { ...publication(1, "a"), ...WAIT });
  await w.until("a home", () => at(first) === "confirmed");
  const second = a.directory.claimStream("live/cam", { ...publication(2, "a"), ...WAIT });
  await w.until("the second is home", () => at(second) === "confirmed");
  assert.equal(at(first), "released");
  await w.until(
    "its row",
    () => a.directory.findHome("stream", "live/cam")?.publication === second.wish.fields.publication,
  );
  await w.during(first.finished);
  assert.ok(second.mayAcknowledge);
});
