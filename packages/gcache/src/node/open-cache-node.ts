/** Starts a cache node: each part is made of those before it, and nothing is carried out until all are there. */
import { randomInt } from "node:crypto";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { Incarnation } from "@sluice/cache/replica/member-message";
import type { MemberList } from "@sluice/cache/replica/members";
import { Replica } from "@sluice/cache/replica/replica";
import type { AckLevel } from "@sluice/cache/replica/replica-output";
import { DEFAULT_REPLICA_TIMING } from "@sluice/cache/replica/timing";
import { CacheState } from "@sluice/cache/state/cache-state";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import { formatAddress, splitAddress } from "@sluice/runtime/sockets/host-and-port";
import { OwnMember } from "../members/member-identity.ts";
import { MemberTransport } from "../members/member-transport.ts";
import { PeerPins } from "../members/peer-pins.ts";
import { ReplicatedStore } from "../resp/command-store.ts";
import { RespPort } from "../resp/resp-port.ts";
import { openLmdbStore } from "../store/lmdb-store.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import type { NodeStore } from "../store/node-store.ts";
import { CacheNode } from "./cache-node.ts";
import { ClusterChanges } from "./cluster-changes.ts";
import { clusterIdOf, founderList } from "./cluster-id.ts";
import { LeaderClient } from "./leader-client.ts";
import { DEFAULT_MEMBER_LIMITS, DEFAULT_RESP_LIMITS } from "./limits.ts";
import { MemberPubSub } from "./member-pub-sub.ts";
import { MonotonicWallClock } from "./monotonic-wall-clock.ts";
import { NodeEvents } from "./node-events.ts";
import { NodeMetrics } from "./node-metrics.ts";
import type { CacheNodeOptions } from "./node-options.ts";
import { checkSetup, checkStoredMembers } from "./node-setup.ts";
import { ReplicaDriver } from "./replica-driver.ts";
import { Upkeep } from "./upkeep.ts";

const NO_CLUSTER = new Uint8Array(32);
const DEFAULT_ACK: AckLevel = { type: "quorum" };

/** @throws {CacheSetupError | ListenError | UnavailableError}, or the signal's reason, with everything closed again */
export async function openCacheNode(given: CacheNodeOptions): Promise<CacheNode> {
  const options = { ...given, log: given.log.child({ node: given.id }) };
  const { id, address, secret, dir, ackLevel = DEFAULT_ACK, clock, log } = options;
  for (const warning of checkSetup(options)) log.warn({}, warning);
  const founders = options.founders === "join" ? [] : founderList(options.founders);
  const silentAfter = options.timing?.electionMin ?? DEFAULT_REPLICA_TIMING.electionMin;
  await using opening = new AsyncDisposableStack();

  const store = opening.use(await openStore(options, founders));
  const state = new CacheState({ hashSeed: randomInt(2 ** 32) });
  const own = new OwnMember(store);
  const peers = new PeerPins(store, secret);
  const transport = newTransport(options, own, peers);
  opening.defer(() => transport.close());
  const member = address === "none" ? undefined : await transport.open(address);
  own.address = address === "none" ? "" : boundAddress(formatAddress(address), member);

  const replica = newReplica(options, { founders: boundFounders(founders, member), store, state });
  checkStoredMembers(replica.status(clock.now()).members, secret);
  const driver = new ReplicaDriver({ replica, store, clock, defer: setImmediate });
  opening.defer(() => driver.close());
  const wall = new MonotonicWallClock(clock);
  const commands = new ReplicatedStore({ driver, state, wall, clock, ackLevel });
  const leaderClient = new LeaderClient({ commands, driver, transport });
  const changes = new ClusterChanges({ driver, wall, clock, canGrow: address !== "none", secret });
  const publishing = new MemberPubSub((bytes) => {
    for (const other of driver.members) if (other.id !== id) transport.send(other.id, "publish", bytes);
  });

  const shared = { own, peers, transport, driver, commands, changes, store, silentAfter };
  const resp = options.resp && newRespPort(options, options.resp, shared);
  if (resp !== undefined) opening.defer(() => resp.close());
  const clients = await resp?.open();

  const metrics = new NodeMetrics(options.meter);
  const upkeep = new Upkeep({ driver, state, leaderClient, changes, metrics, wall, clock });
  const events = new NodeEvents({ ...shared, state, leaderClient, publishing, resp, log });
  transport.start(events);
  driver.start(events);
  opening.move(); // from here on they are the node's to close
  return new CacheNode({
    id,
    listeners: { ...(member && { member }), ...(clients && { resp: clients }) },
    ackLevel,
    durability: dir === undefined ? "memory" : "disk",
    store,
    state,
    transport,
    driver,
    leaderClient,
    changes,
    publishing,
    resp,
    upkeep,
    events,
    wall,
    clock,
    log,
  });
}

async function openStore({ id, dir, log, signal }: CacheNodeOptions, founders: MemberList): Promise<NodeStore> {
  const clusterId = founders.length === 0 ? NO_CLUSTER : clusterIdOf(founders);
  if (dir === undefined) return openMemoryStore({ member: id, clusterId });
  return openLmdbStore({ dir, member: id, clusterId, log, signal });
}

function newTransport(options: CacheNodeOptions, own: OwnMember, peers: PeerPins): MemberTransport {
  const { secret = new Uint8Array(0), tls, crypto, clock, log, meter } = options;
  return new MemberTransport({
    own: () => own.identity,
    incarnation: randomInt(2 ** 32) as Incarnation,
    secret,
    tls,
    judge: (peer) => peers.judge(peer),
    crypto,
    clock,
    log,
    meter,
    limits: { ...DEFAULT_MEMBER_LIMITS, ...options.memberLimits },
  });
}

function newReplica(
  { id, clock, replicaLimits, timing }: CacheNodeOptions,
  of: { readonly founders: MemberList; readonly store: NodeStore; readonly state: CacheState },
): Replica<OperationAnswer> {
  return new Replica({
    self: id as MemberId,
    founders: of.founders,
    stored: of.store.stored,
    state: of.state,
    random: Math.random,
    incarnation: randomInt(2 ** 32) as Incarnation,
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

/** A member that founds alone may have been given port 0: its list says where it is reached now. */
function boundFounders(founders: MemberList, member: string | undefined): MemberList {
  if (founders.length !== 1) return founders;
  return founders.map((one) => ({ ...one, address: boundAddress(one.address, member) }));
}

/** @param bound  undefined when it listens nowhere */
function boundAddress(wanted: string, bound: string | undefined): string {
  const { host, port } = splitAddress(wanted);
  return port === 0 && bound !== undefined ? formatAddress({ host, port: splitAddress(bound).port }) : wanted;
}
