/** The state engine that the configuration asks for: the embedded cache, alone or as one of a cluster, or a client of NATS or Redis. */
import { join } from "node:path";
import type { Scope } from "@sluice/base/scope";
import type { Engine } from "@sluice/engine/engine";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import { openCacheNode } from "@sluice/gcache/node/open-cache-node";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { awaitRemoteEngine, type RemoteEngineKind } from "@sluice/drivers/engine-choice";
import { GcacheEngine } from "@sluice/drivers/gcache/gcache-engine";
import { openClusterEngine, openDirectory } from "./cluster-engine.ts";
import type { ClusterPart } from "./cluster-part.ts";
import type { ClusterReplica, ReplicaOptions } from "./cluster-replica.ts";
import type { NodePart } from "./node-part.ts";
import type { OwnEngine } from "./objects-part.ts";

const LOOPBACK = "127.0.0.1";

/**
 * Resolves when the engine is open. A server that is not there yet is waited for in the background, and the node is not
 * ready until it is.
 */
export async function openEngine(options: EnginePartOptions): Promise<void> {
  const { node, cluster, scope } = options;
  const { kind } = node.config.engine;
  const inMemory = (refusesDurable: string): void =>
    node.objects.openOwnOnUse(async () => ({ engine: node.objects.openMemory(scope), refusesDurable }), scope);
  if (cluster !== undefined) inMemory("the application is local to each node (applications.<name>.cluster)");
  const { replica } = cluster ?? {};
  if (cluster !== undefined && replica !== undefined) return openClustered(options, cluster, replica);
  if (kind === "off")
    return cluster === undefined ? inMemory("there is no state engine (engine.kind: off)") : undefined;
  if (kind === "auto") return node.objects.openOwnOnUse(() => openOnUse(node, scope), scope);
  if (kind !== "gcache") {
    const reached = waitForEngine(options, kind);
    if (cluster === undefined) node.objects.openOwnOnUse(async () => ({ engine: await reached }), scope);
    return;
  }
  const engine = await openAlone(node, scope);
  openedEngine(options, engine);
  node.objects.openOwnOnUse(async () => ({ engine }), scope);
}

/** Where the disk cannot be used, shared objects last as long as the process. */
async function openOnUse(node: NodePart, scope: Scope): Promise<OwnEngine | undefined> {
  try {
    return { engine: scope.use(await openAlone(node, scope)) };
  } catch (error) {
    if (scope.signal.aborted) return undefined;
    node.log.error({ err: error }, "The embedded cache (engine.kind: auto) cannot be opened: nothing is kept");
    return { engine: node.objects.openMemory(scope), refusesDurable: "the embedded cache cannot be opened" };
  }
}

export interface EnginePartOptions {
  readonly node: NodePart;
  /** Has started. */
  readonly cluster: ClusterPart | undefined;
  readonly scope: Scope;
}

async function openAlone(node: NodePart, scope: Scope): Promise<Engine> {
  const { config, clock, log } = node;
  const founders = new Map([[config.node.id, `${LOOPBACK}:0`]]);
  const cache = await openCacheNode({ ...cacheOptions(node, scope), address: "none", founders });
  useCache(node, cache, scope);
  node.showEngine(() => "leader"); // alone in its cluster
  return GcacheEngine.open({ node: cache, clock, log, random: Math.random }, scope.signal);
}

/** Resolves once the node's own store is open; it is held up until the engine answers. */
async function openClustered(
  { node, scope }: EnginePartOptions,
  part: ClusterPart,
  replica: ClusterReplica,
): Promise<void> {
  const openCache = async (of: ReplicaOptions): Promise<CacheNode> => {
    const cache = await openCacheNode({ ...cacheOptions(node, scope), ...of });
    useCache(node, cache, scope);
    return cache;
  };
  const { reached } = await openClusterEngine({
    ...part,
    node,
    replica,
    openCache,
    crypto: NODE_CRYPTO,
    random: Math.random,
    scope,
  });
  reached
    .then(({ engine, directory }) => {
      node.objects.openShared(directory, engine, scope);
      node.streams.open(directory);
      node.log.info({ ...engine.capabilities() }, "state engine open");
    })
    .catch((error: unknown) => {
      if (scope.signal.aborted) return;
      node.hold("engine", `The state engine cannot be used: ${String(error)}`);
      node.log.error({ err: error }, "State engine cannot be used");
    });
}

/** Of every embedded cache. */
function cacheOptions(node: NodePart, scope: Scope) {
  const { config, clock, log, meter } = node;
  return {
    id: config.node.id,
    dir: join(config.data.dir, "cache"),
    ackLevel: { type: "quorum+fsync" },
    resp: respOf(node),
    signal: scope.signal,
    clock,
    log,
    meter,
    crypto: NODE_CRYPTO,
  } as const;
}

function useCache(node: NodePart, cache: CacheNode, scope: Scope): void {
  scope.defer(() => cache.close());
  if (cache.listeners.resp !== undefined) node.addListener("resp", cache.listeners.resp, undefined);
  watchDisk(node, cache);
}

function respOf({ config }: NodePart): { host: string; port: number; password?: string } | undefined {
  const { port } = config.cache.resp;
  const password = config.secrets.respPassword;
  if (port === "off") return undefined;
  return password === undefined ? { host: LOOPBACK, port } : { host: config.listen.host, port, password };
}

/** Streams go on without a disk; state does not. */
function watchDisk(node: NodePart, cache: CacheNode): void {
  const failed = (): void => node.hold("disk", "The disk of the embedded cache failed");
  if (cache.failed.aborted) failed();
  else cache.failed.addEventListener("abort", failed, { once: true });
}

/** @returns a promise that is never kept where the engine cannot be used */
function waitForEngine(options: EnginePartOptions, kind: RemoteEngineKind): Promise<Engine> {
  const { node, scope } = options;
  const { config, clock, log } = node;
  node.hold("engine", `The state engine (${kind}) is not reachable yet`);
  const choice = { kind, url: config.engine.url ?? "", clock, log, random: Math.random };
  const reached = Promise.withResolvers<Engine>();
  awaitRemoteEngine(choice, scope.signal)
    .then((engine) => {
      openedEngine(options, engine);
      node.showEngine(() => "client");
      node.release("engine");
      reached.resolve(engine);
    })
    .catch((error: unknown) => {
      if (scope.signal.aborted) return;
      node.hold("engine", `The state engine (${kind}) cannot be used: ${String(error)}`);
      log.error({ err: error }, "State engine cannot be used");
    });
  return reached.promise;
}

function openedEngine({ node, cluster: part, scope }: EnginePartOptions, engine: Engine): void {
  scope.use(engine);
  if (engine.capabilities().engine === "gcache") node.log.info({ ...engine.capabilities() }, "state engine open");
  if (part === undefined) return;
  const directory = openDirectory({ ...part, node, engine, random: Math.random, scope });
  node.objects.openShared(directory, engine, scope);
  node.streams.open(directory);
}
