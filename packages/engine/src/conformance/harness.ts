/** What the conformance suite needs of whoever runs it: clients of one store, time, and faults. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Engine } from "../engine.ts";

/** What a case cannot do without; a runner that lacks one of them skips the case and says so. */
export type Need = "logs" | keyof EngineFaults;

/** Made anew for each case, on an empty store; disposing it ends every engine that is still open. */
export interface EngineHarness extends AsyncDisposable {
  /** The one that the engines tell time by. */
  readonly clock: Clock;
  /** For leases in cases; short, where time is real. */
  readonly leaseTtl: Millis;
  /** How long after `validUntil` has passed the bound keys may still be seen. */
  readonly leaseSlack: Millis;
  /** How long anything else may take that must happen "soon": an event, an answer, a connection that returns. */
  readonly patience: Millis;
  /** How late a timer may run: 0 on a fake clock. */
  readonly tolerance: Millis;
  /** One more client of the same store. */
  open(): Promise<Engine>;
  /** Lets time pass: really, or on a fake clock with promises settling on the way. */
  advance(millis: Millis): Promise<void>;
  readonly faults: Partial<EngineFaults>;
}

/** Each is offered by those harnesses that can do it. */
export interface EngineFaults {
  /** Ends a client as a killed process does: no goodbye, no further renewal. */
  kill(engine: Engine): Promise<void>;
  /** Parts a client from the store for all calls and events. The returned function ends that; the client returns by itself. */
  cut(engine: Engine): Promise<() => Promise<void>>;
  /** From now on every answer reaches this client at least `by` later than it was given. */
  delay(engine: Engine, by: Millis): Promise<void>;
  /** Loses all data, as when somebody deletes the files, and has the store founded anew. Clients opened before need not work any more. */
  wipe(): Promise<void>;
}

/** Which of the case's needs the harness or the engine cannot meet. */
export function lacking(needs: readonly Need[], harness: EngineHarness, engine: Engine): Need[] {
  return needs.filter((need) => (need === "logs" ? engine.logs === undefined : harness.faults[need] === undefined));
}

/** One thing that every engine does. */
export interface ConformanceCase {
  /** Of the rule in docs/spec/engine.md that it tests. */
  readonly id: `ENG${number}`;
  /** No two cases have the same. */
  readonly name: string;
  readonly needs: readonly Need[];
  /** @throws {ConformanceError} when the engine does otherwise */
  run(harness: EngineHarness): Promise<void>;
}
