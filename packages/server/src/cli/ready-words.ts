/** What a person at a terminal wants to know when the server is ready: where to publish, where to play, where to look. */
import type { Interfaces } from "@sluice/runtime/sockets/reach";
import { hostOf, shownHost } from "@sluice/runtime/sockets/reach";
import type { SluiceConfig } from "../config/load-config.ts";

export interface ReadyFacts {
  readonly config: SluiceConfig;
  /** Listener name → `host:port` as bound. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly interfaces: Interfaces;
}

/** Lines for standard error. */
export function readyWords(facts: ReadyFacts): string {
  const rtmp = addressOf(facts, "rtmp") ?? addressOf(facts, "rtmps");
  const web = addressOf(facts, "http") ?? addressOf(facts, "https");
  const rows = [
    ["Console", consoleUrl(facts)],
    ["Publish", rtmp && `${rtmp}/live/NAME   (OBS: server ${rtmp}/live, stream key NAME)`],
    ["Play", web && `${web}/live/NAME.flv`],
    [web === undefined ? "Play" : "", rtmp && `${rtmp}/live/NAME`],
  ];
  const lines = rows.filter(([, text]) => text !== undefined).map(([head = "", text]) => `  ${head.padEnd(9)}${text}`);
  return `\n${[`Sluice is ready as ${facts.config.node.id}.`, ...lines, hintOf(facts)].join("\n")}\n\n`;
}

function hintOf({ config: { auth } }: ReadyFacts): string {
  const closed = (["publish", "play"] as const).filter((action) => !auth[action].includes("open"));
  const guard = closed.length === 0 ? "" : ` To ${closed.join(" and ")} takes a token: docs/guide/guarding.md.`;
  return `  NAME is any name. The console can start a test pattern. Ctrl-C stops, kill -HUP ${process.pid} rereads the configuration.${guard}`;
}

/** The console answers without a token on this machine only. */
function consoleUrl({ listeners }: ReadyFacts): string | undefined {
  const [scheme, bound] = listeners["http"] === undefined ? ["https", listeners["https"]] : ["http", listeners["http"]];
  if (bound === undefined) return undefined;
  const host = shownHost(hostOf(bound), {});
  return `${scheme}://${host === "127.0.0.1" ? "localhost" : host}:${portOf(bound)}/console/`;
}

function addressOf(
  { config, listeners, interfaces }: ReadyFacts,
  name: "rtmp" | "rtmps" | "http" | "https",
): string | undefined {
  const bound = listeners[name];
  if (bound === undefined) return undefined;
  const announced = name === "rtmp" ? config.node.public.rtmp : name === "http" ? config.node.public.http : undefined;
  return `${name}://${announced ?? `${shownHost(hostOf(bound), interfaces)}:${portOf(bound)}`}`;
}

function portOf(bound: string): string {
  return bound.slice(bound.lastIndexOf(":") + 1);
}
