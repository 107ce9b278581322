/** Load on RESP servers: ioredis with a number of requests in flight, redis-benchmark, and a fast way to fill one. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { quantile } from "../tools/loadgen/quantile.ts";
import { PLAYER_CORE } from "./peers/running-server.ts";

const run = promisify(execFile);

export interface WriteLoad {
  readonly perSecond: number;
  /** Latency of each write, from the call to its answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoadOptions {
  readonly inFlight: number;
  readonly seconds: number;
  readonly command: "set" | "get";
}

const KEYS = 10_000;
const VALUE = "x".repeat(64);
const keyOf = (number: number): string => `bench:${String(number % KEYS).padStart(10, "0")}`;

export async function openClient(port: number): Promise<Redis> {
  const redis = new Redis({ host: "127.0.0.1", port, retryStrategy: () => 100 });
  redis.on("error", () => undefined);
  await once(redis, "ready");
  return redis;
}

/** One connection; each of the `inFlight` requests is repeated as soon as it is answered. */
export async function measureLoad(redis: Redis, { inFlight, seconds, command }: LoadOptions): Promise<WriteLoad> {
  const took: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1_000;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let from = performance.now(); from < end; ) {
      await (command === "set" ? redis.set(keyOf(next++), VALUE) : redis.get(keyOf(next++)));
      const now = performance.now();
      took.push(now - from);
      from = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const elapsed = (performance.now() - start) / 1_000;
  return { perSecond: took.length / elapsed, p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99) };
}

export interface BenchmarkRun {
  readonly command: "set" | "get";
  readonly requests: number;
  /** Of its other options. */
  readonly more: readonly string[];
}

/** Requests per second of redis-benchmark, on the core of the clients. */
export async function redisBenchmark(port: number, { command, requests, more }: BenchmarkRun): Promise<number> {
  const args = ["-p", String(port), "-P", "16", "-t", command, "-n", String(requests), ...more];
  const pinned = ["-c", String(PLAYER_CORE), "redis-benchmark", ...args, "--csv"];
  const { stdout } = await run("taskset", pinned, { timeout: 120_000 });
  const row = /^"(?:SET|GET)","([\d.]+)"/m.exec(stdout);
  if (row === null) throw new Error(`redis-benchmark gave no result: ${stdout}`);
  return Number(row[1]);
}

const BATCH = 1_000;

/** SETs `count` keys of 16 bytes with values of 64, two batches in flight. */
export async function fill(port: number, count: number): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const answers = socket.iterator() as AsyncIterator<Buffer>;
  let answered = 0;
  const untilAnswered = async (wanted: number): Promise<void> => {
    for (; answered < wanted; ) {
      const { value, done } = await answers.next();
      if (done) throw new Error(`The server closed after ${answered} keys`);
      answered += value.length / "+OK\r\n".length;
    }
  };
  for (let sent = 0; sent < count; sent += BATCH) {
    socket.write(batchOf(sent));
    await untilAnswered(sent - BATCH);
  }
  await untilAnswered(count);
  socket.destroy();
}

function batchOf(start: number): string {
  let text = "";
  for (let i = start; i < start + BATCH; i++) {
    text += `*3\r\n$3\r\nSET\r\n$16\r\n${String(i).padStart(16, "k")}\r\n$64\r\n${VALUE}\r\n`;
  }
  return text;
}
