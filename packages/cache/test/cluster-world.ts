/** A cluster of members, clients that write to it, and trouble for all of them, from one seed. */
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { ReplicaLimits } from "@sluice/cache/replica/limits";
import type { MemberList } from "@sluice/cache/replica/members";
import type { CountsWhen } from "@sluice/cache/replica/replica-options";
import type { AckLevel } from "@sluice/cache/replica/replica-output";
import type { ReplicaTiming } from "@sluice/cache/replica/timing";
import type { EntryVersion } from "@sluice/cache/state/operation";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { HistoryRecorder } from "@sluice/testkit/history";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { type ClientRequest, SimClient } from "@sluice/testkit/sim-client";
import { SimClock } from "@sluice/testkit/sim-clock";
import { type SimEvent, SimNetwork } from "@sluice/testkit/sim-network";
import { ClusterMember, type MemberOptions, type Packet } from "./cluster-member.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly founders: number;
  readonly clients?: number;
  readonly countsWhen?: CountsWhen;
  readonly ackLevel?: AckLevel;
  readonly timing?: Partial<ReplicaTiming>;
  readonly limits?: Partial<ReplicaLimits>;
  readonly fault?: MemberOptions["fault"];
  /** Operations of every kind are proposed beside what clients ask. */
  readonly isNoisy?: boolean;
}

const KEYS = ["x", "y", "z"] as const;

export class ClusterWorld {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly recorder: HistoryRecorder;
  readonly network: SimNetwork<Packet>;
  readonly members: ClusterMember[] = [];
  readonly clients: SimClient[] = [];
  readonly #options: WorldOptions;
  readonly #founders: MemberList;
  /** Values are written once, so a version stands for each. */
  readonly #versions = new Map<string, EntryVersion>();
  #isStopped = false;
  readonly #leaderOf = new Map<string, string>();

  constructor(options: WorldOptions) {
    const { seed } = options;
    this.#options = options;
    this.random = seededRandom(seed);
    this.recorder = new HistoryRecorder(() => `${Math.round(this.clock.now())} ms`);
    this.network = new SimNetwork({ clock: this.clock, seed, delay: { min: 0, max: 8 } });
    const ids = Array.from({ length: options.founders }, (_, index) => `n${index + 1}`);
    this.#founders = ids.map((id) => ({ id: id as MemberId, role: "voter", address: id }));
    for (const id of ids) this.addMember(id, this.#founders);
    for (let number = 1; number <= (options.clients ?? 4); number++) this.#addClient(`c${number}`);
    if (options.isNoisy === true) this.#makeNoise();
  }

  /** One who founds nothing joins as it is told by the leader. */
  addMember(id: string, founders: MemberList = []): ClusterMember {
    const { countsWhen = "stored", ackLevel = { type: "quorum" }, timing = {}, limits = {}, fault } = this.#options;
    const { clock, network, random } = this;
    const ground = { clock, network, random };
    const member = new ClusterMember({
      id: id as MemberId,
      founders,
      ...ground,
      countsWhen,
      ackLevel,
      timing,
      limits,
      fault,
    });
    this.members.push(member);
    return member;
  }

  get leader(): ClusterMember | undefined {
    return this.members.find((member) => member.role === "leader" && member.clock?.isPaused === false);
  }

  pick<T>(items: readonly T[]): T {
    return items[randomBelow(this.random, items.length)] as T;
  }

  /** Everybody on one of two sides. */
  split(): string[][] {
    const sides: [string[], string[]] = [[], []];
    for (const name of this.network.names) sides[randomBelow(this.random, 2) as 0 | 1].push(name);
    return sides;
  }

  /** The leader without any other member, but with some clients that may go on believing in it. */
  splitOffLeader(): string[][] {
    const { leader } = this;
    const isMember = (name: string): boolean => this.members.some(({ id }) => id === name);
    const isWithLeader = (name: string): boolean => (isMember(name) ? name === leader?.id : this.random() < 0.5);
    return Object.values(Object.groupBy(this.network.names, (name) => String(isWithLeader(name)))) as string[][];
  }

  /** Ends all trouble but crashes. */
  calm(): void {
    this.network.heal();
    for (const { clock } of this.members) clock?.resume();
  }

  run(millis: number): void {
    this.clock.advance(millis);
  }

  /** Nobody asks for anything any more. */
  stop(): void {
    this.#isStopped = true;
    for (const client of this.clients) client.stop();
  }

  #makeNoise(): void {
    if (this.#isStopped) return;
    this.leader?.makeNoise();
    this.clock.after(randomBelow(this.random, 120) as Millis, () => this.#makeNoise());
  }

  #addClient(name: string): void {
    const { clock, random, recorder } = this;
    const sender = {
      send: (from: string, request: ClientRequest, attempt: number) => this.#send(client, from, request, attempt),
    };
    const timing = { waitMillis: 150, attempts: 2, restMillis: 60 };
    const client = new SimClient({ name, clock, random, recorder, keys: KEYS, sender, ...timing });
    this.clients.push(client);
    const receive = (event: SimEvent<Packet>): void => {
      if (event.type === "message") this.#hear(client, name, event.message);
    };
    this.network.add(name, { receive }, new SimClock(clock));
    client.start();
  }

  #send(client: SimClient, from: string, request: ClientRequest, attempt: number): void {
    const { call, key } = request;
    const expected = call.type === "cas" ? call.expected : null;
    const expectedVersion = this.#versions.get(`${key}=${expected}`);
    // Heard without its version, which only early answers are.
    if (expected !== null && expectedVersion === undefined) return client.refused(request.id, true);
    const known = attempt === 1 && this.random() < 0.9 ? this.#leaderOf.get(from) : undefined;
    const to = known ?? this.pick(this.members).id;
    this.#leaderOf.set(from, to);
    this.network.send(from, to, { type: "request", request: { ...request, expectedVersion } });
  }

  #hear(client: SimClient, name: string, packet: Packet): void {
    if (packet.type === "answer") {
      if (packet.seen !== undefined) this.#versions.set(`${packet.seen.key}=${packet.seen.value}`, packet.seen.version);
      client.answered(packet.id, packet.answer);
    } else if (packet.type === "failed") {
      if (packet.leader === undefined) this.#leaderOf.delete(name);
      else this.#leaderOf.set(name, packet.leader);
      client.refused(packet.id, packet.how === "refused");
    }
  }
}
