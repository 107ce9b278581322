/** One run of one case: the harness with helpers that cases share. */
import type { Millis } from "@sluice/base/brand";
import type { AppendResult, CasResult, Engine, EngineLogs, Key } from "../engine.ts";
import type { Epoch } from "../epoch.ts";
import { expect } from "./expect.ts";
import type { ConformanceCase, EngineFaults, EngineHarness, Need } from "./harness.ts";
import { MessageRecorder, WatchRecorder } from "./watch-recorder.ts";

/** Interval of polling; short compared with any lease. */
const STEP = 10 as Millis;

export class Trial {
  readonly harness: EngineHarness;
  /** Aborts when the case is over. */
  readonly signal: AbortSignal;

  constructor(harness: EngineHarness, signal: AbortSignal) {
    this.harness = harness;
    this.signal = signal;
  }

  open(): Promise<Engine> {
    return this.during(this.harness.open());
  }

  fault<K extends keyof EngineFaults>(name: K): EngineFaults[K] {
    const fault = this.harness.faults[name];
    expect(fault !== undefined, `The harness cannot ${name}`);
    return fault;
  }

  /** Advances time while a call is in progress, so that a fake clock does not block it. */
  async during<T>(call: Promise<T>): Promise<T> {
    let isDone = false;
    const settled = Promise.allSettled([call]).then(() => (isDone = true));
    await this.#poll(() => isDone, this.harness.patience * 2);
    expect(isDone, "A call was not answered in time");
    await settled;
    return call;
  }

  async until(
    condition: () => boolean | Promise<boolean>,
    what: string,
    limit: number = this.harness.patience,
  ): Promise<void> {
    expect(await this.#poll(condition, limit), `Timed out waiting for: ${what}`);
  }

  async #poll(condition: () => boolean | Promise<boolean>, limit: number): Promise<boolean> {
    const { clock } = this.harness;
    const start = clock.now();
    for (let late = false; ; late = clock.now() - start > limit) {
      if (await condition()) return true;
      if (late) return false;
      await this.harness.advance(STEP);
    }
  }

  subscribe(engine: Engine, subject: Key, signal: AbortSignal = this.signal): MessageRecorder<Uint8Array> {
    return new MessageRecorder(engine.subscribe(subject, signal));
  }

  /** Resolves once the watcher has received everything that existed. */
  async watch(engine: Engine, prefix: Key, signal: AbortSignal = this.signal): Promise<WatchRecorder> {
    const watcher = new WatchRecorder(engine.watch(prefix, signal));
    await this.until(() => watcher.state === "current", "a watch that becomes current");
    return watcher;
  }

  logs(engine: Engine): EngineLogs {
    expect(engine.logs !== undefined, "The engine has no logs");
    return engine.logs;
  }
}

/** Makes a case; wraps its harness in a `Trial` that ends with the case. */
export function defineCase(
  id: ConformanceCase["id"],
  name: string,
  needs: readonly Need[],
  body: (trial: Trial) => Promise<void>,
): ConformanceCase {
  return {
    id,
    name,
    needs,
    run: async (harness) => {
      const ending = new AbortController();
      try {
        await body(new Trial(harness, ending.signal));
      } finally {
        ending.abort(new Error("The case is over"));
      }
    },
  };
}

/** The revision of a write; fails the case if the write did not succeed. */
export function written(result: CasResult, what: string): Epoch {
  expect(result.outcome === "written", `${what}: got a conflict`);
  return result.revision;
}

export function appended(result: AppendResult, what: string): number {
  expect(result.outcome === "appended", `${what}: got a conflict`);
  return result.sequence;
}
