/** Runs one program to its end, with a time limit that also ends its children. */
import { spawn } from "node:child_process";

export interface CommandResult {
  readonly ok: boolean;
  /** Its output, both streams in order; empty if it wrote straight to the terminal. */
  readonly output: string;
  readonly timedOut: boolean;
  readonly millis: number;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly limitMillis: number;
  /** `show` forwards output as it comes; `keep` collects it, so that only failures are shown. */
  readonly output: "show" | "keep";
  readonly env?: NodeJS.ProcessEnv;
}

export async function runCommand(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const started = Date.now();
  const [program = "false", ...args] = argv;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: options.output === "show" ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const stopGroup = (): void => killGroup(child.pid);
  const onSignal = (): void => {
    stopGroup();
    process.exit(130);
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    stopGroup();
  }, options.limitMillis);
  const pieces: string[] = [];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => pieces.push(text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => pieces.push(text));
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      pieces.push(`${error.message}\n`);
      resolve(1);
    });
    child.once("close", (exitCode) => resolve(exitCode));
  });
  clearTimeout(timer);
  process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  return { ok: code === 0 && !timedOut, output: pieces.join(""), timedOut, millis: Date.now() - started };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // already ended
  }
}
