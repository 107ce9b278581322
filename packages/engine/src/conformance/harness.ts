/** What the conformance suite needs from its runner: clients of one store, time, and faults. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Engine } from "../engine.ts";

/** A requirement of a case; a runner that cannot meet it skips the case and reports that. */
export type Need = "logs" | keyof EngineFaults;

/** Created for each case, on an empty store; disposing it ends every engine still open. */
export interface EngineHarness extends AsyncDisposable {
  /** The clock of the engines. */
  readonly clock: Clock;
  /** Time to live of leases in cases; short when time is real. */
  readonly leaseTtl: Millis;
  /** How long the bound keys may remain visible after `validUntil`. */
  readonly leaseSlack: Millis;
  /** Longest time for anything else that must happen "soon": an event, an answer, a reconnect. */
  readonly patience: Millis;
  /** How late a timer may run: 0 on a fake clock. */
  readonly tolerance: Millis;
  /** One more client of the same store. */
  open(): Promise<Engine>;
  /** Advances time: really, or on a fake clock with promises settling on the way. */
  advance(millis: Millis): Promise<void>;
  readonly faults: Partial<EngineFaults>;
}

/** Each is optional: harnesses offer those they can produce. */
export interface EngineFaults {
  /** Ends a client like a killed process: no goodbye, no further renewal. */
  kill(engine: Engine): Promise<void>;
  /** Disconnects a client from the store. The returned function heals that; the client must recover by itself. */
  cut(engine: Engine): Promise<() => Promise<void>>;
  /** From now on every answer reaches this client at least `by` later than it was sent. */
  delay(engine: Engine, by: Millis): Promise<void>;
  /** Deletes all data, as if an operator deleted the files, and founds the store anew. Clients opened before may stop working. */
  wipe(): Promise<void>;
}

/** The needs of a case that the harness or the engine cannot meet. */
export function lacking(needs: readonly Need[], harness: EngineHarness, engine: Engine): Need[] {
  return needs.filter((need) => (need === "logs" ? engine.logs === undefined : harness.faults[need] === undefined));
}

/** One behaviour that every engine must have. */
export interface ConformanceCase {
  /** The rule in docs/spec/engine.md that it tests. */
  readonly id: `ENG${number}`;
  /** Unique. */
  readonly name: string;
  readonly needs: readonly Need[];
  /** @throws {ConformanceError} when the engine behaves differently */
  run(harness: EngineHarness): Promise<void>;
}
