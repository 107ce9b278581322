/** One simulated member: a replica and its state between a network, a disk and a clock that all can fail. */
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { ReplicaLimits } from "@sluice/cache/replica/limits";
import type { Incarnation } from "@sluice/cache/replica/member-message";
import { decodeMemberMessage, encodeMemberMessage } from "@sluice/cache/replica/member-message-codec";
import type { MemberList } from "@sluice/cache/replica/members";
import { Replica } from "@sluice/cache/replica/replica";
import type { CountsWhen, Refusal } from "@sluice/cache/replica/replica-options";
import type { AckLevel, MessageFlow, ProposalAnswer, ReplicaOutput, Role } from "@sluice/cache/replica/replica-output";
import type { ReplicaTiming } from "@sluice/cache/replica/timing";
import { CacheState } from "@sluice/cache/state/cache-state";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import { encodeOperation } from "@sluice/cache/state/operation-codec";
import type { RegisterAnswer } from "@sluice/testkit/history";
import type { FakeClock } from "@sluice/testkit/fake-clock";
import { randomBelow } from "@sluice/testkit/random";
import { SimClock } from "@sluice/testkit/sim-clock";
import type { SimEvent, SimNetwork } from "@sluice/testkit/sim-network";
import { ClusterDisk, type DiskOutput } from "./cluster-disk.ts";
import { contentsOf, randomOperation } from "./cluster-noise.ts";
import { operationOf, type Request, registerAnswerOf, type Seen, valueOf } from "./cluster-register.ts";

export type Packet =
  | { readonly type: "member"; readonly bytes: Uint8Array }
  | { readonly type: "request"; readonly request: Request }
  | { readonly type: "answer"; readonly id: string; readonly answer: RegisterAnswer; readonly seen?: Seen }
  /** `refused`: this attempt did and will do nothing; ask the leader. */
  | { readonly type: "failed"; readonly id: string; readonly how: "refused" | "unknown"; readonly leader?: MemberId };

export interface MemberOptions {
  readonly id: MemberId;
  readonly founders: MemberList;
  readonly clock: FakeClock;
  readonly network: SimNetwork<Packet>;
  readonly random: () => number;
  readonly countsWhen: CountsWhen;
  readonly ackLevel: AckLevel;
  readonly timing: Partial<ReplicaTiming>;
  readonly limits: Partial<ReplicaLimits>;
  /** Planted in the test, not in the product. */
  readonly fault: "lying-disk" | "early-answers" | undefined;
}

interface Waiting {
  readonly client: string;
  readonly request: Request;
}

/** What one process of it holds; gone with it. */
interface Life {
  readonly clock: SimClock;
  readonly state: CacheState;
  readonly replica: Replica<OperationAnswer>;
  readonly waiting: Map<number, Waiting>;
  wakeAt: number;
  diskFreeAt: number;
}

export class ClusterMember {
  readonly id: MemberId;
  readonly #options: MemberOptions;
  readonly #disk: ClusterDisk;
  #life: Life | undefined;
  role: Role | "down" = "down";
  changesDone = 0;

  constructor(options: MemberOptions) {
    this.id = options.id;
    this.#options = options;
    this.#disk = new ClusterDisk(options.fault === "lying-disk");
    this.#start("complete");
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  get clock(): SimClock | undefined {
    return this.#life?.clock;
  }

  /** The replica, to be asked at its own time, unless it is down or paused. What it asks for then is done. */
  with<T>(use: (replica: Replica<OperationAnswer>, now: Millis, wall: Millis) => T): T | undefined {
    if (this.#life === undefined || this.#life.clock.isPaused) return undefined;
    const { replica, clock } = this.#life;
    const result = use(replica, clock.now(), clock.wall());
    this.#drain(this.#life);
    return result;
  }

  contents(): readonly string[] {
    return this.#life === undefined ? [] : contentsOf(this.#life.state);
  }

  /** Something that no client asked, and what is due. */
  makeNoise(): void {
    const { random, ackLevel } = this.#options;
    const state = this.#life?.state;
    this.with((replica, now, wall) => {
      if (state === undefined) return;
      for (const operation of [randomOperation(state, wall, random), ...state.takeUpkeep(wall)]) {
        replica.propose(encodeOperation(operation), { ackLevel }, now, wall);
      }
    });
  }

  crash(kind: "kill" | "power"): void {
    this.#life?.clock.stop();
    this.#life = undefined;
    this.role = "down";
    this.#options.network.remove(this.id);
    if (kind === "power") this.#disk.losePower();
  }

  restart(kind: "kill" | "power"): void {
    const { countsWhen } = this.#options;
    const isComplete = countsWhen === "synced" || (countsWhen === "stored" && kind === "kill");
    if (this.#life === undefined) this.#start(isComplete ? "complete" : "may-have-lost");
  }

  /** Each start has a clock of its own: another zero, up to five percent fast or slow, minutes off on the wall. */
  #start(tail: "complete" | "may-have-lost"): void {
    const { random, network, founders, countsWhen, timing, limits } = this.#options;
    const clock = new SimClock(this.#options.clock, {
      offset: randomBelow(random, 1_000_000),
      rate: 0.95 + random() * 0.1,
      wallOffset: randomBelow(random, 600_000) - 300_000,
    });
    const state = new CacheState({ hashSeed: randomBelow(random, 2 ** 32) });
    const incarnation = randomBelow(random, 2 ** 32) as Incarnation;
    const stored = { ...this.#disk.kept, tail };
    const now = clock.now();
    const replica = new Replica({
      self: this.id,
      founders,
      stored,
      state,
      random,
      incarnation,
      countsWhen,
      now,
      timing,
      limits,
    });
    const life: Life = { clock, state, replica, waiting: new Map(), wakeAt: Number.NaN, diskFreeAt: 0 };
    this.#life = life;
    network.add(this.id, { receive: (event) => this.#receive(life, event) }, clock);
    this.#drain(life);
  }

  #receive(life: Life, event: SimEvent<Packet>): void {
    if (event.type !== "message" && event.type !== "datagram") return;
    const { from, message } = event;
    if (message.type === "member") {
      life.replica.receive(from as MemberId, decodeMemberMessage(message.bytes), life.clock.now());
    }
    if (message.type === "request") this.#request(life, { client: from, request: message.request });
    this.#drain(life);
  }

  #request(life: Life, waiting: Waiting): void {
    const { request } = waiting;
    const now = life.clock.now();
    if (request.call.type === "get") {
      const result = life.replica.readBarrier(now);
      if (result === "granted") this.#answerRead(life, waiting);
      else this.#await(life, waiting, result);
      return;
    }
    const { ackLevel, fault } = this.#options;
    const result = life.replica.propose(operationOf(request), { ackLevel }, now, life.clock.wall());
    const isEarly = fault === "early-answers" && request.call.type === "put" && typeof result === "number";
    if (isEarly) this.#send(waiting.client, { type: "answer", id: request.id, answer: { type: "done" } });
    else this.#await(life, waiting, result);
  }

  #await(life: Life, waiting: Waiting, result: number | Refusal): void {
    if (typeof result === "number") return void life.waiting.set(result, waiting);
    const leader = "leader" in result && result.leader !== undefined ? { leader: result.leader } : {};
    this.#send(waiting.client, { type: "failed", id: waiting.request.id, how: "refused", ...leader });
  }

  #answerRead(life: Life, { client, request }: Waiting): void {
    const found = valueOf(life.state, request.key, life.clock.wall());
    const seen = found === undefined ? {} : { seen: { key: request.key, ...found } };
    const answer: RegisterAnswer = { type: "found", value: found?.value ?? null };
    this.#send(client, { type: "answer", id: request.id, answer, ...seen });
  }

