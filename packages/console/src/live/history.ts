// Data of the plots: some minutes of every stream and of the node, kept only in the browser.
import type { OwnNodeRow, StreamRow } from "@sluice/client/admin-contract";
import { SampleRing } from "./sample-ring.ts";

/** Seconds of history; at one sample a second also the number of samples. */
export const HISTORY_SECONDS = 300;

/** A ring costs about 10 kB, so this limits the history to some 20 MB. */
export const HISTORY_STREAMS = 2_000;

export const STREAM_COLUMNS = { bitrate: 0, fps: 1, viewers: 2 } as const;
export const NODE_COLUMNS = { cpu: 0, loop: 1, memory: 2, inRate: 3, outRate: 4, sessions: 5 } as const;

const LEAST_SECONDS = 0.5;

export class History {
  readonly node = new SampleRing({ columnCount: 6, capacity: HISTORY_SECONDS });
  readonly #streams = new Map<string, SampleRing>();
  #before:
    | { readonly id: string; readonly time: number; readonly bytesIn: number; readonly bytesOut: number }
    | undefined;

  /** The same ring object for as long as the stream is remembered. */
  ofStream(key: string): SampleRing {
    let ring = this.#streams.get(key);
    if (!ring) {
      ring = new SampleRing({ columnCount: 3, capacity: HISTORY_SECONDS });
      this.#streams.set(key, ring);
    }
    return ring;
  }

  /** @param time seconds since 1970, by the server's clock */
  record(time: number, node: OwnNodeRow, streams: readonly StreamRow[]): void {
    this.#recordNode(time, node);
    for (const row of streams) this.ofStream(row.key).push(time, [row.bitrate, row.fps, row.viewers.all]);
    this.#forget(time - HISTORY_SECONDS);
  }

  #recordNode(time: number, node: OwnNodeRow): void {
    const { load, sessions, bytesIn, bytesOut } = node;
    const before = this.#before;
    // A snapshot sent on connecting is close to the next tick: too short a time for a rate.
    if (before?.id === node.id && time > before.time && time - before.time < LEAST_SECONDS) return;
    this.#before = { id: node.id, time, bytesIn, bytesOut };
    if (!before || before.id !== node.id || time <= before.time || bytesIn < before.bytesIn) return;
    const seconds = time - before.time;
    const inRate = ((bytesIn - before.bytesIn) * 8) / seconds;
    const outRate = (Math.max(0, bytesOut - before.bytesOut) * 8) / seconds;
    this.node.push(time, [load.cpu, load.loop, load.memoryBytes, inRate, outRate, sessions]);
  }

  #forget(before: number): void {
    for (const [key, ring] of this.#streams) {
      const last = ring.times.at(-1);
      const isOver = this.#streams.size > HISTORY_STREAMS;
      if (isOver || (last !== undefined && last < before)) this.#streams.delete(key);
    }
  }
}
