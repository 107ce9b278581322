/** What a member says of a leader that is down, unheard, on its way out or unknown: Sentinel, ROLE, INFO, and events. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@sluice/cache/ids";
import type { ClusterView, LeaderStanding, MemberRow } from "@sluice/cache/resp/command-backend";
import { SentinelEvents } from "@sluice/cache/resp/sentinel-events";
import { CLUSTER, following } from "./support/one-member.ts";
import { bulk, Talk } from "./support/resp-talk.ts";

const ADDRESS = "SENTINEL get-master-addr-by-name sluice\r\n";
const NO_ADDRESS = "*-1\r\n";
const UNKNOWN = "-ERR No such master with that name\r\n";

/** All reachable, but those named. */
function rows(...unreachable: string[]): readonly MemberRow[] {
  return CLUSTER.members.map((row) => ({ ...row, isReachable: !unreachable.includes(row.id) }));
}

function seenBy(self: string, cluster: ClusterView, standing: LeaderStanding, ...unreachable: string[]): ClusterView {
  return { ...cluster, self: self as MemberId, leaderStanding: standing, members: rows(...unreachable) };
}

function flagsIn(reply: string): string[] {
  return [...reply.matchAll(/flags\r\n\$\d+\r\n([^\r]*)/g)].map(([, flags]) => flags as string);
}

const STANDINGS: readonly (readonly [LeaderStanding, readonly string[], string])[] = [
  ["up", [], "master"],
  ["changing", [], "master,failover_in_progress"],
  ["unheard", ["n2"], "s_down,master,disconnected"],
  ["lost", ["n2"], "s_down,o_down,master,disconnected,failover_in_progress"],
  ["lost", ["n2", "n3"], "s_down,o_down,master,disconnected"],
];

for (const [standing, unreachable, flags] of STANDINGS) {
  test(`[RSP170] a leader that is ${standing}, ${unreachable.length} out of reach: ${flags}`, () => {
    const talk = new Talk();
    talk.member.cluster = seenBy("n1", following("n2"), standing, ...unreachable);
    for (const ask of ["SENTINEL master sluice\r\n", "SENTINEL masters\r\n"]) {
      const reply = talk.say(ask);
      assert.deepEqual(flagsIn(reply), [flags]);
      assert.match(reply, /ip\r\n\$8\r\n10\.0\.0\.2\r\n\$4\r\nport\r\n\$4\r\n6402\r\n/);
    }
    const address = `*2\r\n${bulk("10.0.0.2")}${bulk("6402")}`;
    assert.equal(talk.say(ADDRESS), standing === "up" ? address : NO_ADDRESS);
    assert.equal(
      talk.say("SENTINEL replicas sluice\r\n").match(/master-link-status\r\n\$2\r\nok/g)?.length ?? 0,
      standing === "up" ? 2 : 0,
    );
  });
}

test("[RSP171] a leader that no majority confirms does not say that it is the master", () => {
  const talk = new Talk();
  for (const standing of ["up", "changing"] as const) {
    talk.member.cluster = seenBy("n1", CLUSTER, standing);
    assert.match(talk.say("ROLE\r\n"), /^\*3\r\n\$6\r\nmaster\r\n/);
    assert.match(talk.say("INFO replication\r\n"), /role:master\r\nconnected_slaves:2\r\n/);
    assert.match(talk.say("HELLO 2\r\n"), /role\r\n\$6\r\nmaster\r\n/);
  }
  for (const standing of ["unheard", "lost"] as const) {
    talk.member.cluster = seenBy("n1", CLUSTER, standing);
    assert.equal(talk.say("ROLE\r\n"), `*5\r\n${bulk("slave")}${bulk("")}:0\r\n${bulk("connect")}:9\r\n`);
    assert.match(
      talk.say("INFO replication\r\n"),
      /role:slave\r\nmaster_host:\r\nmaster_port:0\r\nmaster_link_status:down\r\n/,
    );
    assert.match(talk.say("HELLO 2\r\n"), /role\r\n\$5\r\nslave\r\n/);
  }
});

