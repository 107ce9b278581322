/** Conformance: an unreachable engine reports it, a closed one refuses calls, and capabilities are true. */
import { StateError } from "@sluice/base/errors";
import type { Engine } from "../engine.ts";
import { EngineUnavailableError } from "../errors.ts";
import { bytesOf, ConformanceError, expect, expectFailure, expectSame } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import { defineCase, type Trial, written } from "./trial.ts";

export const CLOSING_CASES: readonly ConformanceCase[] = [
  defineCase("ENG80", "closing ends watches and subscriptions, and may come twice", [], async (trial) => {
    const engine = await trial.open();
    const watcher = await trial.watch(engine, "");
    const recorder = trial.subscribe(engine, "subject");
    await trial.during(close(engine));
    await trial.until(() => watcher.recorder.isEnded && recorder.isEnded, "the end of the watch and the subscription");
    await trial.during(close(engine));
    const other = await trial.open();
    written(await other.cas("key", "absent", bytesOf("1")), "a write by a client that is not closed");
  }),

  defineCase("ENG81", "every call after closing is refused by a StateError", [], async (trial) => {
    const engine = await trial.open();
    const other = await trial.open();
    const revision = written(await engine.cas("key", "absent", bytesOf("1")), "a creation");
    const { logs } = engine;
    await trial.during(close(engine));
    const calls: Record<string, () => unknown> = {
      get: () => engine.get("key"),
      cas: () => engine.cas("key", revision, bytesOf("2")),
      remove: () => engine.remove("key", revision),
      lease: () => engine.lease(trial.harness.leaseTtl),
      publish: () => engine.publish("subject", bytesOf("x")),
      watch: () => firstOf(engine.watch("", trial.signal)),
      subscribe: () => firstOf(engine.subscribe("subject", trial.signal)),
      ...(logs && { append: () => logs.append("log", 0, bytesOf("x")), read: () => logs.read("log", 1) }),
    };
    for (const [name, call] of Object.entries(calls)) {
      await trial.during(expectFailure(call, StateError, `${name} after closing`));
    }
    expectSame((await other.get("key"))?.revision, revision, "the entry that calls after closing tried to change");
  }),

  defineCase(
    "ENG82",
    "capabilities name the engine and its limits, and say truly whether there are logs",
    [],
    async (trial) => {
      const engine = await trial.open();
      const stated = engine.capabilities();
      expect(stated.engine.length > 0, "an engine must have a name");
      expectSame(stated.hasLogs, engine.logs !== undefined, "hasLogs");
      expect(!stated.survivesPowerLoss || stated.isDurable, "what survives a loss of power is durable");
    },
  ),

  defineCase(
    "ENG90",
    "a call that cannot reach the engine fails as unavailable, and the client returns by itself",
    ["cut"],
    async (trial) => {
      const [engine, other] = [await trial.open(), await trial.open()];
      const heal = await trial.fault("cut")(engine);
      const read = await failureOf(trial, () => engine.get("key"));
      expect(!read.isUnknown, "of a read nothing can be in doubt");
      const write = await failureOf(trial, () => engine.cas("key", "absent", bytesOf("1")));
      if (!write.isUnknown) expectSame(await other.get("key"), undefined, "the entry of a write that was not made");
      await failureOf(trial, () => engine.lease(trial.harness.leaseTtl));
      await heal();
      await trial.until(async () => (await tryGet(engine)) === "answered", "the client to return");
      if (!write.isUnknown) expectSame(await other.get("key"), undefined, "the entry of a write that was not made");
      const standing = await engine.get("key");
      written(await engine.cas("key", standing?.revision ?? "absent", bytesOf("2")), "a write after healing");
    },
  ),
];

async function close(engine: Engine): Promise<void> {
  try {
    await engine[Symbol.asyncDispose]();
  } catch (error) {
    throw new ConformanceError(`Closing failed: ${String(error)}`);
  }
}

function firstOf<T>(source: AsyncIterable<T>): Promise<IteratorResult<T>> {
  return source[Symbol.asyncIterator]().next();
}

function failureOf(trial: Trial, call: () => Promise<unknown>): Promise<EngineUnavailableError> {
  return trial.during(expectFailure(call, EngineUnavailableError, "a call of a client that is cut off"));
}

async function tryGet(engine: Engine): Promise<"answered" | "failed"> {
  try {
    await engine.get("key");
    return "answered";
  } catch {
    return "failed";
  }
}
