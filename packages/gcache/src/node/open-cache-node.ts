/** Starts a cache node: opens its disk, its ports and its replica, and ties them together. */
import { randomInt } from "node:crypto";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { Incarnation } from "@sluice/cache/replica/member-message";
import { Replica } from "@sluice/cache/replica/replica";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { OperationAnswer } from "@sluice/cache/state/operation";
import { formatAddress, splitAddress } from "@sluice/runtime/sockets/host-and-port";
import { CacheNode } from "./cache-node.ts";
import { clusterIdOf, founderList } from "./cluster-id.ts";
import { openLmdbStore } from "../store/lmdb-store.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import type { CacheNodeOptions } from "./node-options.ts";
import { checkSetup, checkStoredMembers } from "./node-setup.ts";
import type { NodeStore } from "../store/node-store.ts";
import { NodeWiring } from "./node-wiring.ts";
import { PeerPins } from "../members/peer-pins.ts";

const NO_CLUSTER = new Uint8Array(32);

/** @throws {CacheSetupError | ListenError | UnavailableError}, or the signal's reason, with everything closed again */
export async function openCacheNode(given: CacheNodeOptions): Promise<CacheNode> {
  const options = { ...given, log: given.log.child({ node: given.id }) };
  for (const warning of checkSetup(options)) options.log.warn({}, warning);
  const { id, dir, log, signal } = options;
  const list = options.founders === "join" ? [] : founderList(options.founders);
  const clusterId = options.founders === "join" ? NO_CLUSTER : clusterIdOf(list);
  await using opening = new AsyncDisposableStack();
  const store: NodeStore = opening.use(
    dir === undefined
      ? openMemoryStore({ member: id, clusterId })
      : await openLmdbStore({ dir, member: id, clusterId, log, signal }),
  );
  const wiring = new NodeWiring(options, { store, peers: new PeerPins(store, options.secret) });
  opening.defer(() => wiring.transport.close());
  const { address } = options;
  const member = address === "none" ? undefined : await wiring.transport.open(address);
  const replica = newReplica(options, { store, state: wiring.state, member });
  checkStoredMembers(replica.status(options.clock.now()).members, options.secret);
  wiring.start(replica, address === "none" ? "" : boundAddress(formatAddress(address), member));
  opening.defer(() => wiring.shell.close());
  const resp = await wiring.openResp();
  wiring.reachMembers();
  opening.move(); // from here on they are the node's to close
  return new CacheNode({ ...wiring.parts(), id, listeners: { ...(member && { member }), ...(resp && { resp }) } });
}

/** A member that founds alone may have been given port 0: its list says where it is reached now. */
function newReplica(
  options: CacheNodeOptions,
  {
    store,
    state,
    member,
  }: { readonly store: NodeStore; readonly state: CacheState; readonly member: string | undefined },
): Replica<OperationAnswer> {
  const { id, founders, clock, replicaLimits, timing } = options;
  const list = founders === "join" ? [] : founderList(founders);
  return new Replica({
    self: id as MemberId,
    founders: list.length === 1 ? list.map((one) => ({ ...one, address: boundAddress(one.address, member) })) : list,
    stored: store.stored,
    state,
    random: Math.random,
    incarnation: randomInt(2 ** 32) as Incarnation,
    countsWhen: "stored",
    now: clock.now() as Millis,
    ...(replicaLimits && { limits: replicaLimits }),
    ...(timing && { timing }),
  });
}

/** @param bound  undefined when it listens nowhere */
function boundAddress(wanted: string, bound: string | undefined): string {
  const { host, port } = splitAddress(wanted);
  return port === 0 && bound !== undefined ? formatAddress({ host, port: splitAddress(bound).port }) : wanted;
}