  #answered(life: Life, result: ProposalAnswer<OperationAnswer>): void {
    if (result.outcome === "members-changed") this.changesDone++;
    const waiting = take(life.waiting, result.token);
    if (waiting === undefined) return;
    const { client, request } = waiting;
    const answer = result.outcome === "done" ? registerAnswerOf(request, result.answer) : undefined;
    if (answer === undefined) this.#send(client, { type: "failed", id: request.id, how: "unknown" });
    else this.#send(client, { type: "answer", id: request.id, ...answer });
  }

  /** Does what the replica asks, in order, then waits for its next deadline. */
  #drain(life: Life): void {
    for (let output = life.replica.nextOutput(); output !== undefined; output = life.replica.nextOutput()) {
      this.#perform(life, output);
    }
    const wakeAt = life.replica.deadline();
    if (wakeAt === life.wakeAt || !Number.isFinite(wakeAt)) return;
    life.wakeAt = wakeAt;
    // A little later, as rates make fractions of which none may be missing.
    life.clock.after((wakeAt - life.clock.now() + 0.01) as Millis, () => {
      if (life.wakeAt !== wakeAt) return;
      life.wakeAt = Number.NaN;
      if (life.clock.now() >= wakeAt) life.replica.tick(life.clock.now());
      this.#drain(life);
    });
  }

  #perform(life: Life, output: ReplicaOutput<OperationAnswer>): void {
    switch (output.type) {
      case "send":
        return this.#sendMember(output.to, { type: "member", bytes: encodeMemberMessage(output.message) }, output.flow);
      case "store":
      case "install-snapshot":
      case "save-snapshot":
      case "compact":
        return this.#write(life, output);
      case "answers":
        for (const answer of output.answers) this.#answered(life, answer);
        return;
      case "reads":
        for (const { token, outcome } of output.reads) {
          const waiting = take(life.waiting, token);
          if (waiting === undefined) continue;
          if (outcome === "granted") this.#answerRead(life, waiting);
          else this.#send(waiting.client, { type: "failed", id: waiting.request.id, how: "unknown" });
        }
        return;
      case "role":
        this.role = output.role;
        return;
      case "members":
      case "switch-over-failed":
        return;
    }
  }

  /** The disk goes on while the process is paused; what it says waits. A dead process starts no more writes. */
  #write(life: Life, output: DiskOutput): void {
    const { clock, random } = this.#options;
    life.diskFreeAt = Math.max(life.diskFreeAt, clock.now() + randomBelow(random, 6));
    clock.after((life.diskFreeAt - clock.now()) as Millis, () => {
      if (life.clock.isStopped) return;
      this.#disk.perform(output);
      life.clock.run(() => {
        if (output.type === "save-snapshot") life.replica.snapshotStored(output.meta.index, life.clock.now());
        else if (output.type !== "compact") life.replica.stored(output.token, life.clock.now());
        this.#drain(life);
      });
    });
  }

  /** Flows overtake each other, here by as much as the network can: what is in `control` has no order at all. */
  #sendMember(to: string, packet: Packet, flow: MessageFlow): void {
    if (flow === "control") this.#options.network.sendDatagram(this.id, to, packet);
    else this.#send(to, packet);
  }

  #send(to: string, packet: Packet): void {
    this.#options.network.send(this.id, to, packet);
  }
}

function take<Key, Value>(map: Map<Key, Value>, key: Key): Value | undefined {
  const value = map.get(key);
  map.delete(key);
  return value;
}
