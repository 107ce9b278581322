/** A child process on one core that speaks JSON lines on stdout and is ended by its own pid. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

export type BenchEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/** How long a process may take to end by itself before it is killed. */
const PATIENCE_MS = 4_000;

export interface ProcessOptions {
  /** One core, or a list for `taskset -c`. */
  readonly core: number | string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export class PinnedProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #events: BenchEvent[] = [];
  readonly #label: string;
  #wake: (() => void) | undefined;
  #errors = "";

  constructor(options: ProcessOptions) {
    this.#label = `${options.command} ${options.args[0] ?? ""}`;
    const env = { ...process.env, ...options.env };
    const args = ["-c", String(options.core), options.command, ...options.args];
    this.#child = spawn("taskset", args, { env, cwd: options.cwd, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin.on("error", () => undefined);
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#take(line));
    this.#child.stderr.on("data", (bytes: Buffer) => {
      this.#errors = (this.#errors + bytes.toString()).slice(-4_000);
    });
    this.#child.on("exit", () => this.#wake?.());
    this.#child.on("error", (error) => {
      this.#errors += error.message;
      this.#wake?.();
    });
  }

  /** The pid of the program itself: taskset replaces itself with it. */
  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get errors(): string {
    return this.#errors;
  }

  send(command: string): void {
    this.#child.stdin.write(`${command}\n`);
  }

  /** Takes the next event of that name, dropping earlier ones. Rejects when the process ends or time runs out. */
  async take(name: string, timeoutMs: number): Promise<BenchEvent> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      for (let event = this.#events.shift(); event; event = this.#events.shift())
        if (event.event === name) return event;
      if (this.hasEnded) throw new Error(`${this.#label} ended before it said "${name}": ${this.#errors}`);
      const left = end - Date.now();
      if (left <= 0) throw new Error(`${this.#label} did not say "${name}" in ${timeoutMs} ms: ${this.#errors}`);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, sleep(Math.min(left, 500))]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded || this.#child.pid === undefined) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    await ended;
    clearTimeout(killer);
  }

  #take(line: string): void {
    if (!line.startsWith("{")) return;
    try {
      this.#events.push(JSON.parse(line) as BenchEvent);
    } catch {
      return; // a log line that only looks like an event
    }
    this.#wake?.();
  }
}
