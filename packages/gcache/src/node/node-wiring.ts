/** The parts of a cache node and who tells whom what; `openCacheNode` calls the steps in their order. */
import { randomInt } from "node:crypto";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import { decodeMemberMessage, encodeMemberMessage } from "@sluice/cache/replica/member-message-codec";
import type { MemberList } from "@sluice/cache/replica/members";
import type { Replica } from "@sluice/cache/replica/replica";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type { AckLevel, Role } from "@sluice/cache/replica/replica-output";
import { DEFAULT_REPLICA_TIMING } from "@sluice/cache/replica/timing";
import type { SentinelEvent } from "@sluice/cache/resp/sentinel-events";
import { unreachable } from "@sluice/base/unreachable";
import type { Incarnation } from "@sluice/mesh/hello";
import { CacheState } from "@sluice/cache/state/cache-state";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import { formatAddress, isUnspecified, splitAddress } from "@sluice/runtime/sockets/host-and-port";
import type { CacheNodeParts } from "./cache-node.ts";
import { LeaderClient } from "./leader-client.ts";
import { adminCommands, ClusterAdmin } from "./cluster-admin.ts";
import { ClusterChanges } from "./cluster-changes.ts";
import { NodeClusterView } from "./cluster-view.ts";
import { ReplicatedStore } from "../resp/command-store.ts";
import { infoLinesOf } from "../resp/info-lines.ts";
import { DEFAULT_MEMBER_LIMITS, DEFAULT_RESP_LIMITS } from "./limits.ts";
import type { MemberIdentity } from "../members/member-identity.ts";
import { type MemberService, MemberTransport } from "../members/member-transport.ts";
import { NodeMetrics } from "./node-metrics.ts";
import type { CacheNodeOptions } from "./node-options.ts";
import type { NodeStore } from "../store/node-store.ts";
import type { PeerPins } from "../members/peer-pins.ts";
import { MemberPubSub } from "./member-pub-sub.ts";
import { ReplicaDriver, type ReplicaEvents } from "./replica-driver.ts";
import { RespListener } from "../resp/resp-listener.ts";
import { RespTraffic } from "../resp/resp-traffic.ts";
import { SentinelWatch } from "./sentinel-watch.ts";
import { MonotonicWallClock } from "./monotonic-wall-clock.ts";

const DEFAULT_ACK: AckLevel = { type: "quorum" };

/** Written once, by `start`. */
interface Running {
  readonly shell: ReplicaDriver<OperationAnswer>;
  readonly commands: ReplicatedStore;
  readonly desk: LeaderClient;
  readonly changes: ClusterChanges;
  readonly resp: RespListener | undefined;
  readonly sentinel: SentinelWatch | undefined;
}

export class NodeWiring {
  readonly state = new CacheState({ hashSeed: randomInt(2 ** 32) });
  readonly transport: MemberTransport;
  readonly #options: CacheNodeOptions;
  readonly #store: NodeStore;
  readonly #peers: PeerPins;
  readonly #publishing: MemberPubSub;
  readonly #wall: MonotonicWallClock;
  readonly #metrics: NodeMetrics;
  readonly #failed = new AbortController();
  readonly #turnListeners = new Set<() => void>();
  #running: Running | undefined;
  #ownAddress = "";
  #ownClients = "";
  #members: MemberList = [];
  #role: Role = "follower";
  #leader: MemberId | undefined;
  #lastLeader: MemberId | undefined;

