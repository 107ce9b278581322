/** The state engine inside a cluster's nodes, for one node: its copy of the data, the way to the engine, and its row. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Scope } from "@sluice/base/scope";
import { Directory } from "@sluice/cluster/directory/directory";
import type { DirectoryView } from "@sluice/cluster/directory/directory-view";
import { LinkEngine } from "@sluice/cluster/engine/link-engine";
import type { Engine } from "@sluice/engine/engine";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import type { ClusterReplica, ClusterReplicaOptions, ReplicaOptions } from "./cluster-replica.ts";

export interface ClusterEngineOptions extends ClusterReplicaOptions {
  readonly replica: ClusterReplica;
  /** Opens the node's store; it is closed with `scope`. */
  readonly openCache: (of: ReplicaOptions) => Promise<CacheNode>;
  readonly scope: Scope;
}

export interface ReachedEngine {
  readonly engine: Engine;
  readonly directory: Directory;
}

const NO_MEMBER =
  "The state engine is not reachable yet: no member of the cluster answers (a new one is founded by a node without cluster.seeds, or with cluster.bootstrap: true)";

/**
 * Resolves once the node's own store is open. The engine is opened in the background, through this node's copy or that of
 * any other member, whichever is available first. Until then the node is not ready.
 */
export async function openClusterEngine(
  options: ClusterEngineOptions,
): Promise<{ readonly cache: CacheNode; readonly reached: Promise<ReachedEngine> }> {
  const { node, replica, engineLinks: links, openCache, crypto, random, scope } = options;
  const { clock, log } = node;
  node.hold("engine", NO_MEMBER);
  const cache = await openCache(replica.options);
  scope.use(replica.serve(cache));
  const hosts = (): readonly string[] => replica.hosts;
  const reached = LinkEngine.open({ links, hosts, clock, crypto, log, random }, scope.signal).then((engine) => {
    scope.use(engine);
    const directory = openDirectory({ ...options, engine });
    node.release("engine");
    return { engine, directory };
  });
  return { cache, reached };
}

/** Writes the node's row to the engine, so that others know when its leases have run out. */
export function openDirectory({
  node: { config, incarnation, clock, log },
  cluster,
  engine,
  random,
  scope,
}: Pick<ClusterReplicaOptions, "node" | "cluster" | "random"> & {
  readonly engine: Engine;
  readonly scope: Scope;
}): Directory {
  const self = { id: config.node.id, incarnation };
  const directory = scope.use(new Directory({ engine, services: cluster.services, self, clock, log, random }));
  scope.use(noteSilence(directory.view, { clock, log }));
  directory.view.onChange((change) => {
    if (change.type === "node" && change.row === undefined)
      log.debug({ peer: change.id }, "The row of a node in the state engine is gone");
  });
  cluster.consult({ isGone: (id, life) => directory.view.isGone(id, life) });
  return directory;
}

/** How long the engine may be silent before it is told: longer than an election. */
const SILENT_FOR = 3_000 as Millis;

/** What runs goes on, so the node stays ready; but ownership stands still, and operators hear of it, once each way. */
export function noteSilence(
  view: Pick<DirectoryView, "isStale" | "wasCurrent" | "onChange">,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Disposable {
  let waiting: Timer | undefined;
  let isTold = false;
  const listening = view.onChange((change) => {
    if (change.type !== "stale") return;
    waiting?.cancel();
    if (change.isStale && view.wasCurrent) {
      waiting = clock.after(SILENT_FOR, () => {
        isTold = true;
        log.warn(
          {},
          "The state engine does not answer: what runs goes on, nothing changes its home, the view is stale",
        );
      });
    } else if (isTold) {
      isTold = false;
      log.info({}, "The state engine answers again");
    }
  });
  return {
    [Symbol.dispose]: () => {
      waiting?.cancel();
      listening[Symbol.dispose]();
    },
  };
}
