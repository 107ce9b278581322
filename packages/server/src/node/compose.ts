/** The composition root: the list of the server's parts, in start order. */
import type { Log } from "@sluice/base/log";
import { aborted, Scope } from "@sluice/base/scope";
import { SystemClock } from "@sluice/runtime/system-clock";
import type { LiveConfig } from "../config/live-config.ts";
import { openAdmin } from "./admin-part.ts";
import { joinCluster, openCluster, startCluster } from "./cluster-part.ts";
import { watchOpenListeners } from "./open-listeners.ts";
import { openEngine } from "./engine-part.ts";
import { openHttp } from "./http-part.ts";
import { openNode } from "./node-part.ts";
import { openRtmp } from "./rtmp-part.ts";
import { openSluice } from "./sluice-part.ts";
import { openTls } from "./tls-part.ts";

export interface ServerPorts {
  readonly log: Log;
  /** Aborting it drains the server. */
  readonly stop: AbortSignal;
  /** Called once, when every listener is open, with the object of the ready line. */
  readonly ready: (line: ReadyLine) => void;
}

export interface ReadyLine {
  readonly event: "ready";
  readonly node: string;
  readonly pid: number;
  /** Listener name → `host:port` as bound. */
  readonly listeners: Readonly<Record<string, string>>;
}

/** Runs until `stop`, then drains; rejects if it cannot start, with the reason of `stop` if that came first. */
export async function runServer(settings: LiveConfig, { log, stop, ready }: ServerPorts): Promise<void> {
  await using scope = new Scope(stop);
  const clock = new SystemClock();
  const config = settings.view;
  const node = openNode({ config, clock, log, scope });
  const tls = openTls({ node, settings, scope });
  const rtmp = await openRtmp({ node, tls, scope });
  const cluster = await openCluster({ node, settings, scope });
  if (cluster !== undefined) await startCluster(cluster, node);
  await openEngine({ node, cluster, scope });
  stop.throwIfAborted();
  const admin = await openAdmin({ node, cluster, scope });
  const sluice = openSluice({ node, cluster, scope });
  await openHttp({ node, rtmp, sluice, admin, tls, scope });
  if (cluster !== undefined) joinCluster(cluster, node);
  node.becomeReady();
  watchOpenListeners({ node, settings, scope });
  ready({ event: "ready", node: config.node.id, pid: process.pid, listeners: node.listeners() });
  await aborted(node.draining);
  await node.drain();
}
