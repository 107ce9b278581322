/** Conformance: leases keep keys for as long as their owner lives, and no longer. */
import { StateError } from "@sluice/base/errors";
import type { Millis } from "@sluice/base/brand";
import type { Engine, Lease } from "../engine.ts";
import { compareEpochs } from "../epoch.ts";
import { EngineLeaseLostError } from "../errors.ts";
import { ENGINE_LIMITS } from "../limits.ts";
import { bytesOf, expect, expectFailure, expectSame } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import { defineCase, type Trial, written } from "./trial.ts";

export const LEASE_CASES: readonly ConformanceCase[] = [
  defineCase("ENG30", "release removes the bound keys at once, aborts lost and may come twice", [], async (trial) => {
    const [engine, other] = [await trial.open(), await trial.open()];
    const lease = await leaseOn(trial, engine);
    written(await engine.cas("bound", "absent", bytesOf("1"), { lease }), "a bound creation");
    written(await engine.cas("free", "absent", bytesOf("1")), "a creation without lease");
    const watcher = await trial.watch(other, "");
    await trial.during(lease.release());
    expectSame(await other.get("bound"), undefined, "the bound key after release");
    expect(lease.lost.aborted, "lost must be aborted after release");
    expect(lease.validUntil <= trial.harness.clock.now(), "validUntil must not lie ahead after release");
    await trial.during(lease.release());
    await trial.until(() => !watcher.entries.has("bound"), "the deletion told to a watcher");
    expect(watcher.entries.has("free"), "a key without lease must stay");
  }),

  defineCase("ENG31", "the engine renews a lease by itself, for as long as it is not released", [], async (trial) => {
    const engine = await trial.open();
    const lease = await leaseOn(trial, engine);
    const first = lease.validUntil;
    written(await engine.cas("bound", "absent", bytesOf("1"), { lease }), "a bound creation");
    await trial.harness.advance((trial.harness.leaseTtl * 3) as Millis);
    expect(!lease.lost.aborted && lease.validUntil > trial.harness.clock.now(), "a renewed lease must be valid");
    expect(lease.validUntil > first, "validUntil must have risen");
    expect((await engine.get("bound")) !== undefined, "a key bound to a renewed lease must stand");
    written(await engine.cas("later", "absent", bytesOf("1"), { lease }), "a write under the renewed lease");
  }),

  defineCase(
    "ENG32",
    "when the owner dies its keys stand until the lease runs out, and then vanish for all",
    ["kill"],
    async (trial) => {
      const { harness } = trial;
      const [owner, other] = [await trial.open(), await trial.open()];
      const lease = await leaseOn(trial, owner);
      for (const key of ["one", "two"])
        written(await owner.cas(key, "absent", bytesOf("1"), { lease }), "a bound creation");
      const watcher = await trial.watch(other, "");
      await trial.during(trial.fault("kill")(owner));
      expect((await other.get("one")) !== undefined, "a bound key must outlive its owner until the lease runs out");
      const limit = harness.leaseTtl + harness.leaseSlack + harness.tolerance;
      await trial.until(async () => (await other.get("one")) === undefined, "the first bound key to vanish", limit);
      await trial.until(async () => (await other.get("two")) === undefined, "the second bound key to vanish");
      await trial.until(() => watcher.entries.size === 0, "the deletions told to a watcher");
      expect(watcher.state === "current", "a dead owner must not make the watcher's view stale");
    },
  ),

  defineCase(
    "ENG33",
    "when the owner closes without release its keys vanish within the time to live",
    [],
    async (trial) => {
      const { harness } = trial;
      const [owner, other] = [await trial.open(), await trial.open()];
      const lease = await leaseOn(trial, owner);
      written(await owner.cas("bound", "absent", bytesOf("1"), { lease }), "a bound creation");
      await trial.during(Promise.resolve(owner[Symbol.asyncDispose]()));
      expect(lease.lost.aborted, "lost must be aborted by closing");
      const limit = harness.leaseTtl + harness.leaseSlack + harness.tolerance;
      await trial.until(async () => (await other.get("bound")) === undefined, "the bound key to vanish", limit);
    },
  ),

  defineCase(
    "ENG34",
    "a token is higher than that of every lease granted before, by whichever client",
    [],
    async (trial) => {
      const engines = [await trial.open(), await trial.open()];
      const leases: Lease[] = [];
      for (let round = 0; round < 6; round++) {
        const lease = await leaseOn(trial, engines[round % 2] as Engine);
        if (round % 3 === 0) await trial.during(lease.release());
        const before = leases.at(-1);
        expect(before === undefined || compareEpochs(before.token, lease.token) < 0, `token ${round} must be higher`);
        leases.push(lease);
      }
    },
  ),

  defineCase(
    "ENG35",
    "a key written again without the lease stays, one written under another lease goes with that",
    [],
    async (trial) => {
      const engine = await trial.open();
      const [first, second] = [await leaseOn(trial, engine), await leaseOn(trial, engine)];
      const stays = written(await engine.cas("stays", "absent", bytesOf("1"), { lease: first }), "a bound creation");
      const moves = written(await engine.cas("moves", "absent", bytesOf("1"), { lease: first }), "a bound creation");
      const binds = written(await engine.cas("binds", "absent", bytesOf("1")), "a creation without lease");
      written(await engine.cas("stays", stays, bytesOf("2")), "a write without lease");
      written(await engine.cas("moves", moves, bytesOf("2"), { lease: second }), "a write under another lease");
      written(await engine.cas("binds", binds, bytesOf("2"), { lease: first }), "a write under a lease");
      await trial.during(first.release());
      expect((await engine.get("stays")) !== undefined, "a key written again without lease must stay");
      expect((await engine.get("moves")) !== undefined, "a key written under another lease must stay with that");
      expectSame(await engine.get("binds"), undefined, "a key bound by its second write");
      await trial.during(second.release());
      expectSame(await engine.get("moves"), undefined, "a key whose later lease is released");
      expect((await engine.get("stays")) !== undefined, "a key without lease must outlive both");
    },
  ),

  defineCase("ENG36", "validUntil is counted from when the confirmed renewal was sent", ["delay"], async (trial) => {
    const { clock, leaseTtl, tolerance } = trial.harness;
    const engine = await trial.open();
    const delay = Math.floor(leaseTtl / 5) as Millis;
    await trial.fault("delay")(engine, delay);
    const lease = await leaseOn(trial, engine);
    const start = clock.now();
    while (clock.now() - start < leaseTtl * 2) {
      const latest = clock.now() - delay + leaseTtl + tolerance;
      expect(lease.validUntil <= latest, `validUntil lies ${lease.validUntil - latest} ms beyond what was confirmed`);
      expect(!lease.lost.aborted, "a lease whose answers are slow must not be lost");
      await trial.harness.advance(Math.max(10, leaseTtl / 40) as Millis);
    }
  }),

  defineCase(
    "ENG37",
    "a holder that is cut off loses the lease by its own clock, before its keys vanish for others",
    ["cut"],
    async (trial) => {
      const { clock, leaseTtl, leaseSlack, tolerance } = trial.harness;
      const [holder, other] = [await trial.open(), await trial.open()];
      const lease = await leaseOn(trial, holder);
      written(await holder.cas("bound", "absent", bytesOf("1"), { lease }), "a bound creation");
      let lostAt: Millis | undefined;
      lease.lost.addEventListener("abort", () => (lostAt = clock.now()), { once: true });
      const heal = await trial.fault("cut")(holder);
      const cutAt = clock.now();
      let isGone = false;
      const isOver = async (): Promise<boolean> => {
        isGone ||= (await other.get("bound")) === undefined;
        expect(!isGone || clock.now() > lease.validUntil, "a bound key must stand until validUntil has passed");
        return isGone && lostAt !== undefined;
      };
      await trial.until(isOver, "the bound key to vanish and lost to abort", leaseTtl + leaseSlack + tolerance);
      expect(lease.validUntil <= cutAt + leaseTtl + tolerance, "validUntil must not rise without confirmation");
      expect((lostAt ?? 0) <= cutAt + leaseTtl + tolerance, "lost must abort as soon as validUntil has passed");
      await heal();
      await trial.until(async () => (await answerOf(holder)) === "answered", "the client to return");
      expect(lease.lost.aborted, "a lost lease must not come back");
    },
  ),

  defineCase("ENG38", "a write under a lease that is gone is refused and changes nothing", [], async (trial) => {
    const engine = await trial.open();
    const lease = await leaseOn(trial, engine);
    const revision = written(await engine.cas("old", "absent", bytesOf("1")), "a creation");
    await trial.during(lease.release());
    await expectFailure(() => engine.cas("new", "absent", bytesOf("2"), { lease }), EngineLeaseLostError, "a creation");
    await expectFailure(() => engine.cas("old", revision, bytesOf("2"), { lease }), EngineLeaseLostError, "a write");
    expectSame(await engine.get("new"), undefined, "the entry refused");
    expectSame((await engine.get("old"))?.revision, revision, "the revision of the entry that stood");
  }),

  defineCase("ENG39", "a time to live outside the limits is refused by a StateError", [], async (trial) => {
    const engine = await trial.open();
    const { min, max } = ENGINE_LIMITS.leaseTtl;
    for (const ttl of [0, -1, min - 1, max + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expectFailure(() => engine.lease(ttl as Millis), StateError, `a lease of ${ttl} ms`);
    }
    const shortest = await trial.during(engine.lease(min));
    expectSame(shortest.ttl, min, "the time to live of the shortest lease");
    await trial.during(shortest.release());
  }),
];

async function leaseOn(trial: Trial, engine: Engine): Promise<Lease> {
  const { clock, leaseTtl, tolerance } = trial.harness;
  const lease = await trial.during(engine.lease(leaseTtl));
  expectSame(lease.ttl, leaseTtl, "the time to live granted");
  expect(!lease.lost.aborted && lease.validUntil > clock.now(), "a new lease must be valid");
  expect(lease.validUntil <= clock.now() + leaseTtl + tolerance, "validUntil must not lie beyond the time to live");
  return lease;
}

async function answerOf(engine: Engine): Promise<"answered" | "failed"> {
  try {
    await engine.get("anything");
    return "answered";
  } catch {
    return "failed";
  }
}
