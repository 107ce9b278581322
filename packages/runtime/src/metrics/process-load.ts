/** Load of this process since the last sample. */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

export interface Load {
  /** In cores; above 1 when several are busy. */
  readonly cpu: number;
  /** As `LoopLoad` measures it, 0 to 1. */
  readonly loop: number;
  /** Resident set size. */
  readonly memoryBytes: number;
}

/** Linux: nanoseconds that the main thread, which runs the event loop, spent on a processor and waiting for one. */
const SCHEDULER_FILE = "/proc/self/schedstat";

/**
 * How busy the event loop has been, 0 to 1: running, or waiting for a processor. Falls back to Node's own measure, which
 * counts sleep as work while an unread socket has data; merged reads cause that all the time. Each user needs its own
 * instance: a sample covers the time since the previous sample.
 */
export class LoopLoad {
  #loop = performance.eventLoopUtilization();
  #busy = busyMillis();
  #at = performance.now();

  /** Since the last sample, or since construction. */
  sample(): number {
    const [loop, busy, at] = [this.#loop, this.#busy, this.#at];
    this.#loop = performance.eventLoopUtilization();
    this.#busy = busyMillis();
    this.#at = performance.now();
    if (busy === undefined || this.#busy === undefined)
      return performance.eventLoopUtilization(this.#loop, loop).utilization;
    return Math.min(1, (this.#busy - busy) / Math.max(this.#at - at, 1));
  }
}

/** Of the event loop's thread since it began; `undefined` if the system does not report it. */
function busyMillis(): number | undefined {
  try {
    const [ran, waited] = readFileSync(SCHEDULER_FILE, "latin1").split(" ").map(Number);
    return ran && waited !== undefined ? (ran + waited) / 1e6 : undefined;
  } catch {
    return undefined;
  }
}

/** Each user needs its own instance, as with `LoopLoad`. */
export class ProcessLoad {
  readonly #loop = new LoopLoad();
  #cpu = process.cpuUsage();
  #at = performance.now();

  /** Since the last sample, or since construction. */
  sample(): Load {
    const cpu = process.cpuUsage();
    const at = performance.now();
    const busyMillis = (cpu.user + cpu.system - this.#cpu.user - this.#cpu.system) / 1000;
    const load: Load = {
      cpu: busyMillis / Math.max(at - this.#at, 1),
      loop: this.#loop.sample(),
      memoryBytes: process.memoryUsage.rss(),
    };
    this.#cpu = cpu;
    this.#at = at;
    return load;
  }
}
