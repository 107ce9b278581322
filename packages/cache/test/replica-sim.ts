/** A small world for replicas: a seeded network, disks that forget what was not synced, and a judge of every step. */
import assert from "node:assert/strict";
import type { Millis } from "@sluice/base/brand";
import type { MemberId, Term } from "@sluice/cache/ids";
import type { ReplicaLimits } from "@sluice/cache/replica/limits";
import type { Incarnation, MemberMessage } from "@sluice/cache/replica/member-message";
import type { MemberList } from "@sluice/cache/replica/members";
import { Replica } from "@sluice/cache/replica/replica";
import type { CountsWhen } from "@sluice/cache/replica/replica-options";
import type { AckLevel, MessageFlow, ProposalId, ReplicaOutput } from "@sluice/cache/replica/replica-output";
import type { AppliedAt } from "@sluice/cache/state-machine";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { type DiskOutput, ListState, SimDisk } from "./replica-sim-parts.ts";

export interface SimOptions {
  readonly seed: number;
  readonly members: readonly string[];
  /** Who may be added later. */
  readonly joiners?: readonly string[];
  readonly countsWhen?: CountsWhen;
  readonly limits?: Partial<ReplicaLimits>;
  /** Of messages lost; each of them breaks nothing but itself. */
  readonly loss?: number;
  readonly duplication?: number;
  /** Of records and what follows them: as where megabytes are under way. */
  logDelay?: readonly [number, number];
  readonly delay?: readonly [number, number];
  readonly diskDelay?: readonly [number, number];
}

export interface SimMember {
  readonly id: MemberId;
  disk: SimDisk;
  replica: Replica<string> | undefined;
  state: ListState;
  pausedUntil: number;
  readonly inbox: { from: MemberId; message: MemberMessage }[];
  epoch: number;
  role: string;
  diskFreeAt: number;
}

interface Delivery {
  at: number;
  from: MemberId;
  to: MemberId;
  toEpoch: number;
  message: MemberMessage;
}

interface Asked {
  readonly operation: string;
  readonly level: AckLevel;
  readonly member: SimMember;
}

export class Sim {
  now = 0;
  readonly random: () => number;
  readonly members = new Map<MemberId, SimMember>();
  readonly leaders = new Map<number, MemberId>();
  readonly committed = new Map<number, string>();
  readonly acked: string[] = [];
  readonly unknown: string[] = [];
  readonly failedSwitchOvers: MemberId[] = [];
  memberChangesDone = 0;
  readsGranted = 0;
  messageCount = 0;
  highestLeaderTerm = 0;
  readonly options: SimOptions;
  #wire: Delivery[] = [];
  readonly #asked = new Map<string, Asked>();
  readonly #reads = new Map<string, number>();
  readonly #cuts = new Set<string>();
  #operations = 0;
  readonly #founders: MemberList;

