/** Starts a program for a test, waits for its output, and makes sure that it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface ChildOptions {
  readonly cwd?: string;
  /** Added to this process's own environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One line of the program's output. */
interface Line {
  readonly from: "stdout" | "stderr";
  readonly text: string;
}

/** Lines kept for waiting and for messages; later ones are dropped. */
const KEPT_LINES = 10_000;
const DEFAULT_WAIT_MILLIS = 20_000;

/** Disposing it (`await using`) ends the program; it is also killed when this process exits first. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #killOnExit = (): void => this.kill("SIGKILL");
  readonly exited: Promise<ChildExit>;
  #exit: ChildExit | undefined;

  constructor(argv: readonly string[], options: ChildOptions = {}) {
    const [program = "", ...args] = argv;
    this.#process = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    process.once("exit", this.#killOnExit);
    this.#follow("stdout");
    this.#follow("stderr");
    this.#process.stdin?.on("error", () => {});
    this.exited = new Promise((resolve) => {
      const end = (exit: ChildExit): void => {
        this.#exit = exit;
        process.off("exit", this.#killOnExit);
        this.#wake();
        resolve(exit);
      };
      this.#process.once("error", (error) => {
        this.#keep({ from: "stderr", text: error.message });
        end({ code: null, signal: null });
      });
      this.#process.once("close", (code, signal) => end({ code, signal }));
    });
  }

  /** Undefined when the program could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Its output on both streams, or on one. */
  output(from?: "stdout" | "stderr"): string {
    const lines = from === undefined ? this.#lines : this.#lines.filter((line) => line.from === from);
    return lines.map((line) => line.text).join("\n");
  }

  write(text: string | Uint8Array): void {
    this.#process.stdin?.write(text);
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  /**
   * The result of `find` for the first line for which it returns something, among past and future lines.
   *
   * @throws {Error} with the program's output, when it ends or `waitMillis` pass first
   */
  async waitForLine<T>(find: (line: string) => T | undefined, waitMillis = DEFAULT_WAIT_MILLIS): Promise<T> {
    const deadline = performance.now() + waitMillis;
    for (let next = 0; ; ) {
      for (; next < this.#lines.length; next++) {
        const found = find((this.#lines[next] as Line).text);
        if (found !== undefined) return found;
      }
      const left = deadline - performance.now();
      if (this.#exit !== undefined || left <= 0)
        throw new Error(this.#failure(left <= 0 ? "waited too long" : "it ended"));
      await this.#nextLine(left);
    }
  }

  /** Waits for a JSON line `{"event": event, …}` on stdout, such as the server's ready line. */
  waitForEvent(event: string, waitMillis?: number): Promise<Readonly<Record<string, unknown>>> {
    return this.waitForLine((line) => parseEvent(line, event), waitMillis);
  }

  /** Sends a signal by pid; no effect after the program has ended. */
  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    if (this.#exit === undefined) this.#process.kill(signal);
  }

  /** Sends SIGTERM, and SIGKILL if the program is still running after `graceMillis`. */
  async stop(graceMillis = 5_000): Promise<ChildExit> {
    this.kill("SIGTERM");
    const timer = setTimeout(() => this.kill("SIGKILL"), graceMillis);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(1_000);
  }

  #follow(from: "stdout" | "stderr"): void {
    const stream = this.#process[from];
    if (stream !== null) createInterface({ input: stream }).on("line", (text) => this.#keep({ from, text }));
  }

  /** Once the limit is reached newer lines are dropped, so that positions stay valid. */
  #keep(line: Line): void {
    if (this.#lines.length < KEPT_LINES) this.#lines.push(line);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #nextLine(waitMillis: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMillis);
      this.#waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #failure(why: string): string {
    const exit = this.#exit === undefined ? "running" : `exit ${this.#exit.code ?? this.#exit.signal ?? "unknown"}`;
    return `Cannot find the line waited for: ${why} (${exit}); it said:\n${this.output()}`;
  }
}

export function startChild(argv: readonly string[], options?: ChildOptions): Child {
  return new Child(argv, options);
}

function parseEvent(line: string, event: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return value["event"] === event ? value : undefined;
  } catch {
    return undefined;
  }
}
