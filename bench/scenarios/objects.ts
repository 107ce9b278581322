/** One shared object with 500 WebSocket clients, beside Socket.IO and Colyseus: deliveries, delay to the last client, what is taken, memory. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { BenchOptions } from "../options.ts";
import { install } from "../peers/installed.ts";
import type { ObjectServer } from "../peers/object-dialects.ts";
import { PLAYER_CORE, SERVER_CORE } from "../peers/running-server.ts";
import { startSluice } from "../peers/sluice.ts";
import { type BenchEvent, PinnedProcess } from "../pinned-process.ts";
import { cpuSeconds, privateBytes } from "../proc-stat.ts";
import { formatTable, percent, short } from "../table.ts";
import type { ScenarioResult } from "../verdict.ts";

const PEERS = join(import.meta.dirname, "..", "peers");
const PACKAGES = [
  "socket.io@4.8.4",
  "@colyseus/core@0.18.17",
  "@colyseus/ws-transport@0.18.4",
  "@colyseus/schema@5.0.34",
];
const CLIENTS = 500;
/** Changes a second. */
const RATES = [20, 100, 300];
const OBJECTS = 10_000;
const OBJECTS_PER_CONNECTION = 250;

interface Peer extends AsyncDisposable {
  readonly process: PinnedProcess;
  readonly port: number;
}

interface Kind {
  readonly name: string;
  readonly dialect: ObjectServer;
  start(): Promise<Peer>;
}

const SETTINGS = ["limits.connectsPerSecondPerAddress=0", "limits.connectionsPerAddress=0"];

async function startOurs(): Promise<Peer> {
  const server = await startSluice({ window: "auto", tls: false, settings: SETTINGS });
  return { ...server, port: server.ports.http ?? 0 };
}

async function startChild(file: string, ...args: readonly string[]): Promise<Peer> {
  const child = new PinnedProcess({
    core: SERVER_CORE,
    command: process.execPath,
    args: [join(PEERS, file), install(PACKAGES), ...args],
  });
  const { port } = await child.take("ready", 20_000);
  return { process: child, port: Number(port), [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

const KINDS: readonly Kind[] = [
  { name: "Sluice, JSON", dialect: "sluice, JSON", start: startOurs },
  { name: "Sluice, MessagePack", dialect: "sluice, MessagePack", start: startOurs },
  { name: "Socket.IO", dialect: "Socket.IO", start: () => startChild("socket-io-child.ts") },
  { name: "Colyseus, patches at 50 ms", dialect: "Colyseus", start: () => startChild("colyseus-child.ts", "50") },
  { name: "Colyseus, patches at 5 ms", dialect: "Colyseus", start: () => startChild("colyseus-child.ts", "5") },
];

const startClients = ({ dialect }: Kind, { port }: Peer, count: number): PinnedProcess =>
  new PinnedProcess({
    core: PLAYER_CORE,
    command: process.execPath,
    args: [join(PEERS, "object-clients.ts"), dialect, String(port), String(count)],
  });

async function reportOf(clients: PinnedProcess, order: string, seconds: number): Promise<BenchEvent> {
  clients.send(order);
  return clients.take("report", seconds * 1_000 + 30_000);
}

async function measureFanOut(kind: Kind, seconds: number): Promise<object[]> {
  await using server = await kind.start();
  await using clients = startClients(kind, server, CLIENTS);
  await clients.take("open", 60_000);
  await reportOf(clients, `fan-out 20 2`, 2);
  const results: object[] = [];
  for (const rate of RATES) {
    const before = cpuSeconds(server.process.pid);
    const began = performance.now();
    const report = await reportOf(clients, `fan-out ${rate} ${seconds}`, seconds);
    const cores = (cpuSeconds(server.process.pid) - before) / ((performance.now() - began) / 1_000);
    results.push({ server: kind.name, rate, cores, ...report });
  }
  return results;
}

async function measureAccepted(kind: Kind, seconds: number): Promise<object> {
  await using server = await kind.start();
  await using clients = startClients(kind, server, 0);
  await clients.take("open", 20_000);
  return { server: kind.name, ...(await reportOf(clients, `accepted 20 20 ${seconds}`, seconds)) };
}

/** Private bytes of the server for each of many objects with four properties. */
async function measureMemory(kind: Kind): Promise<number> {
  if (kind.dialect === "Socket.IO") return Number.NaN;
  await using server = await kind.start();
  await sleep(3_000);
  const before = privateBytes(server.process.pid);
  if (kind.dialect === "Colyseus") {
    server.process.send(`rooms ${OBJECTS}`);
    await server.process.take("rooms", 120_000);
  } else await openObjects(server.port);
  await sleep(3_000);
  return (privateBytes(server.process.pid) - before) / OBJECTS;
}

async function openObjects(port: number): Promise<void> {
  for (let opened = 0; opened < OBJECTS; opened += OBJECTS_PER_CONNECTION) {
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/room`, "sluice.v1");
    await new Promise((resolve) => webSocket.once("open", resolve));
    let answers = 0;
    const answered = new Promise<void>((resolve) => {
      webSocket.on("message", (bytes: Buffer) => {
        if (bytes.includes('"answer"') && ++answers > OBJECTS_PER_CONNECTION * 2) resolve();
      });
    });
    const operations = ["x", "y", "t", "owner"].map((name) => ({ type: "set", name, value: `${name} of it` }));
    webSocket.send(JSON.stringify({ type: "connect", id: 1 }));
    for (let i = 0; i < OBJECTS_PER_CONNECTION; i++) {
      const name = `ball${opened + i}`;
      webSocket.send(JSON.stringify({ type: "open", id: 2 + i * 2, name }));
      webSocket.send(JSON.stringify({ type: "write", id: 3 + i * 2, object: `room/${name}`, operations }));
    }
    await answered;
  }
}

export async function objects(options: BenchOptions): Promise<ScenarioResult> {
  const seconds = options.seconds ?? 5;
  const fanOut: Record<string, number | string>[] = [];
  const taken: Record<string, number | string>[] = [];
  for (const kind of KINDS) {
    fanOut.push(...((await measureFanOut(kind, seconds)) as typeof fanOut));
    const bytes = await measureMemory(kind);
    taken.push({ ...(await measureAccepted(kind, seconds)), bytes } as (typeof taken)[number]);
  }
  const head = ["server", "changes/s", "deliveries/s", "to the last client p50 ms", "p99 ms", "server's cores"];
  const rows = fanOut.map(({ server, rate, deliveries, p50, p99, cores }) => [
    String(server),
    String(rate),
    ...[deliveries, p50, p99].map((value) => short(Number(value))),
    percent(Number(cores)),
  ]);
  console.log(`${formatTable(head, rows)}\n`);
  const more = taken.map(({ server, accepted, bytes }) => [
    String(server),
    short(Number(accepted)),
    short(Number(bytes)),
  ]);
  console.log(formatTable(["server", "accepted changes/s", "bytes of one of 10,000 objects"], more));
  return { results: [...fanOut, ...taken], verdicts: [] };
}
