/** Reads /proc: CPU time and memory of a process, busy time of a core, the load average. */
import { readFileSync } from "node:fs";

/** Kernel clock ticks per second in /proc; fixed at 100 for user space on every Linux that Node runs on. */
const TICKS = 100;

/** User and system seconds from the text of /proc/PID/stat (fields 14 and 15; the name in field 2 may contain spaces). */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Seconds that a core was not idle, from the text of /proc/stat. */
export function parseCoreBusySeconds(stat: string, core: number): number {
  const line = stat.split("\n").find((text) => text.startsWith(`cpu${core} `));
  if (line === undefined) throw new RangeError(`Cannot find core ${core}`);
  const [user, nice, system, , , irq, softirq, steal] = line.trim().split(/\s+/).slice(1).map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0) + (steal ?? 0)) / TICKS;
}

/** Resident bytes from the text of /proc/PID/status. */
export function parseResidentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Resident bytes not backed by a file. */
export function parsePrivateBytes(status: string): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

export const cpuSeconds = (pid: number): number => parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, "utf8"));
export const residentBytes = (pid: number): number => parseResidentBytes(readFileSync(`/proc/${pid}/status`, "utf8"));
export const privateBytes = (pid: number): number => parsePrivateBytes(readFileSync(`/proc/${pid}/status`, "utf8"));
export const coreBusySeconds = (core: number): number => parseCoreBusySeconds(readFileSync("/proc/stat", "utf8"), core);
export const loadAverage = (): number => Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
