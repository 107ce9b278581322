/** `sluice cache`: runs one cache node until a signal, with the ready line on standard output. */
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { aborted } from "@sluice/base/scope";
import { isLoopback, parseAddress } from "@sluice/runtime/sockets/host-and-port";
import type { CacheNode } from "../node/cache-node.ts";
import type { LinkTls } from "@sluice/runtime/links/link-ports";
import type { CacheNodeOptions } from "../node/node-options.ts";
import { openCacheNode } from "../node/open-cache-node.ts";
import { SystemClock } from "@sluice/runtime/system-clock";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { floodFold } from "@sluice/runtime/flood-fold";
import { interfacesOf } from "@sluice/runtime/sockets/reach";
import { TlsCertificate } from "@sluice/runtime/sockets/tls-certificate";
import { type LogOptions, openLog } from "@sluice/runtime/log";
import { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import { endOnBugs } from "@sluice/runtime/process/bug-watch";
import {
  CACHE_DEFAULTS,
  type CacheCliOptions,
  parseAck,
  parseMembers,
  readSecret,
  readTls,
  requireAddress,
} from "./cache-options.ts";
import { UsageError } from "@sluice/runtime/process/usage-error";
import { rereadOnHangUp, stopOnSignals } from "@sluice/runtime/process/signals";
import { print } from "@sluice/runtime/process/print";

/** Enough for a hand-over and the last commit; after that the process ends anyway. */
const LONGEST_STOP = 8_000 as Millis;

export async function serveCache(cli: CacheCliOptions): Promise<void> {
  const clock = new SystemClock();
  const output = openLog({ format: cli.logFormat, level: cli.logLevel } as LogOptions);
  const log = floodFold(output.child({ node: cli.id }), clock);
  const stop = new AbortController();
  endOnBugs(log);
  const certificate = openCertificate(cli, clock, log);
  const options: CacheNodeOptions = {
    ...membership(cli),
    dir: cli.dir ?? join("data", "cache", cli.id),
    ackLevel: parseAck(cli.ack),
    secret: Buffer.from(cli.secretFile === undefined ? "" : readSecret("--secret-file", cli.secretFile)),
    tls: certificate && memberTls(certificate),
    resp: respOf(cli),
    clock,
    log,
    meter: new PromMeter({ processMetrics: "off" }),
    crypto: NODE_CRYPTO,
  };
  if (options.resp !== undefined && options.resp.password === undefined && !isLoopback(options.resp.host)) {
    const at = { listener: "resp", bound: cli.resp, interfaces: interfacesOf(options.resp.host, networkInterfaces()) };
    log.warn(at, "Anyone who can reach the RESP port can read and write everything (--resp-password-file)");
  }
  stopOnSignals(stop, log, () => LONGEST_STOP);
  rereadOnHangUp(() => {
    log.info({}, "Rereading the TLS files; every other option holds until a restart");
    void certificate?.look();
  });
  const node = await openUnlessStopped(options, stop.signal, log);
  const { id, listeners } = node;
  print(`${JSON.stringify({ event: "ready", node: id, pid: process.pid, listeners })}\n`);
  const exitCode = await untilEnd(node, stop.signal);
  log.info({}, "Stopped");
  process.exit(exitCode);
}

function openCertificate(cli: CacheCliOptions, clock: Clock, log: Log): TlsCertificate | undefined {
  const pair = readTls(cli);
  const files = { cert: cli.tlsCert ?? "", key: cli.tlsKey ?? "" };
  return pair && new TlsCertificate({ pair, files: () => files, clock, log });
}

/** Reads the newest pair for each dialled connection, and passes new pairs to the listener. */
function memberTls(certificate: TlsCertificate): LinkTls {
  return {
    get cert() {
      return certificate.pair.cert;
    },
    get key() {
      return certificate.pair.key;
    },
    attach: (listener) => certificate.attach(listener),
  };
}

/** A signal before the node is open ends the process in order: there is nothing to hand over. */
async function openUnlessStopped(options: CacheNodeOptions, signal: AbortSignal, log: Log): Promise<CacheNode> {
  try {
    return await openCacheNode({ ...options, signal });
  } catch (error) {
    if (error !== signal.reason) throw error;
    log.info({}, "Stopped");
    process.exit(0);
  }
}

/** @returns the exit code */
async function untilEnd(node: CacheNode, stop: AbortSignal): Promise<0 | 1> {
  // The timer keeps the process alive; nothing else here does.
  const alive = setInterval(() => {}, 2 ** 30);
  await Promise.race([aborted(stop), aborted(node.failed)]);
  clearInterval(alive);
  await node.close().catch(() => {}); // a failed disk was reported already
  return node.failed.aborted ? 1 : 0;
}

function membership({
  id,
  members,
  join: joins,
}: CacheCliOptions): Pick<CacheNodeOptions, "id" | "address" | "founders"> {
  const list = members === undefined ? new Map([[id, CACHE_DEFAULTS.member]]) : parseMembers(members);
  const own = list.get(id);
  if (own === undefined) throw new UsageError(`Cannot use --members: it lacks "${id}", the --id of this node`);
  return { id, address: requireAddress("--members", own), founders: joins ? "join" : list };
}

function respOf({ resp, respPasswordFile }: CacheCliOptions): CacheNodeOptions["resp"] {
  if (resp === "off") return undefined;
  const password = respPasswordFile === undefined ? undefined : readSecret("--resp-password-file", respPasswordFile);
  const address = parseAddress(resp);
  if (address === undefined) throw new UsageError(`Cannot read --resp: "${resp}" is neither host:port nor off`);
  return { ...address, password };
}
