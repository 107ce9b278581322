/** `sluice status` and `sluice drain`: looks at the node that runs on this machine and its cluster, and empties it. */
import { setTimeout as pause } from "node:timers/promises";
import type { EngineAnswer, NodesAnswer, StreamRow } from "@sluice/client/admin-contract";
import { clusterAdvice } from "@sluice/client/cluster-advice";
import type { SluiceConfig } from "../config/load-config.ts";
import { AdminCallError, callAdmin } from "./admin-call.ts";
import { nodeTable } from "./cluster-words.ts";
import { configOf } from "./config-of.ts";
import type { ConfigOptions } from "./config-options.ts";
import { table } from "@sluice/runtime/process/table";
import { print } from "@sluice/runtime/process/print";

export async function status(options: ConfigOptions): Promise<void> {
  const config = configOf(options);
  const answer = (await callAdmin(config, "GET", "/api/v1/nodes")) as NodesAnswer;
  const { streams, total } = (await callAdmin(config, "GET", "/api/v1/streams")) as {
    readonly streams: readonly StreamRow[];
    readonly total: number;
  };
  print(nodeTable(answer));
  const { kind, members } = (await callAdmin(config, "GET", "/api/v1/cluster")) as EngineAnswer;
  const advice = clusterAdvice(answer, kind, members);
  if (advice.length > 0) print(`\n${advice.map(({ text }) => text).join("\n")}\n`);
  print("\n");
  print(
    streams.length === 0
      ? "No streams\n"
      : table(["STREAM", "STATE", "VIDEO", "AUDIO", "BITRATE", "FPS", "VIEWERS", "HOME"], streams.map(streamCells)),
  );
  if (total > streams.length) print(`and ${total - streams.length} more\n`);
}

export async function drain(options: ConfigOptions): Promise<void> {
  const config = configOf(options);
  const { nodes } = (await callAdmin(config, "GET", "/api/v1/nodes")) as NodesAnswer;
  const id = nodes.find((node) => node.self)?.id ?? config.node.id;
  await callAdmin(config, "POST", `/api/v1/nodes/${encodeURIComponent(id)}/drain`);
  print(`Node ${id} is draining: nothing new begins, sessions go on until they end or its time is over\n`);
  await followDrain(config);
  print(`Node ${id} has stopped\n`);
}

/** How often the node is asked how many are left. */
const ASK_EVERY = 500;

/** Says how many sessions are left whenever that changes, until the node is gone. */
async function followDrain(config: SluiceConfig): Promise<void> {
  for (let told = -1; ; ) {
    const left = await sessionsLeft(config);
    if (left === "gone") return;
    if (left !== "busy") {
      if (left !== told) print(`Sessions left: ${left}\n`);
      told = left;
    }
    await pause(ASK_EVERY);
  }
}

/** `busy`: it gave no answer this time. */
async function sessionsLeft(config: SluiceConfig): Promise<number | "gone" | "busy"> {
  try {
    const { nodes } = (await callAdmin(config, "GET", "/api/v1/nodes")) as NodesAnswer;
    return nodes.find((node) => node.self)?.sessions ?? 0;
  } catch (error) {
    if (error instanceof AdminCallError) return error.context.isGone ? "gone" : "busy";
    throw error;
  }
}

function streamCells(stream: StreamRow): string[] {
  const { video, audio } = stream;
  const picture = video === null ? "-" : `${video.codec} ${video.width}x${video.height}`;
  return [
    stream.key,
    stream.state,
    picture,
    audio?.codec ?? "-",
    `${(stream.bitrate / 1e6).toFixed(2)} Mbit/s`,
    stream.fps.toFixed(1),
    String(stream.viewers.all),
    stream.home,
  ];
}