  constructor(options: SimOptions) {
    this.options = options;
    this.random = seededRandom(options.seed);
    this.#founders = options.members.map((id) => ({ id: id as MemberId, role: "voter", address: id }));
    for (const id of options.members) this.join(id, this.#founders);
  }

  join(id: string, founders: MemberList = []): SimMember {
    const member: SimMember = {
      id: id as MemberId,
      disk: new SimDisk(),
      replica: undefined,
      state: new ListState(() => {}),
      pausedUntil: 0,
      inbox: [],
      epoch: 0,
      role: "",
      diskFreeAt: 0,
    };
    this.members.set(member.id, member);
    this.#start(member, "complete", founders);
    return member;
  }

  get(id: string): SimMember {
    return this.members.get(id as MemberId) as SimMember;
  }

  get leader(): SimMember | undefined {
    const leaders = [...this.members.values()].filter((m) => m.replica !== undefined && m.role === "leader");
    return leaders.sort((a, b) => this.status(b).term - this.status(a).term)[0];
  }

  status(member: SimMember) {
    return (member.replica as Replica<string>).status(this.now as Millis);
  }

  crash(member: SimMember, kind: "kill" | "power"): void {
    if (member.replica === undefined) return;
    member.replica = undefined;
    member.role = "";
    member.epoch++;
    member.inbox.length = 0;
    member.disk.queue.length = 0;
    if (kind === "power") member.disk.written = member.disk.synced;
    member.disk.synced = member.disk.written;
    this.#wire = this.#wire.filter((delivery) => delivery.from !== member.id && delivery.to !== member.id);
  }

  restart(member: SimMember, kind: "kill" | "power"): void {
    const { countsWhen } = this.options;
    const isComplete = countsWhen === "synced" || (countsWhen === "stored" && kind === "kill");
    this.#start(member, isComplete ? "complete" : "may-have-lost", this.#founders);
  }

  pause(member: SimMember, millis: number): void {
    member.pausedUntil = this.now + millis;
  }

  cut(a: string, b: string, way: "both" | "one" = "both"): void {
    this.#cuts.add(`${a}>${b}`);
    if (way === "both") this.#cuts.add(`${b}>${a}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  propose(member: SimMember, level: AckLevel = { type: "quorum" }): ProposalId | undefined {
    if (member.replica === undefined || member.pausedUntil > this.now) return undefined;
    const operation = `op${++this.#operations}`;
    const wall = (1_000_000 + this.now * (member.id === "b" ? 0.9 : 1.1)) as Millis;
    const token = member.replica.propose(Buffer.from(operation), { ackLevel: level }, this.now as Millis, wall);
    if (typeof token !== "number") return undefined;
    this.#asked.set(`${member.id}/${member.epoch}/${token}`, { operation, level, member });
    this.drain(member);
    return token;
  }

  read(member: SimMember): void {
    if (member.replica === undefined || member.pausedUntil > this.now) return;
    const result = member.replica.readBarrier(this.now as Millis);
    const ackedThen = this.acked.length;
    if (result === "granted") this.#judgeRead(member, ackedThen);
    else if (typeof result === "number") this.#reads.set(`${member.id}/${member.epoch}/${result}`, ackedThen);
    this.drain(member);
  }

  /** Runs the world, a step at a time. */
  run(millis: number, each?: () => void): void {
    const end = this.now + millis;
    while (this.now < end) {
      this.now += 1;
      this.#step();
      each?.();
    }
  }

  runUntil(done: () => boolean, limit = 20_000): void {
    const end = this.now + limit;
    while (!done()) {
      assert.ok(this.now < end, `seed ${this.options.seed}: not done after ${limit} ms`);
      this.run(1);
    }
  }

  /** After healing: every member stands at one place, with all that was acknowledged. */
  settle(limit = 30_000): void {
    this.heal();
    this.runUntil(() => {
      const { leader } = this;
      if (leader === undefined) return false;
      const { commit, lastIndex } = this.status(leader);
      return commit === lastIndex && this.#membersOf(leader).every((member) => this.status(member).applied === commit);
    }, limit);
    const leader = this.leader as SimMember;
    const applied = new Set(leader.state.applied);
    for (const operation of this.acked)
      assert.ok(applied.has(operation), `seed ${this.options.seed}: acknowledged ${operation} is lost`);
    for (const member of this.#membersOf(leader))
      assert.deepEqual(member.state.applied, leader.state.applied, `seed ${this.options.seed}: ${member.id} differs`);
  }

  #membersOf(leader: SimMember): SimMember[] {
    const ids = this.status(leader).members.map(({ id }) => id);
    return [...this.members.values()].filter((member) => member.replica !== undefined && ids.includes(member.id));
  }

  drain(member: SimMember): void {
    const replica = member.replica;
    if (replica === undefined) return;
    for (let output = replica.nextOutput(); output !== undefined; output = replica.nextOutput())
      this.#perform(member, output);
  }

  #start(member: SimMember, tail: "complete" | "may-have-lost", founders: MemberList): void {
    member.state = new ListState((operation, at) => this.#judgeApplied(operation, at));
    const { hardState, snapshot, log } = member.disk.written;
    member.replica = new Replica<string>({
      self: member.id,
      founders,
      stored: { hardState, snapshot, log: [...log], tail },
      state: member.state,
      random: this.random,
      incarnation: randomBelow(this.random, 2 ** 32) as Incarnation,
      countsWhen: this.options.countsWhen ?? "received",
      now: this.now as Millis,
      ...(this.options.limits === undefined ? {} : { limits: this.options.limits }),
    });
    this.drain(member);
  }

  #step(): void {
    const due = this.#wire.filter((delivery) => delivery.at <= this.now);
    if (due.length > 0) this.#wire = this.#wire.filter((delivery) => delivery.at > this.now);
    for (const { from, to, toEpoch, message } of due) {
      const member = this.members.get(to);
      if (member?.replica !== undefined && member.epoch === toEpoch) member.inbox.push({ from, message });
    }
    for (const member of this.members.values()) this.#stepMember(member);
  }

