/** Command line of the bench: scenario, settings, and their defaults. */
import { parseArgs } from "node:util";
import type { Cell, ServerName, Timing } from "./cell.ts";
import type { Protocol } from "./peers/running-server.ts";

export interface BenchOptions {
  readonly scenario: string;
  readonly timing: Timing;
  readonly repeats: number;
  /** Lists given on the command line; empty: the scenario chooses. */
  readonly servers: readonly ServerName[];
  readonly protocols: readonly Protocol[];
  readonly players: readonly number[];
  readonly windows: readonly string[];
  readonly writes: readonly number[];
  readonly slices: number;
  /** Number of times that the leader of a cache is killed. */
  readonly kills: number;
  readonly seconds: number | undefined;
  readonly settings: readonly string[];
  readonly tls: boolean;
}

/** One stream with its framing: 1 Mbit/s of frames and about 77 headers of 12 bytes. */
const STREAM_BYTES_PER_SECOND = 125_950;

const list = (text: string | undefined): string[] => (text === undefined ? [] : text.split(","));
const asWindow = (text: string): string => (/^\d+$/.test(text) ? `${text}ms` : text);

/** @throws {TypeError} on an unknown option (with the name in the message). */
export function parseOptions(args: readonly string[]): BenchOptions {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...{
        server: text,
        protocol: text,
        players: text,
        window: text,
        writes: text,
        slices: text,
        kills: text,
        repeat: text,
        seconds: text,
        rate: text,
      },
      ...{ warmup: text, measure: text, tls: { type: "boolean" }, set: { type: "string", multiple: true } },
    },
  });
  return {
    scenario: positionals[0] ?? "all",
    timing: {
      joinsPerSecond: Number(values.rate ?? 500),
      warmupMs: Number(values.warmup ?? 20) * 1_000,
      measureMs: Number(values.measure ?? 8) * 1_000,
    },
    repeats: Number(values.repeat ?? 1),
    servers: list(values.server) as ServerName[],
    protocols: list(values.protocol) as Protocol[],
    players: list(values.players).map(Number),
    windows: list(values.window).map(asWindow),
    writes: list(values.writes).map(Number),
    slices: Number(values.slices ?? 1),
    kills: Number(values.kills ?? 10),
    seconds: values.seconds === undefined ? undefined : Number(values.seconds),
    settings: values.set ?? [],
    tls: values.tls ?? false,
  };
}

/** Writes per second and player for a flush window; `auto` and `0ms` count as one write per message. */
export function writesOfWindow(window: string): number {
  const millis = Number(/^(\d+)ms$/.exec(window)?.[1] ?? 0);
  return millis === 0 ? 77 : Math.min(77, 1_000 / millis);
}

export function makeCell(part: Partial<Cell> & Pick<Cell, "server">): Cell {
  return {
    protocol: "rtmp",
    tls: false,
    players: 1_000,
    window: "100ms",
    writes: 10,
    slices: 1,
    bytesPerSecond: STREAM_BYTES_PER_SECOND,
    settings: [],
    ...part,
  };
}
