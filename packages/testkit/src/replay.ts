/** Sends one side of a capture over a connection, at once or in real time. */
import type { Clock } from "@sluice/base/clock";
import type { Millis } from "@sluice/base/brand";
import type { Capture, Side } from "./capture.ts";

export interface ReplayOptions {
  /** The side whose bytes to send. */
  readonly side: Side;
  /** With a clock, sends bytes at their recorded times; without, as fast as `send` allows. */
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** Sends every piece in order, awaiting `send` each time, and returns the number of bytes. */
export async function replay(
  capture: Capture,
  send: (bytes: Uint8Array) => void | Promise<void>,
  options: ReplayOptions,
): Promise<number> {
  const { side, clock, signal = new AbortController().signal } = options;
  const start = clock?.now() ?? 0;
  let byteCount = 0;
  for (const entry of capture.entries) {
    signal.throwIfAborted();
    if (entry.from !== side || !("bytes" in entry)) continue;
    const wait = clock === undefined ? 0 : start + entry.at - clock.now();
    if (clock !== undefined && wait > 0) await clock.sleep(wait as Millis, signal);
    await send(entry.bytes);
    byteCount += entry.bytes.length;
  }
  return byteCount;
}
