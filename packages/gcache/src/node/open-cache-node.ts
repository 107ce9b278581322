/** Starts a cache node: creates each part from those before it, and starts all of them at the end. */
import { crc32 } from "node:zlib";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { Incarnation as MemberIncarnation } from "@sluice/cache/replica/member-message";
import type { MemberList } from "@sluice/cache/replica/members";
import { Replica } from "@sluice/cache/replica/replica";
import type { AckLevel } from "@sluice/cache/replica/replica-output";
import { DEFAULT_REPLICA_TIMING } from "@sluice/cache/replica/timing";
import { CacheState } from "@sluice/cache/state/cache-state";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import type { Incarnation } from "@sluice/mesh/hello";
import { formatAddress } from "@sluice/runtime/sockets/host-and-port";
import { memberOf, OwnMember } from "../members/member-identity.ts";
import { MemberTransport } from "../members/member-transport.ts";
import { OwnLinks } from "../members/own-links.ts";
import { PeerPins } from "../members/peer-pins.ts";
import { ReplicatedStore } from "../resp/command-store.ts";
import { RespPort } from "../resp/resp-port.ts";
import { openLmdbStore } from "../store/lmdb-store.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import type { NodeStore } from "../store/node-store.ts";
import { CacheNode } from "./cache-node.ts";
import { ClusterChanges } from "./cluster-changes.ts";
import { ClusterGrowth } from "./cluster-growth.ts";
import { boundAddress, clusterIdOf, decideFounders, founderList, NO_CLUSTER } from "./founding.ts";
import { LeaderClient } from "./leader-client.ts";
import { DEFAULT_MEMBER_LIMITS, DEFAULT_RESP_LIMITS } from "./limits.ts";
import { MemberPubSub } from "./member-pub-sub.ts";
import { MemberOrders } from "./member-orders.ts";
import { MonotonicWallClock } from "./monotonic-wall-clock.ts";
import { NodeEvents } from "./node-events.ts";
import { NodeMetrics } from "./node-metrics.ts";
import type { CacheNodeOptions } from "./node-options.ts";
import { checkSetup, checkStoredMembers } from "./node-setup.ts";
import { ReplicaDriver } from "./replica-driver.ts";
import { Rejoin } from "./rejoin.ts";
import { Upkeep } from "./upkeep.ts";

const NO_SECRET = new Uint8Array(0);
/** A linked peer has proved itself to the owner of the links, which also decides whom to dial. */
const PROVED_BY_LINK = Uint8Array.of(1);
const DEFAULT_ACK: AckLevel = { type: "quorum" };

