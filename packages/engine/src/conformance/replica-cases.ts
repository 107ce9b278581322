/** Conformance: an engine with a copy of the data serves remote clients, identified by tokens and request ids. */
import { StateError } from "@sluice/base/errors";
import type { Millis } from "@sluice/base/brand";
import type { Engine, EngineReplica } from "../engine.ts";
import { compareEpochs } from "../epoch.ts";
import { EngineLeaseLostError } from "../errors.ts";
import { bytesOf, expect, expectFailure, expectSame } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import { appended, defineCase, type Trial, written } from "./trial.ts";

/** Only for engines with a `replica`. */
export const REPLICA_CASES: readonly ConformanceCase[] = [
  defineCase(
    "ENG340",
    "a lease is renewed by its token through any client, and outlives whom it was asked of",
    ["kill"],
    async (trial) => {
      const [granter, other] = [await trial.open(), await trial.open()];
      const { leaseTtl, leaseSlack, tolerance } = trial.harness;
      const token = await trial.during(replicaOf(granter).grant(leaseTtl));
      written(await other.cas("bound", "absent", bytesOf("1"), { lease: { token } }), "a bound creation");
      await trial.during(trial.fault("kill")(granter));
      for (let round = 0; round < 6; round++) {
        await trial.harness.advance((leaseTtl / 3) as Millis);
        expectSame(await trial.during(replicaOf(other).renew(token, leaseTtl)), "renewed", "a renewal by token");
      }
      expect((await other.get("bound")) !== undefined, "a key must stand while its lease is renewed");
      const limit = leaseTtl + leaseSlack + tolerance;
      await trial.until(
        async () => (await other.get("bound")) === undefined,
        "the key to vanish without renewals",
        limit,
      );
      expectSame(await trial.during(replicaOf(other).renew(token, leaseTtl)), "gone", "a renewal of what has run out");
      const late = (): unknown => other.cas("late", "absent", bytesOf("1"), { lease: { token } });
      await expectFailure(late, EngineLeaseLostError, "a write under a token that has run out");
    },
  ),

  defineCase(
    "ENG341",
    "a lease is released by its token, tokens rise, and a wrong time to live is refused",
    [],
    async (trial) => {
      const [engine, other] = [await trial.open(), await trial.open()];
      const { leaseTtl } = trial.harness;
      const first = await trial.during(replicaOf(engine).grant(leaseTtl));
      const second = await trial.during(replicaOf(other).grant(leaseTtl));
      expect(compareEpochs(first, second) < 0, "a later token must be higher");
      written(await engine.cas("bound", "absent", bytesOf("1"), { lease: { token: first } }), "a bound creation");
      await trial.during(replicaOf(other).release(first));
      expectSame(await engine.get("bound"), undefined, "the bound key after release");
      await trial.during(replicaOf(other).release(first));
      expectSame(await trial.during(replicaOf(other).renew(second, leaseTtl)), "renewed", "the other lease");
      await expectFailure(() => replicaOf(engine).grant(1 as Millis), StateError, "a lease of 1 ms");
    },
  ),

  defineCase(
    "ENG342",
    "a write made again under its request id is answered as the first time, and not done twice",
    [],
    async (trial) => {
      const [engine, other] = [await trial.open(), await trial.open()];
      const request = (sequence: number) => ({ request: { client: "a client of the suite", sequence } });
      const first = written(await engine.cas("key", "absent", bytesOf("1"), request(1)), "a creation");
      const again = written(await other.cas("key", "absent", bytesOf("1"), request(1)), "the creation, repeated");
      expectSame(again, first, "the revision of the repeated creation");
      const second = written(await other.cas("key", first, bytesOf("2"), request(2)), "a write");
      written(await engine.cas("key", "absent", bytesOf("1"), request(1)), "the creation, repeated late");
      expectSame((await engine.get("key"))?.revision, second, "the entry after a late repetition");
      const removal = written(await engine.remove("key", second, request(3)), "a removal");
      expectSame(
        written(await other.remove("key", second, request(3)), "the removal, repeated"),
        removal,
        "its revision",
      );
      await expectRepeatable(trial, engine, other);
    },
  ),

  defineCase("ENG343", "after catching up a watch begins with all that was acknowledged before", [], async (trial) => {
    const [engine, other] = [await trial.open(), await trial.open()];
    for (let round = 0; round < ROUNDS; round++) {
      const key = `key ${round}`;
      const revision = written(await engine.cas(key, "absent", bytesOf(key)), "a creation");
      await trial.during(replicaOf(other).catchUp());
      expect((await trial.watch(other, key)).entries.has(key), "a watch must begin with what was acknowledged");
      written(await engine.remove(key, revision), "a removal");
      await trial.during(replicaOf(other).catchUp());
      expect(!(await trial.watch(other, key)).entries.has(key), "a watch must begin without what was removed");
    }
  }),
];

/** A lag of watches behind answers shows only in some rounds. */
const ROUNDS = 50;

async function expectRepeatable(trial: Trial, engine: Engine, other: Engine): Promise<void> {
  const request = { client: "an appender of the suite", sequence: 1 };
  const append = (by: Engine) => trial.logs(by).append("log", 0, bytesOf("x"), { request });
  appended(await append(engine), "an append");
  expectSame(appended(await append(other), "the append, repeated"), 1, "the sequence of the repeated append");
  const refused = await trial.logs(other).append("log", 0, bytesOf("y"), { request: { ...request, sequence: 2 } });
  expectSame(refused, { outcome: "conflict", last: 1 }, "an append of another request");
}

function replicaOf(engine: Engine): EngineReplica {
  expect(engine.replica !== undefined, "The engine has no copy of the data");
  return engine.replica;
}
