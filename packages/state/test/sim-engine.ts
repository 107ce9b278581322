/** A simulated node's way to the state engine: as late as a network, silent while the node is stopped, cut when it is cut off. */
import type { Millis } from "@sluice/base/brand";
import type { CasResult, Engine, EngineCapabilities, Entry, Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import type { MemoryStore } from "@sluice/engine/memory/memory-store";
import type { SimClock } from "@sluice/testkit/sim-clock";

const DELAY = 3 as Millis;

/** `get` and `cas` alone: objects need no more. */
export function simEngine(store: MemoryStore, clock: SimClock, isCut: () => boolean): Engine {
  const engine = new MemoryEngine(store);
  const exchange = async <T>(action: string, call: () => Promise<T>): Promise<T> => {
    const failed = (isUnknown: boolean) =>
      new EngineUnavailableError({ engine: "sim", action, reason: "cut", isUnknown });
    if (isCut()) throw failed(false);
    const answer = call();
    await new Promise<void>((resolve) => void clock.after(DELAY, resolve));
    if (isCut()) throw failed(true);
    return answer;
  };
  const calls = {
    capabilities: (): EngineCapabilities => engine.capabilities(),
    get: (key: Key): Promise<Entry | undefined> => exchange("get", () => engine.get(key)),
    cas: (key: Key, expected: Epoch | "absent", value: Uint8Array): Promise<CasResult> =>
      exchange("cas", () => engine.cas(key, expected, value)),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
  return calls as unknown as Engine;
}
