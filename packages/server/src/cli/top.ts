/** `sluice top`: the node on this machine, its streams and links, refreshed on a terminal, once on a pipe. */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import type { LinkRow, NodesAnswer, StreamsAnswer } from "@sluice/client/admin-contract";
import { print } from "@sluice/runtime/process/print";
import type { SluiceConfig } from "../config/load-config.ts";
import { callAdmin } from "./admin-call.ts";
import { configOf } from "./config-of.ts";
import type { ConfigOptions } from "./config-options.ts";
import { type Look, topScreen } from "./top-screen.ts";

/** Every answer costs a call to each node of the cluster. */
const EVERY = 2_000;
/** Between the two looks of a snapshot, which its rates are from. */
const SNAPSHOT = 1_000;

const CLEAR = "\u001b[H\u001b[2J";
const OTHER_SCREEN = "\u001b[?1049h\u001b[?25l";
const FORMER_SCREEN = "\u001b[?25h\u001b[?1049l";

export async function top(options: ConfigOptions): Promise<void> {
  const config = configOf(options);
  const before = await look(config);
  if (process.stdout.isTTY) return follow(config, before);
  await pause(SNAPSHOT);
  print(topScreen(before, await look(config)));
}

/** Until `q`, Ctrl-C or SIGTERM. */
async function follow(config: SluiceConfig, first: Look): Promise<void> {
  const stopped = new AbortController();
  const keys = listenToKeys(() => stopped.abort());
  process.stdout.write(OTHER_SCREEN);
  try {
    for (let before = first; !stopped.signal.aborted; ) {
      await pause(before === first ? SNAPSHOT : EVERY, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      const now = await look(config);
      const { columns, rows } = process.stdout;
      process.stdout.write(CLEAR);
      print(topScreen(before, now, { columns, rows }));
      before = now;
    }
  } finally {
    process.stdout.write(FORMER_SCREEN);
    keys[Symbol.dispose]();
  }
}

function listenToKeys(stop: () => void): Disposable {
  const { stdin } = process;
  const heard = (bytes: Buffer): void => {
    if (bytes.includes("q") || bytes.includes(3)) stop();
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on("data", heard);
  const ended = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    void once(process, signal, { signal: ended.signal }).then(stop, () => undefined);
  return {
    [Symbol.dispose]() {
      ended.abort();
      stdin.off("data", heard);
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

async function look(config: SluiceConfig): Promise<Look> {
  const ask = (path: string): Promise<unknown> => callAdmin(config, "GET", `/api/v1/${path}`);
  const [nodes, streams, links] = await Promise.all([ask("nodes"), ask("streams"), ask("links")]);
  return {
    at: performance.now(),
    nodes: nodes as NodesAnswer,
    streams: streams as StreamsAnswer,
    links: (links as { readonly links: readonly LinkRow[] }).links,
  };
}
