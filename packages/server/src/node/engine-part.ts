/** The state engine that the configuration asks for: the embedded cache, or a client of NATS or Redis. */
import { join } from "node:path";
import type { Scope } from "@sluice/base/scope";
import type { Engine } from "@sluice/engine/engine";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import { openCacheNode } from "@sluice/gcache/node/open-cache-node";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { awaitRemoteEngine, type RemoteEngineKind } from "@sluice/drivers/engine-choice";
import { GcacheEngine } from "@sluice/drivers/gcache/gcache-engine";
import type { NodePart } from "./node-part.ts";

const LOOPBACK = "127.0.0.1";

/**
 * Resolves when the engine is open. A server that is not there yet is waited for in the background, and the node is not
 * ready until it is.
 */
export async function openEngine({ node, scope }: { readonly node: NodePart; readonly scope: Scope }): Promise<void> {
  const { kind } = node.config.engine;
  if (kind === "off") return;
  if (kind === "gcache") openedEngine(node, await openEmbedded(node, scope), scope);
  else waitForEngine(node, kind, scope);
}

async function openEmbedded(node: NodePart, scope: Scope): Promise<Engine> {
  const { config, clock, log } = node;
  const cache = await openCacheNode({
    id: config.node.id,
    address: "none",
    founders: new Map([[config.node.id, `${LOOPBACK}:0`]]),
    dir: join(config.data.dir, "cache"),
    ackLevel: { type: "quorum+fsync" },
    resp: respOf(node),
    signal: scope.signal,
    clock,
    log,
    meter: node.meter,
    crypto: NODE_CRYPTO,
  });
  scope.defer(() => cache.close());
  if (cache.listeners.resp !== undefined) node.addListener("resp", cache.listeners.resp, undefined);
  watchDisk(node, cache);
  node.showEngine(() => "leader"); // alone in its cluster
  return GcacheEngine.open({ node: cache, clock, log, random: Math.random }, scope.signal);
}

function respOf({ config }: NodePart): { host: string; port: number; password?: string } | undefined {
  const { port } = config.cache.resp;
  const password = config.secrets.respPassword;
  if (port === "off") return undefined;
  return password === undefined ? { host: LOOPBACK, port } : { host: config.listen.host, port, password };
}

/** Streams go on without a disk; state does not. */
function watchDisk(node: NodePart, cache: CacheNode): void {
  const failed = (): void => node.hold("engine", "The disk of the embedded cache failed");
  if (cache.failed.aborted) failed();
  else cache.failed.addEventListener("abort", failed, { once: true });
}

function waitForEngine(node: NodePart, kind: RemoteEngineKind, scope: Scope): void {
  const { config, clock, log } = node;
  node.hold("engine", `The state engine (${kind}) is not reachable yet`);
  const choice = { kind, url: config.engine.url ?? "", clock, log, random: Math.random };
  awaitRemoteEngine(choice, scope.signal)
    .then((engine) => {
      openedEngine(node, engine, scope);
      node.showEngine(() => "client");
      node.release("engine");
    })
    .catch((error: unknown) => {
      if (scope.signal.aborted) return;
      node.hold("engine", `The state engine (${kind}) cannot be used: ${String(error)}`);
      log.error({ err: error }, "State engine cannot be used");
    });
}

function openedEngine({ log }: NodePart, engine: Engine, scope: Scope): void {
  scope.use(engine);
  if (engine.capabilities().engine === "gcache") log.info({ ...engine.capabilities() }, "state engine open");
}
