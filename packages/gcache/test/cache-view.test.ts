/** The cluster as a member shows it to clients: who is reachable, and what it can say of the leader. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type { FollowerStatus, ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type { LeaderStanding } from "@sluice/cache/resp/command-backend";
import { SentinelWatch } from "@sluice/gcache/node/sentinel-watch";
import { NodeClusterView } from "@sluice/gcache/node/cluster-view";
import { FakeClock } from "@sluice/testkit/fake-clock";

const SILENT_AFTER = 500 as Millis;
const [N1, N2, N3] = ["n1", "n2", "n3"] as MemberId[] as [MemberId, MemberId, MemberId];

const STATUS: ReplicaStatus = {
  self: N1,
  role: "follower",
  term: 3 as Term,
  leader: N2,
  leaderSilentFor: 40 as Millis,
  unledFor: 40 as Millis,
  isHandingOver: false,
  leadingFor: undefined,
  members: [N1, N2, N3].map((id) => ({ id, role: "voter" as const, address: "127.0.0.1:7401" })),
  memberListIndex: 0 as LogIndex,
  isMemberListCommitted: true,
  firstIndex: 1 as LogIndex,
  lastIndex: 9 as LogIndex,
  commit: 9 as LogIndex,
  applied: 9 as LogIndex,
  synced: 9 as LogIndex,
  snapshotIndex: 0 as LogIndex,
  logBytes: 0,
  waitingProposals: 0,
  isLeaseValid: false,
  isRecovering: false,
  truncatedRecords: 0,
  elections: 1,
  followers: [],
};

const follower = (id: MemberId, silentFor: number | undefined, isGettingSnapshot = false): FollowerStatus => ({
  id,
  held: 8 as LogIndex,
  synced: 8 as LogIndex,
  silentFor: silentFor as Millis | undefined,
  isGettingSnapshot,
});

const LEADING: ReplicaStatus = {
  ...STATUS,
  role: "leader",
  leader: N1,
  leadingFor: 5_000 as Millis,
  followers: [follower(N2, 60), follower(N3, 60)],
};

interface Seen {
  readonly status?: Partial<ReplicaStatus>;
  readonly lastLeader?: MemberId;
  /** Without a connection to it. */
  readonly away?: readonly MemberId[];
  /** Without one from it. */
  readonly mute?: readonly MemberId[];
}

class View {
  seen: Seen = {};
  readonly cluster: NodeClusterView;

  constructor(base: ReplicaStatus) {
    const status = (): ReplicaStatus => ({ ...base, ...this.seen.status });
    const lastLeader = (): MemberId | undefined => this.seen.lastLeader ?? base.leader;
    this.cluster = new NodeClusterView({
      driver: {
        status,
        get lastLeader() {
          return lastLeader();
        },
      },
      peers: { clientsOf: (id) => `127.0.0.1:640${id.slice(1)}` },
      transport: {
        isConnected: (id) => this.seen.away?.includes(id as MemberId) !== true,
        isCalling: (id) => this.seen.mute?.includes(id as MemberId) !== true,
      },
      own: { clients: "127.0.0.1:6401" },
      silentAfter: SILENT_AFTER,
      infoLines: () => [],
    });
  }

  standing(seen: Seen): LeaderStanding {
    this.seen = seen;
    return this.cluster.leaderStanding;
  }

  reachable(seen: Seen): string {
    this.seen = seen;
    return this.cluster.members.flatMap(({ id, isReachable }) => (isReachable ? [id] : [])).join(" ");
  }
}

const late = { unledFor: 501 as Millis };
const leaderless = { leader: undefined };

test("[RSP177] a follower's leader is up while it is heard, its connection stands, and a majority is in reach", () => {
  const view = new View(STATUS);
  assert.equal(view.standing({}), "up");
  assert.equal(view.standing({ away: [N2, N3] }), "up", "the leader itself makes two of three");
  assert.equal(view.standing({ status: { unledFor: 500 as Millis } }), "up");
  assert.equal(view.standing({ status: late }), "unheard");
  assert.equal(view.standing({ mute: [N2] }), "unheard");
  const five = ["n1", "n2", "n3", "n4", "n5"].map((id) => ({
    id: id as MemberId,
    role: "voter" as const,
    address: "",
  }));
  const away = ["n3", "n4", "n5"] as MemberId[];
  assert.equal(view.standing({ status: { members: five }, away }), "unheard", "heard, but on the side of the few");
  assert.equal(view.standing({ status: { members: five }, away: away.slice(1) }), "up");
  const learners = five.map((member) => ({
    ...member,
    role: member.id < "n4" ? ("voter" as const) : ("learner" as const),
  }));
  assert.equal(view.standing({ status: { members: learners }, away }), "up", "learners do not count");
});

