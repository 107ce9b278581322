/** Who is added and promoted next as nodes come and go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@sluice/cache/ids";
import { changedMembers, type MemberChange, type MemberList } from "@sluice/cache/replica/members";
import type { FollowerStatus } from "@sluice/cache/replica/replica-options";
import {
  nextMemberChange,
  nextPromotion,
  type VoterCandidate,
  type VoterPlanFacts,
} from "@sluice/cache/replica/voter-plan";

const LAST = 100;

/** `a b* c*`: stars are learners. */
const list = (text: string): MemberList =>
  text.split(" ").map((word) => {
    const id = word.replace("*", "") as MemberId;
    return { id, role: word.endsWith("*") ? "learner" : "voter", address: `${id}:1` };
  });

/** `a b ~c`: a tilde stands before edges. */
const nodes = (text: string): readonly VoterCandidate[] =>
  text.split(" ").map((word) => {
    const id = word.replace("~", "") as MemberId;
    return { id, rank: word.startsWith("~") ? "last" : "first", address: `${id}:1` };
  });

const follower = (id: string, more: Partial<FollowerStatus> = {}): FollowerStatus =>
  ({ id, held: LAST, synced: LAST, silentFor: 10, isGettingSnapshot: false, ...more }) as FollowerStatus;

const facts = (members: string, candidates: string, more: Partial<VoterPlanFacts> = {}): VoterPlanFacts => ({
  self: "a" as MemberId,
  members: list(members),
  followers: list(members).map(({ id }) => follower(id)),
  lastIndex: LAST,
  candidates: nodes(candidates),
  wish: "auto",
  ...more,
});

const told = (change: MemberChange | undefined): string =>
  change === undefined ? "nothing" : `${change.type} ${change.id}`;
const next = (...of: Parameters<typeof facts>): string => told(nextMemberChange(facts(...of)));

/** Changes until there are none, everybody catching up at once. */
function grown(members: string, candidates: string, wish: VoterPlanFacts["wish"] = "auto"): string {
  let now = list(members);
  for (let i = 0; i < 20; i++) {
    const followers = now.map(({ id }) => follower(id));
    const change = nextMemberChange({ ...facts(members, candidates, { wish }), members: now, followers });
    if (change === undefined) break;
    now = changedMembers(now, change);
    assert.ok(now.filter(({ role }) => role === "learner").length <= 2);
  }
  return now
    .map(({ id, role }) => (role === "voter" ? id : `${id}*`))
    .sort()
    .join(" ");
}

test("[REP343] voters go 1, 3, 5 as origins come; with two or four nodes nobody new votes", () => {
  assert.equal(grown("a", "a"), "a");
  assert.equal(grown("a", "a b"), "a");
  assert.equal(grown("a", "a b c"), "a b c");
  assert.equal(grown("a b c", "a b c d"), "a b c");
  assert.equal(grown("a b c", "a b c d e"), "a b c d e");
  assert.equal(grown("a", "a b c d e f g"), "a b c d e");
});

test("[REP343] edges vote only to reach three", () => {
  assert.equal(grown("a", "a ~x ~y"), "a x y");
  assert.equal(grown("a", "a ~x b"), "a b x");
  assert.equal(grown("a", "~x a b c"), "a b c");
  assert.equal(grown("a b c", "a b c ~x ~y"), "a b c");
  assert.equal(grown("a b", "a b ~x"), "a b x", "after a removal");
  assert.equal(grown("a b c d", "a b c d ~x"), "a b c d");
});

test("[REP343] two learners that have caught up are promoted right after each other, and one alone is not", () => {
  assert.equal(next("a b* c*", "a b c"), "promote b");
  assert.equal(next("a b c*", "a b c"), "promote c");
  const late = { followers: [follower("b"), follower("c", { held: 0 as never })], lastIndex: 90_000 };
  assert.equal(next("a b* c*", "a b c", late), "nothing");
  const silent = { followers: [follower("b"), follower("c", { silentFor: 2_000 as never })] };
  assert.equal(next("a b* c*", "a b c", silent), "nothing");
  const loading = { followers: [follower("b"), follower("c", { isGettingSnapshot: true })] };
  assert.equal(next("a b* c*", "a b c", loading), "nothing");
});

test("[REP343] a dead voter stays one; a learner that went away makes room for a node that is there", () => {
  assert.equal(next("a b c", "a b d e"), "nothing");
  assert.equal(next("a b* c*", "a b d", { followers: [follower("b")] }), "remove c");
  assert.equal(next("a b* c*", "a b", { followers: [follower("b")] }), "nothing", "nobody would take its place");
});

test("[REP344] a list of voters is followed: those of it that are there are added, whoever votes already stays", () => {
  assert.equal(grown("a", "a b c d", ["a", "c", "d"]), "a c d");
  assert.equal(grown("a", "a b", ["a", "b"]), "a b");
  assert.equal(grown("a", "a b", ["a", "b", "c"]), "a b*", "the third is waited for");
  assert.equal(grown("a b c", "a b c d", ["d"]), "a b c d");
});

test("[REP345] a member whose address has changed is listed with the new one, the leader itself first of all", () => {
  const alone = { members: [{ id: "a" as MemberId, role: "voter" as const, address: "127.0.0.1:0" }] };
  assert.deepEqual(nextMemberChange(facts("a", "a b c", alone)), { type: "add", id: "a", address: "a:1" });
  assert.equal(next("a b c", "a b c"), "nothing");
});

test("[REP343] without candidates there are promotions alone", () => {
  assert.equal(told(nextPromotion(facts("a b*", "a"))), "nothing");
  assert.equal(told(nextPromotion(facts("a b* c*", "a"))), "promote b");
  assert.equal(told(nextPromotion(facts("a b c d e f* g*", "a"))), "nothing");
});