  constructor(options: CacheNodeOptions, { store, peers }: { readonly store: NodeStore; readonly peers: PeerPins }) {
    this.#options = options;
    this.#store = store;
    this.#peers = peers;
    this.#wall = new MonotonicWallClock(options.clock);
    this.#metrics = new NodeMetrics(options.meter);
    this.transport = new MemberTransport({
      own: () => this.#own(),
      incarnation: randomInt(2 ** 32) as Incarnation,
      secret: options.secret ?? new Uint8Array(0),
      tls: options.tls,
      judge: (peer) => peers.judge(peer),
      received: (from, service, message) => this.#received(from, service, message),
      introduced: (peer) => this.#introduced(peer),
      crypto: options.crypto,
      clock: options.clock,
      log: options.log,
      meter: options.meter,
      limits: { ...DEFAULT_MEMBER_LIMITS, ...options.memberLimits },
    });
    this.#publishing = new MemberPubSub((bytes) => {
      for (const { id } of this.#members) if (id !== options.id) this.transport.send(id, "publish", bytes);
    });
  }

  get shell(): ReplicaDriver<OperationAnswer> {
    return this.#run.shell;
  }

  /** @param ownAddress  where the other members reach this one */
  start(replica: Replica<OperationAnswer>, ownAddress: string): void {
    const { clock, address, secret, ackLevel = DEFAULT_ACK } = this.#options;
    this.#ownAddress = ownAddress;
    const shell = new ReplicaDriver({ replica, store: this.#store, clock, events: this.#events() });
    const commands = new ReplicatedStore({ shell, state: this.state, wall: this.#wall, ackLevel });
    const desk = new LeaderClient({
      store: commands,
      leads: () => this.#role === "leader",
      leader: () => this.#leader,
      sendCall: (to, call) => this.transport.send(to, "call", call),
      sendReply: (to, reply) => this.transport.send(to, "reply", reply),
      applied: () => replica.status(clock.now()).applied,
    });
    const changes = new ClusterChanges({ shell, wall: this.#wall, clock, canGrow: address !== "none", secret });
    const clients = this.#newClients(commands, changes);
    this.#running = { shell, commands, desk, changes, resp: clients?.resp, sentinel: clients?.sentinel };
    shell.wake();
  }

  /** @returns `host:port` as bound. @throws {ListenError} */
  async openResp(): Promise<string | undefined> {
    const { resp: at, address } = this.#options;
    const bound = at && (await this.#run.resp?.open(at));
    if (at === undefined || bound === undefined) return undefined;
    const shown = address === "none" ? "127.0.0.1" : address.host;
    const host = isUnspecified(at.host) ? shown : at.host;
    this.#ownClients = formatAddress({ host, port: splitAddress(bound).port });
    return bound;
  }

  /** Dials; the addresses that it tells of itself are known by now. */
  reachMembers(): void {
    const others = this.#members.filter((member) => member.id !== this.#options.id);
    this.transport.reach(new Map(others.map(({ id, address }) => [id, address])));
  }

  parts(): Omit<CacheNodeParts, "id" | "listeners"> {
    const { shell, desk, changes, resp, sentinel } = this.#run;
    const { clock, log, dir, ackLevel = DEFAULT_ACK } = this.#options;
    return {
      ackLevel,
      durability: dir === undefined ? "memory" : "disk",
      state: this.state,
      publishing: this.#publishing,
      transport: this.transport,
      store: this.#store,
      wall: this.#wall,
      metrics: this.#metrics,
      failed: this.#failed.signal,
      turnListeners: this.#turnListeners,
      shell,
      desk,
      changes,
      resp,
      sentinel,
      clock,
      log,
    };
  }

  get #run(): Running {
    if (this.#running === undefined) throw new TypeError("The node was not started");
    return this.#running;
  }

  /** From here on the others may elect another leader. */
  get #silentAfter(): Millis {
    return this.#options.timing?.electionMin ?? DEFAULT_REPLICA_TIMING.electionMin;
  }

  #status(): ReplicaStatus {
    return this.shell.replica.status(this.#options.clock.now());
  }

  #own(): MemberIdentity {
    const { member, clusterId, storeId } = this.#store.identity;
    return { id: member, clusterId, storeId, address: this.#ownAddress, clients: this.#ownClients };
  }

  #newClients(
    store: ReplicatedStore,
    changes: ClusterChanges,
  ): { readonly resp: RespListener; readonly sentinel: SentinelWatch } | undefined {
    const { resp, clock, log, meter, respLimits } = this.#options;
    if (resp === undefined) return undefined;
    const status = (): ReplicaStatus => this.#status();
    const traffic = new RespTraffic(clock.now());
    const cluster = new NodeClusterView({
      status,
      peers: this.#peers,
      transport: this.transport,
      ownClients: () => this.#ownClients,
      lastLeader: () => this.#lastLeader,
      silentAfter: this.#silentAfter,
      infoLines: (section) =>
        infoLinesOf(section, {
          status: status(),
          droppedMessages: this.transport.droppedCount,
          syncedIndex: this.#store.syncedIndex,
          traffic,
          now: clock.now(),
          port: this.#ownClients === "" ? resp.port : splitAddress(this.#ownClients).port,
          maxClients: limits.clients,
          clientBytes: this.#run.resp?.load.heldBytes ?? 0,
        }),
    });
    const generation = (): number => this.state.generation;
    const admin = new ClusterAdmin({ status, rows: () => cluster.members, generation, changes });
    const limits = { ...DEFAULT_RESP_LIMITS, ...respLimits };
    const { password } = resp;
    const commands = adminCommands(admin);
    const backend = { store, cluster, counts: traffic };
    const listener = new RespListener({ backend, commands, password, traffic, clock, log, meter, limits });
    const publish = ({ channel, message }: SentinelEvent): void => listener.publish(channel, message);
    return { resp: listener, sentinel: new SentinelWatch({ cluster, clock, publish }) };
  }

  #introduced(peer: MemberIdentity): void {
    this.#peers.met(peer);
    this.#running?.sentinel?.look(); // where its clients go may not have been known before
  }

  #received(from: string, service: MemberService, bytes: Uint8Array): void {
    const { shell, desk } = this.#run;
    switch (service) {
      case "control":
      case "log":
      case "snapshot":
        shell.replica.receive(from as MemberId, decodeMemberMessage(bytes), shell.now());
        return shell.wake();
      case "call":
        return desk.onCall(from, bytes);
      case "reply":
        return desk.onReply(bytes);
      case "publish":
        return this.#publishing.onPublish(bytes);
      default:
        return unreachable(service);
    }
  }

  #events(): ReplicaEvents<OperationAnswer> {
    return {
      send: (to, message, flow) => void this.transport.send(to, flow, encodeMemberMessage(message)),
      answered: (answers) => {
        this.#run.commands.answeredWrites(answers);
        this.#run.changes.answered(answers);
      },
      readsAnswered: (reads) => this.#run.commands.answeredReads(reads),
      roleChanged: (role, term, leader) => this.#roleChanged(role, term, leader),
      membersChanged: (members) => this.#membersChanged(members),
      switchOverFailed: () => this.#run.changes.switchOverFailed(),
      turnEnded: () => this.#turnEnded(),
      diskFailed: (error) => this.#diskFailed(error),
    };
  }

  #roleChanged(role: Role, term: number, leader: MemberId | undefined): void {
    const { commands, desk, changes, resp, sentinel } = this.#run;
    const before = { role: this.#role, leader: this.#leader };
    this.#role = role;
    this.#leader = leader;
    this.#lastLeader = leader ?? this.#lastLeader;
    this.#options.log.info({ role, term, leader }, "Role in the cluster");
    commands.roleChanged(role);
    changes.roleChanged(role === "leader", leader);
    if (before.leader !== undefined && before.leader !== leader) {
      desk.lost(before.leader);
      // Whoever wins while it still knows another leader was elected because nobody heard that one.
      if (role === "leader" || this.#status().unledFor > this.#silentAfter) this.transport.doubt(before.leader);
    }
    // Clients of a leader that is none any more look for the new one; so does Redis when a Sentinel demotes it.
    if (before.role === "leader" && role !== "leader") resp?.dismiss();
    sentinel?.look();
  }

  #membersChanged(members: MemberList): void {
    this.#members = members;
    if (members.length === 0) return;
    this.#peers.setMembers(new Set(members.map((member) => member.id)));
    if (this.#ownAddress !== "") this.reachMembers();
  }

  #turnEnded(): void {
    const { shell, commands, desk, resp } = this.#run;
    for (const sink of commands.endTurn()) resp?.flush(sink);
    if (this.state.sweep()) shell.wake();
    for (const sink of commands.takeMisdirected()) resp?.dismissOne(sink);
    desk.endTurn();
    for (const listener of this.#turnListeners) listener();
  }

  #diskFailed(error: Error): void {
    this.#options.log.error({ err: error }, "The disk failed: this member acknowledges nothing more");
    this.#run.commands.diskFailed();
    this.#failed.abort(error);
  }
}
