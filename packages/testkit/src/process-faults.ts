/** Stops, continues and kills the program of a `Child`, each time until the system says that it is done. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Child, ChildExit } from "./child.ts";

const WAIT_MILLIS = 5_000;

/** SIGSTOP: its sockets stay open and the system goes on filling their buffers, but nothing of it runs. */
export async function pauseChild(child: Child): Promise<void> {
  child.kill("SIGSTOP");
  await waitForState(child, (state) => state === "T");
}

/** SIGCONT. */
export async function resumeChild(child: Child): Promise<void> {
  child.kill("SIGCONT");
  await waitForState(child, (state) => state !== "T");
}

/** SIGKILL, also for one that is paused. */
export async function killChild(child: Child): Promise<ChildExit> {
  child.kill("SIGKILL");
  return child.exited;
}

/** @throws {Error} when the program is gone, or does not come to that state in time */
async function waitForState(child: Child, isReached: (state: string) => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MILLIS;
  for (;;) {
    const state = await processState(child.pid);
    if (isReached(state)) return;
    if (performance.now() > deadline)
      throw new Error(`Cannot change process ${child.pid}: its state is still ${state}`);
    await sleep(2);
  }
}

/** The letter that /proc gives: T stopped, S sleeping, R running. It stands after the name, which may hold anything. */
async function processState(pid: number | undefined): Promise<string> {
  const stat = await readFile(`/proc/${pid ?? "none"}/stat`, "latin1");
  return stat.charAt(stat.lastIndexOf(")") + 2);
}
