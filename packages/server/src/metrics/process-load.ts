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

/** Each asker owns one: the times between its own samples are what it hears about. */
export class ProcessLoad {
  #loop = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #at = performance.now();

  /** Since the last sample, or since construction. */
  sample(): Load {
    const loop = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const at = performance.now();
    const busyMillis = (cpu.user + cpu.system - this.#cpu.user - this.#cpu.system) / 1000;
    const load: Load = {
      cpu: busyMillis / Math.max(at - this.#at, 1),
      loop: performance.eventLoopUtilization(loop, this.#loop).utilization,
      memoryBytes: process.memoryUsage.rss(),
    };
    this.#loop = loop;
    this.#cpu = cpu;
    this.#at = at;
    return load;
  }
}