/** @throws {CacheSetupError | ListenError | UnavailableError}, or the signal's reason, after closing everything */
export async function openCacheNode(given: CacheNodeOptions): Promise<CacheNode> {
  const options = {
    random: Math.random,
    defer: setImmediate,
    ...given,
    ...(given.links !== undefined && { secret: PROVED_BY_LINK }),
    log: given.log.child({ node: given.id }),
  };
  const { id, address, secret, ackLevel = DEFAULT_ACK, clock, random, defer, log, meter } = options;
  for (const warning of checkSetup(options)) log.warn({}, warning);
  const silentAfter = options.timing?.electionMin ?? DEFAULT_REPLICA_TIMING.electionMin;
  await using opening = new AsyncDisposableStack();

  const store = opening.use(await openStore(options));
  const state = new CacheState({ hashSeed: Math.floor(random() * 2 ** 32), checksum: crc32 });
  const own = new OwnMember(store);
  const peers = new PeerPins(own, store, secret);
  const links = options.links ?? newOwnLinks(options, peers);
  const transport = new MemberTransport({ links, own, peers, secret: secret ?? NO_SECRET, clock, log, meter });
  opening.defer(() => transport.close());
  const member = await transport.open();
  own.address = address === "none" ? "" : boundAddress(formatAddress(address), member);

  const founders = await decideFounders(options, { store, own });
  transport.tellAll();
  const replica = newReplica(options, { founders, store, state });
  checkStoredMembers(replica.status(clock.now()).members, secret);
  const driver = new ReplicaDriver({ replica, store, clock, defer });
  opening.defer(() => driver.close());
  const wall = new MonotonicWallClock(clock);
  const commands = new ReplicatedStore({ driver, state, wall, clock, ackLevel });
  const changes = new ClusterChanges({
    driver,
    wall,
    clock,
    canGrow: options.links !== undefined || address !== "none",
    secret,
  });
  const growth = new ClusterGrowth({ growth: options.growth, driver, changes, transport, own, log });
  const orders = new MemberOrders({ driver, changes, growth, transport, clock });
  const leaderClient = new LeaderClient({ commands, orders, driver, transport });
  const publishing = new MemberPubSub((bytes) => {
    for (const other of driver.members) if (other.id !== id) transport.send(other.id, "publish", bytes);
  });

  const shared = { own, peers, transport, driver, commands, changes, store, silentAfter };
  const resp = options.resp && newRespPort(options, options.resp, shared);
  if (resp !== undefined) opening.defer(() => resp.close());
  const clients = await resp?.open();
  transport.tellAll();

  const metrics = new NodeMetrics(meter);
  const rejoin = new Rejoin({ mode: options.rejoin ?? "manual", driver, transport, clock, log });
  const upkeep = new Upkeep({ driver, state, leaderClient, growth, metrics, wall, clock });
  const events = new NodeEvents({ ...shared, state, leaderClient, orders, rejoin, publishing, resp, log });
  transport.start(events);
  driver.start(events);
  rejoin.look();
  opening.move(); // from here on the node closes them
  return new CacheNode({
    id,
    listeners: { ...(member && { member }), ...(clients && { resp: clients }) },
    ackLevel,
    durability: options.dir === undefined && options.store === undefined ? "memory" : "disk",
    store,
    state,
    transport,
    driver,
    leaderClient,
    changes,
    publishing,
    resp,
    upkeep,
    rejoin,
    events,
    wall,
    clock,
    log,
  });
}

async function openStore({ id, founders, dir, store, log, signal }: CacheNodeOptions): Promise<NodeStore> {
  if (store !== undefined) return store;
  const clusterId = typeof founders === "string" ? NO_CLUSTER : clusterIdOf(founderList(founders));
  if (dir === undefined) return openMemoryStore({ member: id, clusterId });
  return openLmdbStore({ dir, member: id, clusterId, log, signal });
}

function newOwnLinks(options: CacheNodeOptions & { readonly random: () => number }, peers: PeerPins): OwnLinks {
  const { id, address, secret = NO_SECRET, tls, crypto, clock, random, log, meter, memberLimits } = options;
  return new OwnLinks({
    id,
    address,
    incarnation: Math.floor(random() * 2 ** 32) as Incarnation,
    secret,
    tls,
    judge: (peer) => {
      const member = memberOf(peer);
      return member === undefined ? "other-purpose" : peers.judge(member);
    },
    crypto,
    clock,
    random,
    log,
    meter,
    limits: { ...DEFAULT_MEMBER_LIMITS, ...memberLimits },
  });
}

function newReplica(
  { id, clock, random, replicaLimits, timing }: CacheNodeOptions & { readonly random: () => number },
  of: { readonly founders: MemberList; readonly store: NodeStore; readonly state: CacheState },
): Replica<OperationAnswer> {
  return new Replica({
    self: id as MemberId,
    founders: of.founders,
    stored: of.store.stored,
    state: of.state,
    random,
    incarnation: Math.floor(random() * 2 ** 32) as MemberIncarnation,
    countsWhen: "stored",
    now: clock.now() as Millis,
    ...(replicaLimits && { limits: replicaLimits }),
    ...(timing && { timing }),
  });
}

function newRespPort(
  { address, clock, log, meter, respLimits }: CacheNodeOptions,
  at: NonNullable<CacheNodeOptions["resp"]>,
  parts: Omit<ConstructorParameters<typeof RespPort>[0], "at" | "host" | "limits" | "clock" | "log" | "meter">,
): RespPort {
  const host = address === "none" ? "127.0.0.1" : address.host;
  return new RespPort({ ...parts, at, host, limits: { ...DEFAULT_RESP_LIMITS, ...respLimits }, clock, log, meter });
}
