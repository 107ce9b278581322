/** What the fault tests of the engines on real servers share: opening, writing all the time, waiting. */
import assert from "node:assert/strict";
import { SILENT_LOG } from "@sluice/base/log";
import type { Engine, Entry, Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { SystemClock } from "@sluice/runtime/system-clock";
import { openRemoteEngine, type RemoteEngineChoice } from "@sluice/drivers/engine-choice";
import { QUICK_TIMINGS } from "./engine-harness.ts";
import type { EngineServer, EngineServerKind } from "./engine-servers.ts";
import { until } from "@sluice/testkit/until";

export const encoder = new TextEncoder();
const clock = new SystemClock();

export function choiceOf(kind: EngineServerKind, url: string, more?: Partial<RemoteEngineChoice>): RemoteEngineChoice {
  return { kind, url, clock, log: SILENT_LOG, random: Math.random, timings: QUICK_TIMINGS, ...more };
}

export function open(server: EngineServer, port = server.port): Promise<Engine> {
  return openRemoteEngine(choiceOf(server.kind, server.urlAt(port)));
}

export function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  waitMillis?: number,
): Promise<void> {
  await until(what, async () => (await isSo()) || undefined, waitMillis);
}

/** Creates keys one after the other until told to stop; keeps what was acknowledged. */
export class Writer implements AsyncDisposable {
  readonly acknowledged = new Map<string, Epoch>();
  readonly failures: unknown[] = [];
  readonly #ended: Promise<void>;
  #isStopping = false;

  constructor(engine: Engine) {
    this.#ended = this.#run(engine);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(engine: Engine): Promise<void> {
    for (let count = 0; !this.#isStopping; count++) {
      const key = `key ${count}`;
      try {
        const result = await engine.cas(key, "absent", encoder.encode(key));
        if (result.outcome === "written") this.acknowledged.set(key, result.revision);
      } catch (error) {
        this.failures.push(error);
        await sleep(20);
      }
    }
  }
}

export function assertUnavailable(error: unknown): asserts error is EngineUnavailableError {
  assert.ok(error instanceof EngineUnavailableError, String(error));
}

/** Asks until it is answered: a cluster that elects a leader answers that it cannot. */
export async function read(engine: Engine, key: Key): Promise<Entry | undefined> {
  const answer = await until(`an answer about ${key}`, async () => {
    try {
      return { entry: await engine.get(key) };
    } catch (error) {
      assertUnavailable(error);
      return undefined;
    }
  });
  return answer.entry;
}

export async function reached(engine: Engine): Promise<boolean> {
  return engine.get("anything").then(
    () => true,
    () => false,
  );
}
