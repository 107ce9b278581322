/** Warns of open access: actions that need no credential, and listeners that strangers can reach. */
import { networkInterfaces } from "node:os";
import type { Log } from "@sluice/base/log";
import type { Scope } from "@sluice/base/scope";
import { type OpenActions, openWarning } from "../auth/open-warning.ts";
import type { LiveConfig } from "../config/live-config.ts";
import { hostOf, type Interfaces, interfacesOf } from "@sluice/runtime/sockets/reach";
import type { NodePart } from "./node-part.ts";

export interface OpenListenersOptions {
  readonly log: Log;
  /** Listener name → `host:port` as bound. */
  readonly bound: Readonly<Record<string, string>>;
  /** Actions allowed without a credential. */
  readonly open: { readonly publish: boolean; readonly play: boolean };
  readonly interfaces?: Interfaces;
}

/** Listeners guarded by the access rules; the others have their own credentials, or stay on loopback without. */
const GUARDED = ["rtmp", "rtmps", "http", "https"];

/** Warns at start, and again when a reread configuration opened something. */
export function watchOpenListeners(options: {
  readonly node: NodePart;
  readonly settings: LiveConfig;
  readonly scope: Scope;
}): void {
  const { node, settings, scope } = options;
  let told: OpenActions = { publish: [], play: [] };
  let names: readonly string[] = [];
  const tell = (): void => {
    const open = node.openActions();
    const wasOpen = (action: "publish" | "play", name: string): boolean =>
      told[action].includes(names.includes(name) ? name : "");
    const opened = {
      publish: open.publish.filter((name) => !wasOpen("publish", name)),
      play: open.play.filter((name) => !wasOpen("play", name)),
    };
    told = open;
    names = node.config.applicationNames;
    const warning = openWarning(opened);
    if (warning === undefined) return;
    node.log.warn({}, warning);
    const isOpen = { publish: opened.publish.length > 0, play: opened.play.length > 0 };
    tellOpenListeners({ log: node.log, bound: node.listeners(), open: isOpen });
  };
  tell();
  scope.use(settings.onChange(tell));
}

/** One line each; none if everything is closed, or reachable only from this machine. */
export function tellOpenListeners(options: OpenListenersOptions): void {
  const { log, bound, open, interfaces = networkInterfaces() } = options;
  const actions = (["publish", "play"] as const).filter((action) => open[action]);
  if (actions.length === 0) return;
  for (const listener of GUARDED) {
    const at = bound[listener];
    if (at === undefined) continue;
    const reachable = interfacesOf(hostOf(at), interfaces);
    if (reachable.length === 0) continue;
    const what = actions.join(" and ");
    log.warn(
      { listener, bound: at, interfaces: reachable },
      `Open beyond this machine: anybody who reaches this port may ${what} without a credential`,
    );
  }
}
