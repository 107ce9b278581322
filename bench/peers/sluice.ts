/** Sluice itself, as a user starts it, on free ports. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PinnedProcess } from "../pinned-process.ts";
import { makeCertificate, type RunningServer, SERVER_CORE, temporaryFolder } from "./running-server.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const MAIN = join(ROOT, "packages", "server", "dist", "main.js");

export interface SluiceOptions {
  /** `auto`, or a duration such as `100ms`. */
  readonly window: string;
  readonly tls: boolean;
  /** More `key=value` settings. */
  readonly settings: readonly string[];
  /** The server's where left out. */
  readonly core?: number;
}

export const hasSluice = (): boolean => existsSync(MAIN);

const portOf = (address: unknown): number => Number(String(address).split(":").at(-1));

function settingsOf(options: SluiceOptions, folder: string): string[] {
  const settings = [
    "listen.host=127.0.0.1",
    "rtmp.port=0",
    "http.port=0",
    `delivery.window=${options.window}`,
    `data.dir=${folder}`,
    "log.level=error",
  ];
  if (options.tls) {
    const { cert, key } = makeCertificate(folder);
    settings.push("rtmps.port=0", "https.port=0", `tls.cert=${cert}`, `tls.key=${key}`);
  }
  return [...settings, ...options.settings].flatMap((setting) => ["--set", setting]);
}

export async function startSluice(options: SluiceOptions): Promise<RunningServer> {
  const folder = temporaryFolder();
  const child = new PinnedProcess({
    core: options.core ?? SERVER_CORE,
    command: join(ROOT, "sluice"),
    args: ["serve", ...settingsOf(options, folder.path)],
  });
  const ready = await child.take("ready", 60_000); // a stale build is built first
  const { rtmp, http, rtmps, https, cluster, resp } = ready["listeners"] as Record<string, unknown>;
  if (rtmp === undefined) await child[Symbol.asyncDispose]();
  if (rtmp === undefined) throw new Error("Sluice opened no RTMP listener");
  const others = { cluster: portOf(cluster), resp: portOf(resp) };
  const secured = options.tls ? { "rtmp+tls": portOf(rtmps), "http+tls": portOf(https), "ws+tls": portOf(https) } : {};
  return {
    process: child,
    ports: { rtmp: portOf(rtmp), http: portOf(http), ws: portOf(http), ...others, ...secured },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}
