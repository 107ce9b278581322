/** How busy this process has been since it was last asked. */
import { performance } from "node:perf_hooks";

export interface Load {
  /** Of one core; above 1 when several are busy. */
  readonly cpu: number;
  /** Event loop utilisation, 0 to 1. */
  readonly loop: number;
  /** Resident. */
  readonly memoryBytes: number;
}

/** How busy the event loop has been, 0 to 1. Each asker owns one: it hears of the time between its own samples. */
export class LoopLoad {
  #loop = performance.eventLoopUtilization();

  /** Since the last sample, or since construction. */
  sample(): number {
    const before = this.#loop;
    this.#loop = performance.eventLoopUtilization();
    return performance.eventLoopUtilization(this.#loop, before).utilization;
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
