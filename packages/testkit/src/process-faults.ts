/** Stops, continues and kills the program of a `Child`, and waits until the system confirms it. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Child, ChildExit } from "./child.ts";

const WAIT_MILLIS = 5_000;

/** SIGSTOP: its sockets stay open and the kernel goes on filling their buffers, but the program does not run. */
export async function pauseChild(child: Child): Promise<void> {
  child.kill("SIGSTOP");
  await waitForState(child, (state) => state === "T");
}

/** SIGCONT. */
export async function resumeChild(child: Child): Promise<void> {
  child.kill("SIGCONT");
  await waitForState(child, (state) => state !== "T");
}

/** SIGKILL; also works on a paused process. */
export async function killChild(child: Child): Promise<ChildExit> {
  child.kill("SIGKILL");
  return child.exited;
}

/** @throws {Error} when the program is gone, or does not reach the state in time */
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

/** The state letter in /proc: T stopped, S sleeping, R running. It follows the name, which may contain anything. */
async function processState(pid: number | undefined): Promise<string> {
  const stat = await readFile(`/proc/${pid ?? "none"}/stat`, "latin1");
  return stat.charAt(stat.lastIndexOf(")") + 2);
}