test("[RSP177] a leader that is given up is lost, unless it handed over a moment ago", () => {
  const view = new View(STATUS);
  assert.equal(view.standing({ status: leaderless }), "changing");
  assert.equal(view.standing({ status: { ...leaderless, ...late } }), "lost");
  assert.equal(view.standing({ status: leaderless, mute: [N2] }), "lost");
});

test("[RSP177] a leader vouches for itself while a majority confirms it", () => {
  const view = new View(LEADING);
  assert.equal(view.standing({}), "up");
  assert.equal(view.standing({ status: { isHandingOver: true } }), "changing");
  assert.equal(view.standing({ status: late }), "unheard");
  assert.equal(view.standing({ away: [N2, N3] }), "unheard");
  assert.equal(view.standing({ status: { ...late, isHandingOver: true } }), "unheard");
  assert.equal(view.standing({ status: { ...leaderless, ...late, role: "follower", followers: [] } }), "lost");
  assert.equal(view.standing({ status: { ...leaderless, role: "follower", followers: [] } }), "changing");
});

test("[RSP178] a leader knows its followers by what they confirm, a follower its leader by what it says", () => {
  const leader = new View(LEADING);
  assert.equal(leader.reachable({}), "n1 n2 n3");
  assert.equal(leader.reachable({ away: [N3] }), "n1 n2");
  const status = (two: FollowerStatus, leadingFor = 5_000) => ({
    status: { followers: [two, follower(N3, 60)], leadingFor: leadingFor as Millis },
  });
  assert.equal(leader.reachable(status(follower(N2, 501))), "n1 n3");
  assert.equal(leader.reachable(status(follower(N2, undefined))), "n1 n3", "has confirmed nothing for too long");
  assert.equal(leader.reachable(status(follower(N2, undefined), 100)), "n1 n2 n3", "cannot have confirmed much yet");
  assert.equal(leader.reachable(status(follower(N2, 9_000, true))), "n1 n2 n3", "busy with a snapshot");
  const other = new View(STATUS);
  assert.equal(other.reachable({ away: [N2] }), "n1 n2 n3", "the leader is heard on its own connection");
  assert.equal(other.reachable({ mute: [N2, N3] }), "n1 n3");
  assert.equal(other.reachable({ status: late }), "n1 n3");
});

test("[RSP177] a leader that was followed by another knows so before it is told of the change", () => {
  const view = new View(STATUS);
  view.seen = { lastLeader: N1 };
  assert.equal(view.cluster.lastLeader, N2);
  assert.equal(view.standing({ lastLeader: N1, status: late }), "unheard");
  assert.equal(view.reachable({ lastLeader: N1, status: late }), "n1 n3");
});

test("[RSP174] a member that was removed knows no leader", () => {
  const view = new View(STATUS);
  view.seen = { status: { role: "removed" } };
  assert.equal(view.cluster.lastLeader, undefined);
  view.seen = { status: leaderless, lastLeader: N2 };
  assert.equal(view.cluster.lastLeader, N2);
});

test("[RSP179] silence is told without any event: the watch looks again and again until it is closed", () => {
  const clock = new FakeClock();
  const view = new View(STATUS);
  const heard: string[] = [];
  const watch = new SentinelWatch({ cluster: view.cluster, clock, publish: ({ channel }) => void heard.push(channel) });
  const pass = (): void => clock.advance(200 as Millis);
  pass();
  view.seen = { status: late };
  pass();
  assert.deepEqual(heard, ["+sdown", "+sdown"]);
  view.seen = {};
  pass();
  assert.deepEqual(heard.slice(2), ["-sdown", "-sdown"]);
  watch.close();
  view.seen = { status: late };
  pass();
  assert.equal(heard.length, 4);
  watch.look();
  assert.equal(heard.length, 6);
});