test("[RSP172] ROLE and INFO of a follower say whether it hears its leader", () => {
  const talk = new Talk();
  const expect = (cluster: ClusterView, host: string, port: number, state: string, link: string): void => {
    talk.member.cluster = cluster;
    assert.equal(talk.say("ROLE\r\n"), `*5\r\n${bulk("slave")}${bulk(host)}:${port}\r\n${bulk(state)}:9\r\n`);
    assert.match(talk.say("INFO replication\r\n"), new RegExp(`master_link_status:${link}\r\n`));
  };
  const follower = following("n2");
  expect(seenBy("n1", follower, "up"), "10.0.0.2", 6402, "connected", "up");
  expect(seenBy("n1", follower, "unheard", "n2"), "10.0.0.2", 6402, "connecting", "down");
  expect({ ...seenBy("n1", follower, "lost", "n2"), leader: undefined }, "", 0, "connect", "down");
});

test("[RSP173] who is out of reach is down, as replica and as Sentinel; the last leader is no replica of nobody", () => {
  const talk = new Talk();
  talk.member.cluster = { ...seenBy("n1", following("n2"), "lost", "n2"), leader: undefined };
  assert.deepEqual(flagsIn(talk.say("SENTINEL replicas sluice\r\n")), ["slave", "slave"]);
  assert.deepEqual(flagsIn(talk.say("SENTINEL sentinels sluice\r\n")), ["s_down,sentinel,disconnected", "sentinel"]);
  talk.member.cluster = seenBy("n1", CLUSTER, "up", "n3");
  assert.deepEqual(flagsIn(talk.say("SENTINEL slaves sluice\r\n")), ["slave", "s_down,slave,disconnected"]);
});

test("[RSP174] without a leader that was ever known, and on a member that was removed, there is no such master", () => {
  const talk = new Talk();
  const nameless: ClusterView = {
    ...following("n2"),
    leader: undefined,
    lastLeader: undefined,
    leaderStanding: "lost",
  };
  const portless = CLUSTER.members.map((row) => ({ ...row, port: row.id === "n2" ? 0 : row.port }));
  const removed = following("n9");
  for (const cluster of [nameless, removed, { ...following("n2"), members: portless }]) {
    talk.member.cluster = cluster;
    assert.equal(talk.say("SENTINEL masters\r\n"), "*0\r\n");
    assert.equal(talk.say(ADDRESS), NO_ADDRESS);
    for (const word of ["master", "replicas", "slaves", "sentinels"]) {
      assert.equal(talk.say(`SENTINEL ${word} sluice\r\n`), UNKNOWN, word);
    }
  }
});

test("[RSP175] the quorum is counted of the voters that are heard, learners aside", () => {
  const talk = new Talk();
  const five = ["n1", "n2", "n3", "n4", "n5", "n6"].map(
    (id): MemberRow => ({
      ...(CLUSTER.members[0] as MemberRow),
      id: id as MemberId,
      isVoter: id !== "n6",
      isReachable: true,
    }),
  );
  const without = (...away: string[]) => five.map((row) => ({ ...row, isReachable: !away.includes(row.id) }));
  talk.member.cluster = { ...CLUSTER, members: without("n2", "n3") };
  assert.match(talk.say("SENTINEL ckquorum sluice\r\n"), /^\+OK 3 usable/);
  talk.member.cluster = { ...CLUSTER, members: without("n2", "n3", "n4") };
  assert.match(talk.say("SENTINEL ckquorum sluice\r\n"), /^-NOQUORUM 2 usable/);
});

/** `channel message`, of each look in turn. */
function told(looks: readonly ClusterView[]): string[][] {
  const events = new SentinelEvents();
  return looks.map((look) => events.next(look).map(({ channel, message }) => `${channel} ${message}`));
}

const [N1, N2, N3] = ["10.0.0.1 6401", "10.0.0.2 6402", "10.0.0.3 6403"];

