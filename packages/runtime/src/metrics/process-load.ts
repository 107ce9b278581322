/** How busy this process has been since it was last asked. */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

export interface Load {
  /** Of one core; above 1 when several are busy. */
  readonly cpu: number;
  /** As of `LoopLoad`, 0 to 1. */
  readonly loop: number;
  /** Resident. */
  readonly memoryBytes: number;
}

/** Linux tells here of the first thread, which runs the event loop: nanoseconds on a processor, and waiting for one. */
const SCHEDULER_FILE = "/proc/self/schedstat";

/**
 * How busy the event loop has been, 0 to 1: running, or waiting for a processor to run on. Node's own measure serves
 * where the system tells nothing; it counts sleep as work where something has come for a socket that is not read, which
 * merged reads cause all the time. Each asker owns one: it hears of the time between its own samples.
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

/** Of the event loop's thread since it began; `undefined` where nothing tells. */
function busyMillis(): number | undefined {
  try {
    const [ran, waited] = readFileSync(SCHEDULER_FILE, "latin1").split(" ").map(Number);
    return ran && waited !== undefined ? (ran + waited) / 1e6 : undefined;
  } catch {
    return undefined;
  }
}

/** Each asker owns one, as of `LoopLoad`. */
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
