/** The composition root: the list of the server's parts, in start order. */
import type { Log } from "@sluice/base/log";
import { aborted } from "@sluice/base/scope";
import type { SluiceConfig } from "./config/load-config.ts";

export interface ServerPorts {
  readonly log: Log;
  /** Aborting it drains the server. */
  readonly stop: AbortSignal;
  /** Called once, when every listener is open, with the object of the ready line. */
  readonly ready: (line: object) => void;
}

/** Runs until `stop`, then drains; rejects when it cannot start. */
export async function runServer(config: SluiceConfig, { stop, ready }: ServerPorts): Promise<void> {
  const keepAlive = setInterval(() => {}, 2 ** 30);
  ready({ event: "ready", node: config.node.id, pid: process.pid, listeners: {} });
  await aborted(stop);
  clearInterval(keepAlive);
}
