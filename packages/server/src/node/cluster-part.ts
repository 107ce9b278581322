/** The node in a cluster: links, membership, and calls between nodes; absent without a `cluster.*` key. */
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import type { Scope } from "@sluice/base/scope";
import { EngineLinks } from "@sluice/cluster/engine/engine-links";
import type { LinkTls } from "@sluice/runtime/links/link-ports";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { isLoopback } from "@sluice/runtime/sockets/host-and-port";
import { selfSignedPair } from "@sluice/runtime/sockets/self-signed";
import { TlsCertificate } from "@sluice/runtime/sockets/tls-certificate";
import { ClusterNode, type ClusterProof } from "../cluster/cluster-node.ts";
import { meterCluster } from "../cluster/cluster-meter.ts";
import { DEFAULT_CLUSTER_LIMITS } from "../cluster/limits.ts";
import { NodeCalls, type NodeActions } from "../cluster/node-calls.ts";
import type { LiveConfig } from "../config/live-config.ts";
import { VERSION } from "../version.ts";
import { ClusterReplica } from "./cluster-replica.ts";
import type { NodePart } from "./node-part.ts";
import { settingsDigest } from "./settings-digest.ts";

export interface ClusterPart {
  readonly cluster: ClusterNode;
  readonly calls: NodeCalls;
  /** Channels of the state engine, for this node as a client and as a host. */
  readonly engineLinks: EngineLinks;
  /** Undefined with another engine. */
  readonly replica: ClusterReplica | undefined;
}

export interface ClusterPartOptions {
  readonly node: NodePart;
  readonly settings: LiveConfig;
  readonly scope: Scope;
}

/** @returns `undefined` outside a cluster; otherwise call `cluster.start` once all users of the links are added */
export async function openCluster(options: ClusterPartOptions): Promise<ClusterPart | undefined> {
  const { node, settings, scope } = options;
  const { config, clock, log, meter } = node;
  if (!config.isClustered) return undefined;
  const { host, port, seeds } = config.cluster;
  const cluster = new ClusterNode({
    id: config.node.id,
    incarnation: node.incarnation,
    roles: config.node.roles,
    version: VERSION,
    settings: settingsDigest(config),
    proof: await proofOf(options),
    listen: port === "off" ? undefined : { host, port },
    publicAddress: config.node.public.cluster,
    seeds,
    resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
    interfaces: networkInterfaces,
    tell: (event) => node.tell(event),
    crypto: NODE_CRYPTO,
    clock,
    random: Math.random,
    log,
    meter,
    limits: DEFAULT_CLUSTER_LIMITS,
  });
  scope.defer(() => cluster.close());
  const engineLinks = new EngineLinks(config.node.id);
  cluster.services.add(engineLinks);
  node.objects.join(cluster);
  node.streams.join(cluster, meter, scope);
  const joined = { node, cluster, engineLinks, crypto: NODE_CRYPTO, random: Math.random };
  const { kind } = config.engine;
  const replica = kind === "gcache" || kind === "auto" ? new ClusterReplica(joined) : undefined;
  const calls = new NodeCalls({ actions: actionsOf(node, replica), clock, limits: DEFAULT_CLUSTER_LIMITS });
  cluster.services.add(calls);
  node.streams.serve(calls, node.ports.streams, node.ports.policyOf);
  scope.use(meterCluster(cluster, meter));
  scope.use(settings.onChange(() => cluster.membership.describe({ settings: settingsDigest(config) })));
  scope.use(node.onState((state) => cluster.membership.announce(state)));
  node.onHeat((heat) => cluster.membership.describe({ heat }));
  return { cluster, calls, engineLinks, replica };
}

/** Opens the port for other nodes. @throws {ListenError} */
export async function startCluster({ cluster }: ClusterPart, node: NodePart): Promise<void> {
  const bound = await cluster.start();
  if (bound !== undefined) node.addListener("cluster", bound, undefined);
}

/** Call once all listeners are open and the node's role in the engine is known: announces its addresses, and looks for other nodes. */
export function joinCluster({ cluster }: ClusterPart, node: NodePart): void {
  cluster.serve(publicAddresses(node));
  cluster.dial();
}

/** By protocol, for clients: the configured address, or else the bound one. */
function publicAddresses(node: NodePart): Readonly<Record<string, string>> {
  const { cluster: _, ...clients } = node.addresses();
  const { ws } = node.config.node.public;
  return ws === undefined ? clients : { ...clients, ws };
}

function actionsOf({ view, ports, startDrain }: NodePart, replica: ClusterReplica | undefined): NodeActions {
  return {
    counts: () => view.counts(),
    kick: (id, reason) => ports.registry.kick(id, reason),
    drain: (from) => startDrain(`an admin asked for it at node ${from}`),
    members: () => replica?.members,
    changeMember: async (order) => replica?.changeMember(order) ?? "it has no members",
  };
}

async function proofOf({ node, settings, scope }: ClusterPartOptions): Promise<ClusterProof> {
  const { config } = node;
  const secrets = (): readonly Uint8Array[] => {
    const { clusterSecret, clusterSecretAlso } = config.secrets;
    return [clusterSecret, clusterSecretAlso].flatMap((secret) => (secret === undefined ? [] : [Buffer.from(secret)]));
  };
  const ca = config.secrets.clusterCa;
  const plain = ca === undefined ? ({ plain: "within-this-machine" } as const) : { ca };
  const certificate = await certificateOf({ node, settings, scope });
  if (certificate === undefined) return { secrets, dialTls: plain, listenTls: undefined };
  const tls: LinkTls = {
    get cert() {
      return certificate.pair.cert;
    },
    get key() {
      return certificate.pair.key;
    },
    attach: (listener) => certificate.attach(listener),
    ...plain,
  };
  return { secrets, dialTls: tls, listenTls: tls };
}

/** The configured one, kept up to date; else a self-signed one if the port is open beyond this machine. */
async function certificateOf({ node, settings, scope }: ClusterPartOptions): Promise<TlsCertificate | undefined> {
  const { config, clock, log } = node;
  const { host, port, tls } = config.cluster;
  const { clusterCert: cert, clusterKey: key } = config.secrets;
  if (cert === undefined || key === undefined) {
    if (port === "off" || isLoopback(host)) return undefined;
    const pair = await selfSignedPair(config.node.id, clock.wall());
    return scope.use(new TlsCertificate({ pair, files: () => undefined, clock, log }));
  }
  const files = () => (tls.cert === undefined || tls.key === undefined ? undefined : { cert: tls.cert, key: tls.key });
  const certificate = scope.use(new TlsCertificate({ pair: { cert, key }, files, clock, log }));
  const renewed = (): void => {
    const { clusterCert = cert, clusterKey = key } = config.secrets;
    const problems = certificate.use({ cert: clusterCert, key: clusterKey });
    if (problems.length > 0) log.error({ problems }, "TLS files of the cluster cannot be used: the certificate stays");
  };
  scope.use(settings.onChange(renewed));
  return certificate;
}