test("[RSP176] a leader that dies: down, given up, the switch, its replicas, itself as a replica that is down; then back", () => {
  const cluster = following("n1");
  const next = following("n2");
  const [first, unheard, lost, switched, back] = told([
    seenBy("n3", cluster, "up"),
    seenBy("n3", cluster, "unheard", "n1"),
    seenBy("n3", { ...cluster, leader: undefined }, "lost", "n1"),
    seenBy("n3", next, "up", "n1"),
    seenBy("n3", next, "up"),
  ]);
  assert.deepEqual(first, []);
  assert.deepEqual(unheard, [`+sdown master sluice ${N1}`, `+sdown sentinel n1 ${N1} @ sluice ${N1}`]);
  assert.deepEqual(lost, [`+odown master sluice ${N1} #quorum 2/2`]);
  assert.deepEqual(switched, [
    `+switch-master sluice ${N1} ${N2}`,
    `+slave slave 10.0.0.1:6401 ${N1} @ sluice ${N2}`,
    `+slave slave 10.0.0.3:6403 ${N3} @ sluice ${N2}`,
    `+sdown slave 10.0.0.1:6401 ${N1} @ sluice ${N2}`,
  ]);
  assert.deepEqual(back, [
    `-sdown slave 10.0.0.1:6401 ${N1} @ sluice ${N2}`,
    `-sdown sentinel n1 ${N1} @ sluice ${N2}`,
  ]);
});

test("[RSP176] a leader that is heard again: -sdown and -odown; a hand-over: the switch alone, nobody is down", () => {
  const cluster = following("n1");
  const [, , again, handingOver, , switched] = told([
    seenBy("n3", cluster, "up"),
    seenBy("n3", { ...cluster, leader: undefined }, "lost", "n1"),
    seenBy("n3", cluster, "up"),
    seenBy("n3", cluster, "changing"),
    seenBy("n3", { ...cluster, leader: undefined }, "changing"),
    seenBy("n3", following("n2"), "up"),
  ]);
  assert.deepEqual(again, [
    `-sdown master sluice ${N1}`,
    `-odown master sluice ${N1}`,
    `-sdown sentinel n1 ${N1} @ sluice ${N1}`,
  ]);
  assert.deepEqual(handingOver, []);
  assert.deepEqual(
    switched?.map((event) => event.split(" ")[0]),
    ["+switch-master", "+slave", "+slave"],
  );
});

test("[RSP176] members that are added, move to another port, and are removed", () => {
  const [one, two, three] = CLUSTER.members.map((row) => ({ ...row, isReachable: true })) as [
    MemberRow,
    MemberRow,
    MemberRow,
  ];
  const [, added, moved, removed, after] = told([
    { ...CLUSTER, members: [one, two] },
    { ...CLUSTER, members: [one, two, three] },
    { ...CLUSTER, members: [one, two, { ...three, port: 7403 }] },
    { ...CLUSTER, members: [one, two] },
    { ...CLUSTER, members: [one, two] },
  ]);
  assert.deepEqual(added, [
    `+slave slave 10.0.0.3:6403 ${N3} @ sluice ${N1}`,
    `+sentinel sentinel n3 ${N3} @ sluice ${N1}`,
  ]);
  assert.deepEqual(moved, [
    `+slave slave 10.0.0.3:7403 10.0.0.3 7403 @ sluice ${N1}`,
    `+sentinel sentinel n3 10.0.0.3 7403 @ sluice ${N1}`,
    `+sdown slave 10.0.0.3:6403 ${N3} @ sluice ${N1}`,
  ]);
  assert.deepEqual(removed, [`+sdown slave 10.0.0.3:7403 10.0.0.3 7403 @ sluice ${N1}`]);
  assert.deepEqual(after, []);
});

test("[RSP176] while no master is known nothing is told, and what changed meanwhile is told afterwards", () => {
  const unknown: ClusterView = { ...following("n1"), lastLeader: undefined };
  const [, nothing, switched] = told([
    seenBy("n3", following("n1"), "up"),
    unknown,
    seenBy("n3", following("n2"), "up"),
  ]);
  assert.deepEqual(nothing, []);
  assert.equal(switched?.[0], `+switch-master sluice ${N1} ${N2}`);
});