  #stepMember(member: SimMember): void {
    if (member.replica === undefined || member.pausedUntil > this.now) return;
    if (member.replica.deadline() <= this.now) {
      member.replica.tick(this.now as Millis);
      this.drain(member);
    }
    for (const { from, message } of member.inbox.splice(0)) {
      member.replica.receive(from, message, this.now as Millis);
      if (this.random() < 0.7) this.drain(member);
    }
    this.drain(member);
    while ((member.disk.queue[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now) {
      const { output } = member.disk.queue.shift() as { output: DiskOutput };
      member.disk.perform(output);
      if (output.type === "store" || output.type === "install-snapshot")
        member.replica.stored(output.token, this.now as Millis);
      else if (output.type === "save-snapshot") member.replica.snapshotStored(output.meta.index, this.now as Millis);
      this.drain(member);
    }
  }

  #perform(member: SimMember, output: ReplicaOutput<string>): void {
    switch (output.type) {
      case "send":
        return this.#send(member.id, output.to, output.message, output.flow);
      case "store":
      case "install-snapshot":
      case "compact":
      case "save-snapshot": {
        const at = Math.max(member.diskFreeAt, this.now + this.#between(this.options.diskDelay ?? [0, 4]));
        member.diskFreeAt = at;
        member.disk.queue.push({ at, output });
        return;
      }
      case "answers":
        for (const answer of output.answers) this.#answered(member, answer.token, answer.outcome);
        return;
      case "reads":
        for (const { token, outcome } of output.reads)
          if (outcome === "granted")
            this.#judgeRead(member, this.#reads.get(`${member.id}/${member.epoch}/${token}`) as number);
        return;
      case "role":
        member.role = output.role;
        if (output.role === "leader") this.#judgeLeader(member, output.term);
        return;
      case "switch-over-failed":
        this.failedSwitchOvers.push(output.to);
        return;
      case "members":
        return;
    }
  }

  #send(from: MemberId, to: MemberId, message: MemberMessage, flow: MessageFlow): void {
    this.messageCount++;
    const isSlow = flow === "log" && message.type === "append";
    const target = this.members.get(to);
    if (target === undefined || this.#cuts.has(`${from}>${to}`) || this.random() < (this.options.loss ?? 0)) return;
    const copies = this.random() < (this.options.duplication ?? 0) ? 2 : 1;
    for (let i = 0; i < copies; i++)
      this.#wire.push({
        at: this.now + this.#between((isSlow ? this.options.logDelay : undefined) ?? this.options.delay ?? [0, 5]),
        from,
        to,
        toEpoch: target.epoch,
        message,
      });
  }

  #answered(member: SimMember, token: ProposalId, outcome: string): void {
    const asked = this.#asked.get(`${member.id}/${member.epoch}/${token}`);
    if (outcome === "members-changed") this.memberChangesDone++;
    if (asked === undefined) return;
    if (outcome === "unknown-outcome") this.unknown.push(asked.operation);
    else {
      this.#judgeAnswering(member);
      this.acked.push(asked.operation);
    }
  }

  #judgeLeader(member: SimMember, term: Term): void {
    const other = this.leaders.get(term);
    assert.ok(other === undefined || other === member.id, `seed ${this.options.seed}: two leaders in term ${term}`);
    this.leaders.set(term, member.id);
    if (term > this.highestLeaderTerm) this.highestLeaderTerm = term;
  }

  #judgeAnswering(member: SimMember): void {
    const { term } = this.status(member);
    assert.ok(term >= this.highestLeaderTerm, `seed ${this.options.seed}: ${member.id} answers after its time`);
  }

  #judgeRead(member: SimMember, ackedThen: number): void {
    this.#judgeAnswering(member);
    this.readsGranted++;
    const last = this.acked[ackedThen - 1];
    const isSeen = last === undefined || member.state.applied.includes(last);
    assert.ok(isSeen, `seed ${this.options.seed}: read at ${member.id} misses ${last}`);
  }

  #judgeApplied(operation: string, at: AppliedAt): void {
    const fact = `${at.term}/${at.time}/${operation}`;
    const known = this.committed.get(at.index);
    assert.ok(known === undefined || known === fact, `seed ${this.options.seed}: ${at.index} was ${known}, is ${fact}`);
    this.committed.set(at.index, fact);
  }

  #between([min, max]: readonly [number, number]): number {
    return min + randomBelow(this.random, max - min + 1);
  }
}

export const QUORUM: AckLevel = { type: "quorum" };
export const FSYNC: AckLevel = { type: "quorum+fsync" };
